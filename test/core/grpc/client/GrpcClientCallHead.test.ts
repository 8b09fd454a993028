import { assert, describe, it } from "@effect/vitest"
import { GrpcClientCallHead } from "@sluice/core/grpc/client/GrpcClientCallHead"
import * as GrpcMetadata from "@sluice/core/protocol/grpc/GrpcMetadata"

const none = Number.POSITIVE_INFINITY
const head = () => new GrpcClientCallHead("agent/1", "identity", undefined)
const bare = { te: "trailers", "content-type": "application/grpc", "user-agent": "agent/1" }

describe("the fields that calls begin with", () => {
  it("are those of the specification, in its order", () => {
    assert.deepStrictEqual(Object.entries(head().of(undefined, none, 0)), Object.entries(bare))
  })

  it("say what this side takes, and how it compresses", () => {
    const fields = new GrpcClientCallHead("agent/1", "identity,gzip", "gzip").of(undefined, none, 0)
    assert.deepStrictEqual({ ...fields }, { ...bare, "grpc-encoding": "gzip", "grpc-accept-encoding": "identity,gzip" })
  })

  it("say what is left of the time", () => {
    assert.deepStrictEqual({ ...head().of(undefined, 1500, 0) }, { ...bare, "grpc-timeout": "1500m" })
  })

  it("say which attempt it is, but not of the first", () => {
    assert.deepStrictEqual({ ...head().of(undefined, none, 2) }, { ...bare, "grpc-previous-rpc-attempts": "2" })
  })

  it("have the metadata, and its user-agent in place of the channel's", () => {
    const metadata = GrpcMetadata.make({ "x-a": ["1", "2"], "user-agent": "mine" })
    assert.deepStrictEqual({ ...head().of(metadata, none, 0) }, { ...bare, "user-agent": "mine", "x-a": ["1", "2"] })
  })

  it("are the same record for calls that say the same", () => {
    const one = head()
    const [a, b] = [GrpcMetadata.make({ x: "a" }), GrpcMetadata.make({ x: "b" })]
    assert.strictEqual(one.of(undefined, none, 0), one.of(undefined, none, 0))
    assert.strictEqual(one.of(GrpcMetadata.empty, none, 0), one.of(undefined, none, 0))
    assert.strictEqual(one.of(a, none, 0), one.of(a, none, 0))
    assert.strictEqual(one.of(undefined, 100, 0), one.of(undefined, 100, 0))
    assert.strictEqual(one.of(a, 100, 0), one.of(a, 100, 0))
    assert.strictEqual(one.of(b, 100, 0).x, "b")
    assert.strictEqual(one.of(a, 100, 0).x, "a")
    assert.strictEqual(one.of(a, 200, 0)["grpc-timeout"], "200m")
    assert.strictEqual(one.of(undefined, none, 0), one.of(undefined, none, 0))
  })
})
