/**
 * The HTTP program of the benchmark, written against Effect's `HttpRouter`
 * alone: the same routes run on Sluice's server and on Effect's own.
 *
 * Each request makes its own response, as programs do.
 */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Download from "./Download.ts"
import * as HttpAnnouncementLayer from "./HttpAnnouncementLayer.ts"

const hello = HttpRouter.add("GET", "/", () => Effect.succeed(HttpServerResponse.text("hello world")))

const Order = Schema.Struct({
  customer: Schema.String,
  items: Schema.Array(
    Schema.Struct({
      article: Schema.String,
      quantity: Schema.Number,
      priceCents: Schema.Number
    })
  ),
  note: Schema.String
})

const readOrder = HttpServerRequest.schemaBodyJson(Order)

const orders = HttpRouter.add(
  "POST",
  "/orders",
  Effect.gen(function* () {
    const { customer, items } = yield* readOrder
    const totalCents = items.reduce((sum, item) => sum + item.quantity * item.priceCents, 0)
    return yield* HttpServerResponse.json({ customer, totalCents })
  })
)

const upload = HttpRouter.add("POST", "/upload", (request) =>
  Effect.map(request.arrayBuffer, (body) => HttpServerResponse.text(`${body.byteLength} bytes`))
)

const download = HttpRouter.add("GET", "/download", () =>
  Effect.succeed(
    HttpServerResponse.stream(Stream.fromIterable(Download.chunks, { chunkSize: 1 }), {
      contentType: "application/octet-stream",
      contentLength: Download.byteCount
    })
  )
)

/** The routes, on any server. */
export const served = HttpRouter.serve(Layer.mergeAll(hello, orders, upload, download), {
  disableLogger: true,
  disableListenLog: true
})

/** Says where it listens when its routes are there. */
export const layer = Layer.provide(HttpAnnouncementLayer.layer, served)
