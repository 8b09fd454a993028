/** What the generator writes by hand, against protobuf-es. */
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf"
import { assert, it } from "vitest"
import {
  HelloReplySchema,
  HelloRequestSchema,
  PayloadSchema,
  StreamRequestSchema
} from "../../../bench/src/generated/sluice/bench/bench_pb.ts"
import type { GrpcCall } from "../../../bench/src/load/GrpcLoad.ts"
import * as GrpcMessages from "../../../bench/src/load/GrpcMessages.ts"

const prefixed = <D extends DescMessage>(descriptor: D, init: MessageInitShape<D>): Buffer => {
  const message = toBinary(descriptor, create(descriptor, init))
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

const payload = (byteCount: number): Buffer => prefixed(PayloadSchema, { body: Buffer.alloc(byteCount, "x") })

for (const payloadBytes of [1, 16, 127, 128, 1_024, 65_536]) {
  it(`a payload of ${payloadBytes} bytes, each way`, () => {
    const call: GrpcCall = { method: "Unary", payloadBytes }
    assert.deepStrictEqual(GrpcMessages.request(call), payload(payloadBytes))
    assert.deepStrictEqual(GrpcMessages.reply(call), payload(payloadBytes))
    assert.strictEqual(GrpcMessages.replyCount(call), 1)
  })
}

it("a stream: what it is asked for, and one of its messages", () => {
  const call: GrpcCall = { method: "Stream", payloadBytes: 16, count: 1_000 }
  assert.deepStrictEqual(GrpcMessages.request(call), prefixed(StreamRequestSchema, { count: 1_000, size: 16 }))
  assert.deepStrictEqual(GrpcMessages.reply(call), payload(16))
  assert.strictEqual(GrpcMessages.replyCount(call), 1_000)
  assert.strictEqual(GrpcMessages.path(call), "/sluice.bench.Bench/Stream")
})

it("a greeting", () => {
  const call: GrpcCall = { method: "Hello", name: "world" }
  assert.deepStrictEqual(GrpcMessages.request(call), prefixed(HelloRequestSchema, { name: "world" }))
  assert.deepStrictEqual(GrpcMessages.reply(call), prefixed(HelloReplySchema, { message: "Hello world" }))
})
