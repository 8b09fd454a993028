import { create, type DescMessage, type Message } from "@bufbuild/protobuf"
import { anyPack, TimestampSchema } from "@bufbuild/protobuf/wkt"
import { assert, describe, it } from "@effect/vitest"
import * as ConnectJson from "@sluice/core/grpc/server/ConnectJson"
import { ProtobufViolation } from "@sluice/core/protobuf/ProtobufViolation"
import * as BrowserCalls from "../../../harness/BrowserCalls.ts"
import { HelloRequestSchema } from "../../../harness/protobuf/hello_pb.ts"

const bytes = (text: string): Uint8Array => Buffer.from(text)
const codec = ConnectJson.make(HelloRequestSchema)
const ada = create(HelloRequestSchema, { name: "Ada ☺" })

describe("ConnectJson", () => {
  it("writes JSON behind the bytes that it was asked to leave", () => {
    assert.strictEqual(Buffer.from(codec.encode(ada)).toString(), '{"name":"Ada ☺"}')
    const framed = codec.encode(ada, 5)
    assert.strictEqual(Buffer.from(framed.subarray(5)).toString(), '{"name":"Ada ☺"}')
    assert.strictEqual(
      Buffer.from(codec.encodeInit({ name: "Ada ☺" } as never, 5).subarray(5)).toString(),
      '{"name":"Ada ☺"}'
    )
  })

  it("reads JSON, and passes over fields that it does not know", () => {
    assert.deepStrictEqual(codec.decode(bytes('{"name":"Ada ☺","newer":[{"a":1}]}')), ada)
    assert.deepStrictEqual(codec.decode(bytes("{}")), create(HelloRequestSchema))
  })

  it("passes over what is deep where no field is, without an end of its stack", () => {
    const deep = `{"name":"Ada ☺","x":${"[".repeat(100_000)}${"]".repeat(100_000)}}`
    assert.deepStrictEqual(codec.decode(bytes(deep)), ada)
  })

  const wrong: ReadonlyArray<readonly [why: string, text: Uint8Array]> = [
    ["nothing", bytes("")],
    ["no JSON", bytes("{")],
    ["JSON that goes on", bytes("{}{}")],
    ["a list", bytes("[]")],
    ["null", bytes("null")],
    ["a field of another type", bytes('{"name":7}')],
    ["a field twice", bytes('{"name":"a","name":"b"}')]
  ]
  for (const [why, text] of wrong) {
    it(`says why it is no message: ${why}`, () => {
      const found = codec.decode(text)
      assert.instanceOf(found, ProtobufViolation)
      assert.match((found as ProtobufViolation).message, /^no hello\.HelloRequest: ./)
    })
  }

  it("repeats little of what came", () => {
    const { request } = ConnectJson.codecsOf(BrowserCalls.open)
    const found = request.decode(bytes(JSON.stringify({ content: { "@type": "x".repeat(10_000) } })))
    assert.instanceOf(found, ProtobufViolation)
    assert.match((found as ProtobufViolation).message, /^no test\.Envelope: .*x…$/)
    assert.isBelow((found as ProtobufViolation).message.length, 300)
  })

  it("names what is no text", () => {
    assert.strictEqual(
      (codec.decode(Uint8Array.of(0x22, 0xff, 0x22)) as ProtobufViolation).message,
      "no hello.HelloRequest: it is not UTF-8"
    )
  })

  it("knows the types of the method's file and of its imports in an Any, and no others", () => {
    const { request } = ConnectJson.codecsOf(BrowserCalls.open)
    assert.strictEqual(ConnectJson.codecsOf(BrowserCalls.open).request, request)
    const packed = (descriptor: DescMessage, message: Message) =>
      create(request.descriptor, { content: anyPack(descriptor, message) } as never)
    const text = '{"content":{"@type":"type.googleapis.com/hello.HelloRequest","name":"Ada ☺"}}'
    const envelope = packed(HelloRequestSchema, ada)
    assert.deepStrictEqual(JSON.parse(Buffer.from(request.encode(envelope)).toString()), JSON.parse(text))
    assert.deepStrictEqual(request.decode(bytes(text)), envelope)
    assert.throws(() => request.encode(packed(TimestampSchema, create(TimestampSchema))))
    assert.instanceOf(
      request.decode(
        bytes('{"content":{"@type":"type.googleapis.com/google.protobuf.Timestamp","value":"2026-01-01T00:00:00Z"}}')
      ),
      ProtobufViolation
    )
  })
})
