import { createHash } from "node:crypto"
import { HttpTrailers } from "@sluice/core"
import { NodeMain, NodeWebServer } from "@sluice/node"
import { Effect, Layer, Stream } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"

// The checksum of what was sent, compared with the one behind it; told behind what is sent back.
const Echo = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  const body = new Uint8Array(yield* request.arrayBuffer)
  const { "x-checksum": expected } = yield* HttpTrailers.received
  const checksum = createHash("sha256").update(body).digest("hex")
  if (expected !== undefined && expected !== checksum) return HttpServerResponse.text("damaged", { status: 422 })
  yield* HttpTrailers.send({ "x-checksum": checksum })
  return HttpServerResponse.stream(Stream.make(body))
})

export const Routes = HttpRouter.add("POST", "/echo", Echo)

// A client may have fewer requests at a time, and less that waits unread, than by default.
export const http2 = { maxConcurrentStreams: 32, streamWindow: "64 KiB", connectionWindow: "256 KiB" } as const

const Main = HttpRouter.serve(Routes).pipe(Layer.provide(NodeWebServer.layer({ host: "127.0.0.1", port: 3000, http2 })))

if (import.meta.main) NodeMain.run(Main)
