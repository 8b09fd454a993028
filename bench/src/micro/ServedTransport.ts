/**
 * A connection to a Sluice server that has no network: what one costs from the
 * bytes of a request to the bytes of its answer.
 */
import * as WebServer from "@sluice/core/server/WebServer"
import { type Acceptor, Listener } from "@sluice/core/transport/Listener"
import * as Effect from "effect/Effect"
import type * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import { SilentTransport } from "./SilentTransport.ts"

/** To a server of its own with `app`, once that serves. */
export const make = async (app: Layer.Layer<never, never, HttpServer.HttpServer>): Promise<SilentTransport> => {
  const { promise, resolve } = Promise.withResolvers<Acceptor>()
  const listener = Layer.succeed(Listener)({
    address: NetAddress.inetAddressFromIpStringUnsafe("127.0.0.1", 1),
    accept: (acceptor) => Effect.sync(() => resolve(acceptor)),
    close: Effect.void
  })
  Effect.runFork(app.pipe(Layer.provide(WebServer.layer()), Layer.provide(listener), Layer.launch))
  const transport = new SilentTransport()
  ;(await promise).onTransport(transport)
  return transport
}
