import { create } from "@bufbuild/protobuf"
import { assert, describe, it } from "@effect/vitest"
import * as GrpcOutbound from "@sluice/core/grpc/GrpcOutbound"
import * as ProtobufCodec from "@sluice/core/protobuf/ProtobufCodec"
import type { Compressor } from "@sluice/core/protocol/grpc/GrpcEncoding"
import { GrpcError } from "@sluice/core/protocol/grpc/GrpcError"
import * as Hex from "../../harness/Hex.ts"
import { HelloReplySchema } from "../../harness/protobuf/hello_pb.ts"
import { MixedSchema } from "../../harness/protobuf/sluice/test/hot_pb.ts"

const codec = ProtobufCodec.make(HelloReplySchema) as ProtobufCodec.ProtobufCodec
const none = Number.POSITIVE_INFINITY

const shifting: Compressor = {
  name: "shift",
  compress: (message) => message.map((byte) => byte - 1),
  decompress: () => ({ _tag: "Invalid" })
}

const sent = (value: object, compressor?: Compressor, maxBytes = none) => {
  const bytes = GrpcOutbound.encode(codec, value, compressor, maxBytes)
  return bytes instanceof GrpcError ? ([bytes.reason._tag, bytes.reason.fault] as const) : Hex.show(bytes)
}

const shown = (wire: string) => Hex.show(Hex.hex(wire))

describe("a message that this side sends", () => {
  it("stands behind its prefix", () => {
    assert.strictEqual(sent(create(HelloReplySchema, { message: "ab" })), shown("00 00000004 0a026162"))
    assert.strictEqual(sent(create(HelloReplySchema)), shown("00 00000000"))
  })

  it("may be what one is made of", () => {
    assert.strictEqual(sent({ message: "ab" }), shown("00 00000004 0a026162"))
    assert.strictEqual(sent({}), shown("00 00000000"))
  })

  it("is compressed without its prefix", () => {
    assert.strictEqual(sent({ message: "ab" }, shifting), shown("01 00000004 09016061"))
    assert.strictEqual(sent({}, shifting), shown("01 00000000"))
  })

  it("at the limit, and above it: by what it is before its compression", () => {
    assert.strictEqual(sent({ message: "ab" }, undefined, 4), shown("00 00000004 0a026162"))
    assert.deepStrictEqual(sent({ message: "abc" }, undefined, 4), ["ResourceExhausted", "caller"])
    const toNothing: Compressor = { ...shifting, compress: () => new Uint8Array(0) }
    assert.deepStrictEqual(sent({ message: "abc" }, toNothing, 4), ["ResourceExhausted", "caller"])
  })

  it("that is none is the caller's mistake", () => {
    const mixed = ProtobufCodec.make(MixedSchema) as ProtobufCodec.ProtobufCodec
    for (const value of [{ id: 1.5 }, { ...create(MixedSchema), id: 2 ** 31 }]) {
      const failed = GrpcOutbound.encode(mixed, value, undefined, none) as GrpcError
      assert.instanceOf(failed, GrpcError)
      assert.deepStrictEqual([failed.reason._tag, failed.reason.fault], ["Internal", "caller"])
      assert.instanceOf(failed.cause, Error)
    }
  })

  it("whose compressor breaks is this side's mistake", () => {
    const broken: Compressor = {
      ...shifting,
      compress: () => {
        throw new Error("broken")
      }
    }
    assert.deepStrictEqual(sent({ message: "ab" }, broken), ["Internal", "caller"])
  })

  it("two messages do not share bytes", () => {
    const first = GrpcOutbound.encode(codec, { message: "ab" }, undefined, none) as Uint8Array
    const second = GrpcOutbound.encode(codec, { message: "cd" }, undefined, none) as Uint8Array
    assert.deepStrictEqual(
      [Hex.show(first), Hex.show(second)],
      [shown("00 00000004 0a026162"), shown("00 00000004 0a026364")]
    )
  })
})
