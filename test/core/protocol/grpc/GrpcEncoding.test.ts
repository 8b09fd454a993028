import { assert, describe, it } from "@effect/vitest"
import * as GrpcEncoding from "@sluice/core/protocol/grpc/GrpcEncoding"
import * as GrpcStatus from "@sluice/core/protocol/grpc/GrpcStatus"

/** Says what was asked of it. */
const compressor = (name: string, found: GrpcEncoding.Decompressed): GrpcEncoding.Compressor => ({
  name,
  compress: (message) => message,
  decompress: () => found
})
const invalid: GrpcEncoding.Decompressed = { _tag: "Invalid" }
const gzip = compressor("gzip", invalid)
const deflate = compressor("deflate", invalid)
const encodings = new GrpcEncoding.GrpcEncodings([gzip, deflate])

describe("grpc-accept-encoding", () => {
  it("has what this side takes", () => {
    assert.strictEqual(encodings.acceptText, "identity,gzip,deflate")
    assert.strictEqual(GrpcEncoding.none.acceptText, "identity")
  })
  for (const name of ["identity", "gzip", "", "a b", "a,b"]) {
    it(`no compressor is named ${JSON.stringify(name)}, beside gzip`, () =>
      assert.throws(() => new GrpcEncoding.GrpcEncodings([gzip, compressor(name, invalid)]), RangeError))
  }
  it("a compressor is found by its name", () => {
    assert.strictEqual(encodings.find("deflate"), deflate)
    assert.isUndefined(encodings.find("identity"))
    assert.isUndefined(encodings.find("zstd"))
  })
})

describe("gRPC compression: what the peer sends", () => {
  it("is plain", () => {
    for (const encoding of [undefined, "identity"]) assert.isUndefined(encodings.forReceiving("server", encoding))
  })
  it("is compressed in one of our ways", () => {
    assert.strictEqual(encodings.forReceiving("server", "gzip"), gzip)
    assert.isFalse(GrpcEncoding.isUnsupported(encodings.forReceiving("client", "deflate")))
  })
  const rows = [
    ["server", GrpcStatus.Unimplemented],
    ["client", GrpcStatus.Internal]
  ] as const
  for (const [role, code] of rows) {
    it(`for a ${role} it is ${GrpcStatus.nameOf(code)} in another way, and names those that are taken`, () => {
      for (const encoding of ["zstd", "GZIP", "", "gzip,deflate", "constructor"]) {
        const found = encodings.forReceiving(role, encoding)
        if (!GrpcEncoding.isUnsupported(found)) return assert.fail(`${encoding} is taken`)
        assert.strictEqual(found.code, code)
        assert.strictEqual(found.fault, "peer")
        assert.strictEqual(found.acceptText, "identity,gzip,deflate")
        assert.include(found.message, JSON.stringify(encoding))
        assert.include(found.message, found.acceptText)
      }
    })
  }
})

describe("gRPC compression: what a server sends", () => {
  const rows: ReadonlyArray<
    readonly [rule: string, names: ReadonlyArray<string>, accepted: string | undefined, name: string | undefined]
  > = [
    ["SHALL be uncompressed where the client does not take it", ["gzip"], "identity,deflate", undefined],
    ["is uncompressed where the client says nothing", ["gzip"], undefined, undefined],
    ["is uncompressed where nobody wants more", [], "gzip", undefined],
    ["is in the server's first way that the client takes", ["gzip", "deflate"], "deflate, gzip", "gzip"],
    ["is in the second where the first is not taken", ["gzip", "deflate"], "identity , deflate", "deflate"],
    ["is in no way that this side has not", ["zstd"], "zstd,gzip", undefined],
    ["is in no way by a part of a name", ["gzip"], "xgzip,gzip2", undefined]
  ]
  for (const [rule, names, accepted, name] of rows) {
    it(rule, () => assert.strictEqual(encodings.forSending(names, accepted)?.name, name))
  }
})

describe("decompressing", () => {
  const bytes = Uint8Array.of(1, 2)
  it("what is good", () => {
    const good = compressor("gzip", { _tag: "Decompressed", bytes })
    assert.strictEqual(GrpcEncoding.decompress(good, bytes, 10), bytes)
  })
  it("gRPC statuscodes: could not decompress, but the algorithm is supported", () => {
    const found = GrpcEncoding.decompress(gzip, bytes, 10)
    assert.include(found, { _tag: "InvalidCompression", code: GrpcStatus.Internal, encoding: "gzip" })
  })
  it("a message that is above the limit when it is decompressed", () => {
    const found = GrpcEncoding.decompress(compressor("gzip", { _tag: "TooLarge" }), bytes, 10)
    assert.include(found, { _tag: "MessageTooLarge", messageBytes: 11, limitBytes: 10, fault: "limit" })
  })
})
