/** Readers on a test clock: who is slow but steady gets all of it, and who stops is given up at the exact time. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as WebWorld from "../harness/WebWorld.ts"

const bodyBytes = 1024 * 1024

const body = new Uint8Array(bodyBytes).fill(0x78)

const responses = {
  whole: HttpServerResponse.uint8Array(body),
  streamed: HttpServerResponse.stream(
    Stream.fromIterable(Array.from({ length: 64 }, (_, index) => body.subarray(index * 16_384, (index + 1) * 16_384)))
  )
}

const settle = Effect.forEach(Array(50), () => Effect.yieldNow, { discard: true })

/** A client that reads when it is told, 64 KiB each time. */
const connect = (world: WebWorld.World, wire: string) =>
  Effect.gen(function* () {
    const { transport } = yield* world.peer({ read: false })
    let receivedBytes = 0
    let wantedBytes = 0
    transport.attach({
      onBytes: (chunk) => {
        receivedBytes += chunk.length
        if (receivedBytes >= wantedBytes) transport.pause()
      },
      onDrain: () => {},
      onEnd: () => {},
      onClose: () => {}
    })
    transport.write(Buffer.from(wire))
    yield* settle
    const take = Effect.andThen(
      Effect.sync(() => {
        wantedBytes += 65_536
        transport.resume()
      }),
      settle
    )
    return { take, receivedBytes: () => receivedBytes }
  })

const limits = { sendTimeout: "30 seconds", closeTimeout: "5 seconds" } as const

for (const [how, response] of Object.entries(responses)) {
  for (const last of ["more", "last"] as const) {
    describe(`a ${how} response${last === "last" ? ", and Connection: close" : ""}`, () => {
      it.effect("is read in small steps for minutes, and comes whole", () =>
        Effect.gen(function* () {
          const world = yield* WebWorld.serving(Effect.succeed(response), limits)
          const client = yield* connect(world, WebWorld.get("/", last))
          for (let step = 0; step < 100 && client.receivedBytes() < bodyBytes; step++) {
            yield* TestClock.adjust("2 seconds")
            yield* client.take
          }
          assert.isAtLeast(client.receivedBytes(), bodyBytes)
          assert.deepInclude((yield* world.server.stats).requests, { completed: 1, aborted: 0, cut: 0 })
        })
      )

      it.effect("is given up when nothing of it is read for sendTimeout", () =>
        Effect.gen(function* () {
          const world = yield* WebWorld.serving(Effect.succeed(response), limits)
          yield* connect(world, WebWorld.get("/", last))
          yield* TestClock.adjust("29999 millis")
          assert.strictEqual((yield* world.server.stats).open, 1)
          yield* TestClock.adjust("1 millis")
          yield* settle
          assert.strictEqual((yield* world.server.stats).open, 0)
        })
      )
    })
  }
}
