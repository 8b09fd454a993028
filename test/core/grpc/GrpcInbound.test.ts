import { create, toBinary } from "@bufbuild/protobuf"
import { assert, describe, it } from "@effect/vitest"
import { GrpcInbound } from "@sluice/core/grpc/GrpcInbound"
import * as ProtobufCodec from "@sluice/core/protobuf/ProtobufCodec"
import type { Compressor } from "@sluice/core/protocol/grpc/GrpcEncoding"
import * as GrpcStatus from "@sluice/core/protocol/grpc/GrpcStatus"
import * as Chunkings from "../../harness/Chunkings.ts"
import * as Hex from "../../harness/Hex.ts"
import { type HelloReply, HelloReplySchema } from "../../harness/protobuf/hello_pb.ts"

const codec = ProtobufCodec.make(HelloReplySchema) as ProtobufCodec.ProtobufCodec

/** A message is its own bytes, each of them one less; `ff` is none. */
const shifting: Compressor = {
  name: "shift",
  compress: (message) => message.map((byte) => byte - 1),
  decompress: (bytes, maxBytes) => {
    if (bytes[0] === 0xff) return { _tag: "Invalid" }
    return bytes.length > maxBytes
      ? { _tag: "TooLarge" }
      : { _tag: "Decompressed", bytes: bytes.map((byte) => byte + 1) }
  }
}

const twice = { _tag: "Decompressed", bytes: Hex.hex("0a026162") } as const

type Heard = string | readonly [text: string, form: "compressed"]

/** All that comes of chunks, with what is wrong in the end. */
const heardOf = (inbound: GrpcInbound, chunks: ReadonlyArray<Uint8Array>) => {
  const heard: Array<Heard> = []
  for (const chunk of chunks) {
    inbound.push(chunk)
    for (let one = inbound.next(); one !== undefined; one = inbound.next()) {
      const text = (one as HelloReply).message
      heard.push(inbound.form === "plain" ? text : [text, "compressed"])
    }
  }
  const failure = inbound.failure ?? inbound.end()
  if (failure !== undefined) heard.push(`${failure.reason._tag} ${failure.reason.fault}`)
  return heard
}

describe("what the other side sends", () => {
  /** `wire`: `0a 02 6162` is a message that says "ab"; compressed, it is `09 01 6061`. The limit is 6 bytes. */
  const cases: ReadonlyArray<
    readonly [rule: string, wire: string, heard: ReadonlyArray<Heard>, compressor?: Compressor]
  > = [
    ["nothing", "", []],
    ["an empty message", "00 00000000", [""]],
    ["a message", "00 00000004 0a026162", ["ab"]],
    ["messages", "00 00000004 0a026162 00 00000000 00 00000003 0a0163", ["ab", "", "c"]],
    ["at the limit", "00 00000006 0a0461626364", ["abcd"]],
    ["above the limit", "00 00000007 0a056162636465", ["ResourceExhausted limit"]],
    ["by its length alone", "00 00000003 0a0163 00 ffffffff", ["c", "ResourceExhausted limit"]],
    ["a flag that is none", "00 00000003 0a0163 02 00000000", ["c", "Internal peer"]],
    ["a field that is cut", "00 00000003 0a0163 00 00000002 0a05 00 00000000", ["c", "Internal peer"]],
    ["half a prefix", "00 00000003 0a0163 00 00", ["c", "Internal peer"]],
    ["half a message", "00 00000004 0a0261", ["Internal peer"]],
    ["compressed, and no encoding", "01 00000004 09016061", ["Internal peer"]],
    ["compressed", "01 00000004 09016061", [["ab", "compressed"]], shifting],
    ["compressed and plain in turns", "01 00000004 09016061 00 00000003 0a0163", [["ab", "compressed"], "c"], shifting],
    ["empty, and compressed", "01 00000000", [["", "compressed"]], shifting],
    ["what cannot be decompressed", "00 00000003 0a0163 01 00000001 ff 00 00000000", ["c", "Internal peer"], shifting],
    ["decompressed, and no message", "01 00000002 0904", ["Internal peer"], shifting]
  ]
  for (const [rule, wire, expected, compressor] of cases) {
    it(rule, () => {
      for (const chunks of Chunkings.everySplit(Hex.hex(wire))) {
        assert.deepStrictEqual(heardOf(new GrpcInbound(codec, compressor, 6), chunks), expected, Chunkings.show(chunks))
      }
    })
  }

  it("the limit holds for what comes out of the compression", () => {
    const growing: Compressor = {
      ...shifting,
      decompress: (_, maxBytes) => ({ _tag: maxBytes === 6 ? "TooLarge" : "Invalid" })
    }
    const heard = heardOf(new GrpcInbound(codec, growing, 6), [Hex.hex("01 00000001 00")])
    assert.deepStrictEqual(heard, ["ResourceExhausted limit"])
  })

  it("bytes that are no message end the call as its protocol says", () => {
    const inbound = new GrpcInbound(codec, undefined, 6, GrpcStatus.InvalidArgument)
    assert.deepStrictEqual(heardOf(inbound, [Hex.hex("00 00000001 0a")]), ["InvalidArgument peer"])
  })

  it("messages are counted, those that cannot be read too", () => {
    const inbound = new GrpcInbound(codec, undefined, 6)
    heardOf(inbound, [Hex.hex("00 00000000 00 00000000 00 00000001 0a 00 00000000")])
    assert.strictEqual(inbound.count, 3)
  })

  it("behind a failure nothing is heard, whatever comes", () => {
    const inbound = new GrpcInbound(codec, undefined, 6)
    heardOf(inbound, [Hex.hex("00 00000001 0a 00 00000000")])
    const { failure } = inbound
    inbound.push(Hex.hex("00 00000000"))
    assert.strictEqual(inbound.next(), undefined)
    assert.deepStrictEqual([inbound.failure, inbound.end()], [failure, failure])
  })

  it("a compressor that throws, against its rules, ends the call and not the program", () => {
    const broken: Compressor = {
      ...shifting,
      decompress: () => {
        throw new Error("broken")
      }
    }
    const inbound = new GrpcInbound(codec, broken, 6)
    inbound.push(Hex.hex("01 00000001 0a 00 00000000"))
    assert.isUndefined(inbound.next())
    assert.strictEqual(inbound.failure?.reason.code, GrpcStatus.Internal)
    assert.instanceOf(inbound.failure?.cause, Error)
    assert.isUndefined(inbound.next())
  })

  it("says how large the last message is, decompressed", () => {
    const inbound = new GrpcInbound(codec, { ...shifting, decompress: () => twice }, 6)
    inbound.push(Hex.hex("01 00000001 0a 00 00000000"))
    inbound.next()
    assert.strictEqual(inbound.messageBytes, 4)
    inbound.next()
    assert.strictEqual(inbound.messageBytes, 0)
  })

  it("a message that is let go of is not missed", () => {
    const inbound = new GrpcInbound(codec, undefined, 6)
    inbound.push(Hex.hex("00 00000004 0a02"))
    assert.strictEqual(inbound.next(), undefined)
    inbound.release()
    assert.strictEqual(inbound.end(), undefined)
  })

  it("a message is what protobuf-es makes of it", () => {
    const message = create(HelloReplySchema, { message: "é" })
    const bytes = toBinary(HelloReplySchema, message)
    const inbound = new GrpcInbound(codec, undefined, 6)
    inbound.push(Uint8Array.of(0, 0, 0, 0, bytes.length, ...bytes))
    assert.deepStrictEqual(inbound.next(), message)
  })
})
