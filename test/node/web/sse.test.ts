/** Server-sent events: a response that ends with its client. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Sse from "effect/encoding/Sse"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { leaveNoHandles } from "../../harness/NodeHandles.ts"
import * as HttpWire from "./HttpWire.ts"
import * as Served from "./Served.ts"

leaveNoHandles()

const serve = Effect.gen(function* () {
  const queue = yield* Queue.unbounded<string>()
  const ended = yield* Deferred.make<void>()
  const events = Stream.fromQueue(queue).pipe(
    Stream.map((data): Sse.Event => ({ _tag: "Event", event: "note", id: undefined, data })),
    Stream.pipeThroughChannel(Sse.encode()),
    Stream.encodeText,
    Stream.ensuring(Deferred.succeed(ended, undefined))
  )
  const served = yield* Served.routes(
    HttpRouter.add("GET", "/events", HttpServerResponse.stream(events, { contentType: "text/event-stream" }))
  )
  return { ...served, ended, say: (data: string) => Queue.offer(queue, data) }
})

describe("server-sent events", () => {
  it.live("each is sent at once, and the stream ends with its client", () =>
    Effect.gen(function* () {
      const { ended, say, url } = yield* serve
      yield* say("first")
      const seen = yield* HttpClient.get(`${url}/events`).pipe(
        Effect.map((response) =>
          response.stream.pipe(
            Stream.decodeText,
            Stream.pipeThroughChannel(Sse.decode()),
            // The second is said when the first has come: nothing waits for company.
            Stream.tap((event) => (event.data === "first" ? say("second\nline") : Effect.void)),
            Stream.take(2)
          )
        ),
        Stream.unwrap,
        Stream.runCollect
      )
      assert.deepStrictEqual(
        [...seen].map((event) => [event.event, event.data]),
        [
          ["note", "first"],
          ["note", "second\nline"]
        ]
      )
      yield* Deferred.await(ended)
    }).pipe(Effect.provide(Served.fetchClient))
  )

  it.live("a client that vanishes ends it as well", () =>
    Effect.gen(function* () {
      const { ended, say, wire } = yield* serve
      const client = yield* wire
      client.send(HttpWire.get("/events"))
      yield* say("first")
      client.socket.once("data", () => client.socket.resetAndDestroy())
      yield* Deferred.await(ended)
    })
  )
})
