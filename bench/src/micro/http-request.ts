/**
 * What one request costs from its bytes to the bytes of its response, through
 * all of the server but the network: with `HttpRouter`, with a single handler,
 * and with the session alone, which has no fiber.
 */

import * as Http1Options from "@sluice/core/protocol/http1/Http1Options"
import * as Http1Session from "@sluice/core/session/Http1Session"
import type * as Timers from "@sluice/core/session/Timers"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpProgram from "../servers/http-program.ts"
import type { Case, Cases } from "./Case.ts"
import * as ServedTransport from "./ServedTransport.ts"
import { SilentTransport } from "./SilentTransport.ts"

const hello = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
const pipelined = 16
const order = JSON.stringify({
  customer: "Ada Lovelace",
  items: [
    { article: "punched cards", quantity: 12, priceCents: 250 },
    { article: "brass gear", quantity: 3, priceCents: 1999 }
  ],
  note: "Please leave the parcel at the door"
})
const orders = `POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${order.length}\r\n\r\n${order}`

/** A run: the bytes come, and all answers have been written when `onBytes` returns. */
const answering = (transport: SilentTransport, request: string, requests: number): Case => {
  const wire = Buffer.from(request.repeat(requests))
  transport.receiver?.onBytes(wire)
  const answers = Buffer.from(transport.written ?? []).toString("latin1")
  if (answers.split("HTTP/1.1 200 OK\r\n").length !== 1 + requests) {
    throw new Error(`${requests} requests were answered with ${JSON.stringify(answers)}`)
  }
  return {
    operationsPerRun: requests,
    run: () => {
      transport.receiver?.onBytes(wire)
      return transport.sentBytes
    }
  }
}

const handler = HttpServer.serve(Effect.sync(() => HttpServerResponse.text("hello world")))

/** Time stands still here, and no deadline is ever reached. */
const noTimers: Timers.Timers = { now: () => 0, set() {}, clear() {}, soon() {}, size: () => 0 }
const headers = { "content-type": "text/plain" }

const sessionAlone = (): SilentTransport => {
  const transport = new SilentTransport()
  const environment: Http1Session.Environment = {
    timers: noTimers,
    limits: Http1Options.resolve({ epochOffsetMillis: 1_700_000_000_000 }),
    halfClose: "abort",
    serve: (exchange) => {
      exchange.respond({ status: 200, headers }, "hello world")
      return undefined
    },
    onRequest: undefined,
    onEnd: undefined
  }
  Http1Session.startUnsafe(environment, transport, () => {})
  return transport
}

export const cases: Cases = {
  HttpRouter: answering(await ServedTransport.make(HttpProgram.served), hello, 1),
  "HttpRouter, pipelined": answering(await ServedTransport.make(HttpProgram.served), hello, pipelined),
  "HttpRouter, JSON": answering(await ServedTransport.make(HttpProgram.served), orders, 1),
  "a handler": answering(await ServedTransport.make(handler), hello, 1),
  "the session alone": answering(sessionAlone(), hello, 1)
}
