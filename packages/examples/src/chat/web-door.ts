/**
 * The door for browsers: a page, the WebSocket that it talks by, and what was
 * said, as JSON. Routes of Effect's `HttpRouter` on Sluice's `HttpServer`.
 */
import { fileURLToPath } from "node:url"
import * as WebSocketServer from "@sluice/core/server/WebSocketServer"
import * as NodeWebServer from "@sluice/node/NodeWebServer"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServer from "effect/http/HttpServer"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpStaticServer from "effect/http/HttpStaticServer"
import * as Layer from "effect/Layer"
import * as Rooms from "./rooms.ts"
import * as WebConversation from "./web-conversation.ts"

/** The files of the page, below the package: they are the same for its sources and its build. */
const root = fileURLToPath(new URL("../../src/chat/page", import.meta.url))

/** The longest text, each of its characters escaped, and what is around it. */
const maxMessageSize = "8 KiB"

/** A browser asks each time, and is told mostly that nothing has changed. */
const page = HttpStaticServer.layer({ root, cacheControl: "no-cache" }).pipe(
  Layer.orDie,
  Layer.provide(NodeWebServer.layerServices)
)

/** Only for the page's own host, as is the default: a browser lets any page open a WebSocket to any server. */
const webSocket = HttpRouter.add("GET", "/ws", WebSocketServer.handle(WebConversation.converse, { maxMessageSize }))

const api = HttpRouter.addAll([
  HttpRouter.route(
    "GET",
    "/api/rooms",
    Effect.flatMap(Rooms.Rooms, (rooms) => Effect.map(rooms.list, (list) => HttpServerResponse.jsonUnsafe(list)))
  ),
  HttpRouter.route(
    "GET",
    "/api/rooms/:room/history",
    Effect.gen(function* () {
      const { room = "" } = yield* HttpRouter.params
      const rooms = yield* Rooms.Rooms
      return HttpServerResponse.jsonUnsafe(yield* rooms.history(room))
    })
  )
])

/** The page has no script, style or image but its own files, and is in no frame of others. */
const security = HttpRouter.middleware(
  Effect.map(
    HttpServerResponse.setHeaders({
      "content-security-policy":
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff"
    })
  ),
  { global: true }
)

export const layer: Layer.Layer<never, never, Rooms.Rooms | HttpServer.HttpServer> = HttpRouter.serve(
  Layer.mergeAll(page, webSocket, api, security),
  { disableLogger: true, disableListenLog: true }
)
