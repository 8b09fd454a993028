import { Draining } from "@sluice/core"
import { NodeMain, NodeWebServer } from "@sluice/node"
import { Context, Effect, Layer, PubSub, Ref, Schedule, Stream } from "effect"
import { Sse } from "effect/encoding"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"

/** Counts seconds; the last 100 are kept for who comes back. */
export class Ticks extends Context.Service<
  Ticks,
  { readonly after: (id: number) => Stream.Stream<number>; readonly readers: Effect.Effect<number> }
>()("Ticks") {
  static readonly layer = Layer.effect(Ticks)(
    Effect.gen(function* () {
      const ticks = yield* PubSub.sliding<number>({ capacity: 100, replay: 100 })
      const readers = yield* Ref.make(0)
      yield* Stream.fromSchedule(Schedule.spaced("1 second")).pipe(
        Stream.runForEach((count) => PubSub.publish(ticks, count + 1)),
        Effect.forkScoped
      )
      const live = Stream.fromPubSub(ticks).pipe(
        Stream.onStart(Ref.update(readers, (count) => count + 1)),
        Stream.ensuring(Ref.update(readers, (count) => count - 1))
      )
      return { after: (id) => Stream.filter(live, (tick) => tick > id), readers: Ref.get(readers) }
    })
  )
}

const keepAlive = Stream.as(Stream.fromSchedule(Schedule.spaced("15 seconds")), ": still here\n\n")

const events = Effect.gen(function* () {
  const { headers } = yield* HttpServerRequest.HttpServerRequest
  const ticks = yield* Ticks
  const { begun } = yield* Draining.Draining
  const lastId = Number(headers["last-event-id"] ?? 0) || 0
  const sent = ticks.after(lastId).pipe(
    Stream.map((tick): Sse.Event => ({ _tag: "Event", event: "tick", id: `${tick}`, data: `${tick} seconds` })),
    Stream.pipeThroughChannel(Sse.encode()),
    Stream.merge(keepAlive, { haltStrategy: "left" }),
    Stream.interruptWhen(begun),
    Stream.encodeText
  )
  return HttpServerResponse.stream(sent, { contentType: "text/event-stream", headers: { "cache-control": "no-store" } })
})

export const Routes = HttpRouter.add("GET", "/events", events)

const Main = HttpRouter.serve(Routes).pipe(
  Layer.provide(Ticks.layer),
  Layer.provide(NodeWebServer.layer({ host: "127.0.0.1", port: 3000 }))
)

if (import.meta.main) NodeMain.run(Main)
