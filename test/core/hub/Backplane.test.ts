import { assert, describe, it } from "@effect/vitest"
import * as Backplane from "@sluice/core/hub/Backplane"
import * as Hub from "@sluice/core/hub/Hub"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { FakeWebSocket } from "../../harness/FakeWebSocket.ts"
import { hex, show } from "../../harness/Hex.ts"
import { turns } from "../../harness/TransportContract.ts"

/** A process: a hub, and one member in the lobby. */
const process = Effect.fnUntraced(function* (backplane: Backplane.Backplane, room = "lobby") {
  const hub = yield* Hub.make<string>({ backplane })
  const socket = new FakeWebSocket()
  const member = yield* hub.join(room, socket, { presence: "" })
  return { hub, socket, member }
})

describe("Backplane in memory", () => {
  it.effect("gives every packet to all who subscribed", () =>
    Effect.gen(function* () {
      const backplane = yield* Backplane.makeMemory()
      const first = yield* Effect.forkChild(Stream.runCollect(Stream.take(backplane.packets, 2)), {
        startImmediately: true
      })
      const second = yield* Effect.forkChild(Stream.runCollect(Stream.take(backplane.packets, 1)), {
        startImmediately: true
      })
      const packets = ["a", "b"].map((room) => ({ room, bytes: hex("01") }))
      for (const packet of packets) yield* backplane.publish(packet)
      assert.deepStrictEqual(yield* Fiber.join(first), packets)
      assert.deepStrictEqual(yield* Fiber.join(second), packets.slice(0, 1))
    })
  )

  it.effect("two hubs see each other's messages, and none its own twice", () =>
    Effect.gen(function* () {
      const backplane = yield* Backplane.makeMemory()
      const [east, west] = [yield* process(backplane), yield* process(backplane)]
      assert.deepInclude(yield* east.hub.broadcast("lobby", "east"), { sent: 1 })
      yield* west.hub.broadcast("lobby", hex("00ff"), { except: west.member })
      yield* turns
      const seen = [east, west].map(({ socket }) => socket.taken.map(({ opcode, payload }) => [opcode, show(payload)]))
      assert.deepStrictEqual(seen, [
        [
          [1, "'east'"],
          [2, "00 ff"]
        ],
        [[1, "'east'"]]
      ])
      assert.deepInclude(yield* east.hub.stats, {
        backplaneSent: 1,
        backplaneReceived: 1,
        backplaneLost: 0,
        deliveries: 2
      })
      assert.deepInclude(yield* west.hub.stats, {
        backplaneSent: 1,
        backplaneReceived: 1,
        backplaneLost: 0,
        deliveries: 1
      })
    })
  )

  it.effect("reaches a room that has members only elsewhere; presence stays where it is", () =>
    Effect.gen(function* () {
      const backplane = yield* Backplane.makeMemory()
      const [east, west] = [yield* process(backplane, "east"), yield* process(backplane, "west")]
      assert.deepInclude(yield* east.hub.broadcast("west", "hello"), { sent: 0 })
      yield* turns
      assert.deepStrictEqual(west.socket.texts, ["hello"])
      assert.deepStrictEqual(yield* east.hub.members("west"), [])
      assert.deepStrictEqual(yield* east.hub.rooms, ["east"])
      assert.strictEqual(yield* east.hub.send(west.member, "no"), "sent", "ids are the hub's own")
      assert.deepStrictEqual([east.socket.texts, west.socket.texts], [["no"], ["hello"]])
    })
  )

  it.effect("a name that no room can have goes nowhere, and nothing goes out of a closed hub", () =>
    Effect.gen(function* () {
      const backplane = yield* Backplane.makeMemory()
      const names: Array<string> = []
      yield* Effect.forkScoped(
        Stream.runForEach(backplane.packets, ({ room }) => Effect.sync(() => names.push(room))),
        { startImmediately: true }
      )
      const scope = yield* Scope.make()
      const { hub } = yield* Scope.provide(process(backplane), scope)
      yield* hub.broadcast("x".repeat(256), "hello")
      yield* hub.broadcast("x".repeat(257), "hello")
      yield* turns
      yield* Scope.close(scope, Exit.void)
      yield* hub.broadcast("lobby", "hello")
      yield* turns
      assert.deepStrictEqual(names, ["x".repeat(256)])
    })
  )

  it.effect("keeps the order of one hub", () =>
    Effect.gen(function* () {
      const backplane = yield* Backplane.makeMemory({ maxWaiting: 2 })
      const [east, west] = [yield* process(backplane), yield* process(backplane)]
      const texts = Array.from({ length: 100 }, (_, index) => `${index}`)
      for (const text of texts) yield* east.hub.broadcast("lobby", text)
      yield* turns
      assert.deepStrictEqual(west.socket.texts, texts)
    })
  )
})
