/**
 * The program of the rows of HTTP/2, written against Effect's `HttpRouter`
 * alone: the same routes run on Sluice's server and on Effect's own.
 *
 * Each request makes its own response, as programs do.
 */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as HttpAnnouncementLayer from "./HttpAnnouncementLayer.ts"
import * as Http2Download from "./http2-download.ts"

const hello = HttpRouter.add("GET", "/", () => Effect.succeed(HttpServerResponse.text("hello world")))

const upload = HttpRouter.add("POST", "/upload", (request) =>
  Effect.map(request.arrayBuffer, (body) => HttpServerResponse.text(`${body.byteLength} bytes`))
)

const download = ({ chunks, byteCount }: Http2Download.Http2Download) =>
  Effect.succeed(
    HttpServerResponse.stream(Stream.fromIterable(chunks, { chunkSize: 1 }), {
      contentType: "application/octet-stream",
      contentLength: byteCount
    })
  )

const routes = Layer.mergeAll(
  hello,
  upload,
  HttpRouter.add("GET", "/whole", () => download(Http2Download.whole)),
  HttpRouter.add("GET", "/part", () => download(Http2Download.part)),
  HttpRouter.add("GET", "/wait", () => Effect.never)
)

/** The routes, on any server. */
export const served = HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true })

/** Says where it listens when its routes are there. */
export const layer = Layer.provide(HttpAnnouncementLayer.layer, served)
