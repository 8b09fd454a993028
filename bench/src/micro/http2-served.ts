/**
 * What one request of HTTP/2 costs from its bytes to the bytes of its response,
 * through all of the server but the network: with `HttpRouter`, and with a
 * single handler.
 */
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpProgram from "../servers/http-program.ts"
import type { Case, Cases } from "./Case.ts"
import * as Http2Requests from "./http2-requests.ts"
import * as ServedTransport from "./ServedTransport.ts"
import type { SilentTransport } from "./SilentTransport.ts"

const inBurst = 32

/** A run: the bytes come, and all answers have been written when `onBytes` returns. */
const answering = (transport: SilentTransport, requests: number): Case => {
  const next = Http2Requests.chunks(requests)
  transport.receiver?.onBytes(Http2Requests.opening)
  transport.receiver?.onBytes(next())
  const { heads, ends } = Http2Requests.countReplies(transport.written ?? new Uint8Array(0))
  if (heads !== requests || ends !== requests) throw new Error(`${requests} requests had ${heads} heads, ${ends} ends`)
  return {
    operationsPerRun: requests,
    run: () => {
      transport.receiver?.onBytes(next())
      return transport.sentBytes
    }
  }
}

const handler = HttpServer.serve(Effect.sync(() => HttpServerResponse.text("hello world")))

export const cases: Cases = {
  HttpRouter: answering(await ServedTransport.make(HttpProgram.served), 1),
  "HttpRouter, 32 at once": answering(await ServedTransport.make(HttpProgram.served), inBurst),
  "a handler": answering(await ServedTransport.make(handler), 1),
  "a handler, 32 at once": answering(await ServedTransport.make(handler), inBurst)
}
