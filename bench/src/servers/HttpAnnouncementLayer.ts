/**
 * `Announcement` for programs on Effect's `HttpServer`: says where that
 * listens. Provide it with what is served, so that the routes are there first.
 */
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Announcement from "./Announcement.ts"

export const layer: Layer.Layer<never, never, HttpServer.HttpServer> = Layer.effectDiscard(
  Effect.map(HttpServer.HttpServer, ({ address }) => Announcement.listeningOn(address))
)
