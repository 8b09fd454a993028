import { assert, describe, it } from "@effect/vitest"
import { GrpcCompression } from "@sluice/core/grpc/GrpcCompression"
import * as GrpcEncoding from "@sluice/core/protocol/grpc/GrpcEncoding"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const rot: GrpcEncoding.Compressor = {
  name: "rot",
  compress: (message) => message,
  decompress: (bytes) => ({ _tag: "Decompressed", bytes })
}

describe("GrpcCompression", () => {
  it.effect("is none where nothing is provided", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* GrpcCompression, GrpcEncoding.none)
    })
  )
  it.effect("is what a layer provides", () =>
    Effect.gen(function* () {
      const encodings = yield* GrpcCompression
      assert.strictEqual(encodings.find("rot"), rot)
      assert.strictEqual(encodings.acceptText, "identity,rot")
    }).pipe(Effect.provide(Layer.succeed(GrpcCompression)(new GrpcEncoding.GrpcEncodings([rot]))))
  )
})
