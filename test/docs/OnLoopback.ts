/** The documents' programs on real sockets. */
import { type Listener, TcpServer } from "@sluice/core"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** Where the service listens, to the end of the scope. */
export const onListener = <R, E>(service: Layer.Layer<never, never, R>, listener: Layer.Layer<Listener.Listener, E>) =>
  service.pipe(
    Layer.provideMerge(TcpServer.layer()),
    Layer.provide(listener),
    Layer.build,
    Effect.map((context) => Context.get(context, TcpServer.TcpServer).address)
  )
