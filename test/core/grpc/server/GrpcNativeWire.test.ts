import { assert, describe, it } from "@effect/vitest"
import { native } from "@sluice/core/grpc/server/GrpcNativeWire"
import * as GrpcServer from "@sluice/core/grpc/server/GrpcServer"
import type { GrpcWireCall } from "@sluice/core/grpc/server/GrpcWire"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as Effect from "effect/Effect"
import { FakeExchange, type Options } from "../../../harness/FakeExchange.ts"
import * as World from "../../../harness/GrpcServerWorld.ts"
import { Greeter } from "../../../harness/protobuf/hello_pb.ts"

const limits = { maxReceiveBytes: 10 }

const opened = (options: Options) => {
  const exchange = new FakeExchange({ method: "POST", version: "2", ...options })
  return { exchange, call: native.open(exchange, undefined, limits) }
}

const headed = (headers: Readonly<Record<string, string>>) =>
  opened({ headers: { "content-type": "application/grpc", ...headers } }).call as GrpcWireCall

describe("native", () => {
  const types: ReadonlyArray<readonly [type: string, isNative: boolean]> = [
    ["application/grpc", true],
    ["application/grpc+proto", true],
    ["Application/GRPC", true],
    ["application/grpc;charset=utf-8", true],
    ["application/grpc+proto ; a=b", true],
    ["application/grpc+json", false],
    ["application/grpc-web", false],
    ["application/grpcx", false],
    ["text/plain", false]
  ]
  for (const [type, isNative] of types) {
    it(`${isNative ? "takes" : "leaves"} ${type}`, () => {
      const { call } = opened({ headers: { "content-type": type } })
      assert.strictEqual(typeof call, isNative ? "object" : "undefined")
    })
  }

  it("leaves what has no content type", () => {
    assert.isUndefined(opened({}).call)
  })

  it("reads the head when it is asked", () => {
    const call = headed({ "grpc-timeout": "2S", "grpc-encoding": "gzip", "grpc-accept-encoding": "gzip,identity" })
    assert.deepStrictEqual([call.timeoutMillis, call.encoding, call.acceptEncoding], [2_000, "gzip", "gzip,identity"])
    const bare = headed({})
    assert.deepStrictEqual([bare.timeoutMillis, bare.encoding, bare.acceptEncoding], [undefined, undefined, undefined])
    const wrong = headed({ "grpc-timeout": "soon" }).timeoutMillis
    assert.strictEqual(wrong instanceof GrpcError.GrpcError && wrong.reason._tag, "Internal")
  })

  const Nothing = GrpcServer.layer(Greeter, {})

  const refusals: ReadonlyArray<readonly [method: string, status: number]> = [
    ["GET", 405],
    ["PUT", 405],
    ["OPTIONS", 405]
  ]
  for (const [method, status] of refusals) {
    it.effect(`answers ${method} with ${status}`, () =>
      Effect.gen(function* () {
        const { session } = yield* World.make(Nothing)
        const headers = { "content-type": "application/grpc" }
        const response = yield* session.request({ method, path: "/a/b", headers })
        assert.deepStrictEqual([response.status, response.headers.allow], [status, "POST"])
      })
    )
  }
})
