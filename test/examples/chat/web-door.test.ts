/** The door on loopback, as browsers find it: `fetch` and `WebSocket` are Node's. */
import * as Net from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as WebServer from "@sluice/core/server/WebServer"
import * as Rooms from "@sluice/examples/chat/rooms"
import * as WebDoor from "@sluice/examples/chat/web-door"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Started from "../support/Started.ts"
import * as Page from "./Page.ts"

const start = Effect.gen(function* () {
  const rooms = yield* Rooms.make()
  const door = WebDoor.layer.pipe(Layer.provide(WebServer.layer()), Layer.provide(Layer.succeed(Rooms.Rooms, rooms)))
  const { address, close } = yield* Started.onNode(door)
  const where = NetAddress.formatSocketAddress(address)
  const ask = (path: string, init?: RequestInit) =>
    Effect.promise(async (signal) => {
      const response = await fetch(`http://${where}${path}`, { signal, ...init })
      return { status: response.status, headers: response.headers, text: await response.text() }
    })
  return { rooms, where, close, ask }
})

describe("the web door", () => {
  const files: ReadonlyArray<readonly [path: string, type: string]> = [
    ["/", "text/html; charset=utf-8"],
    ["/page.css", "text/css; charset=utf-8"],
    ["/page.js", "text/javascript; charset=utf-8"],
    ["/connection.js", "text/javascript; charset=utf-8"],
    ["/log.js", "text/javascript; charset=utf-8"],
    ["/icon.svg", "image/svg+xml; charset=utf-8"]
  ]
  it.live("the page's files have their types, and are asked for again only when they have changed", () =>
    Effect.gen(function* () {
      const { ask } = yield* start
      for (const [path, type] of files) {
        const first = yield* ask(path)
        assert.deepStrictEqual([first.status, first.headers.get("content-type")], [200, type], path)
        assert.strictEqual(first.headers.get("cache-control"), "no-cache")
        const again = yield* ask(path, { headers: { "if-none-match": first.headers.get("etag")! } })
        assert.deepStrictEqual([again.status, again.text], [304, ""], path)
      }
    })
  )

  it.live("nothing but the page's own files runs in it, also not in an answer to a mistake", () =>
    Effect.gen(function* () {
      const { ask } = yield* start
      for (const path of ["/", "/api/rooms", "/nothing"]) {
        const { headers } = yield* ask(path)
        assert.match(headers.get("content-security-policy")!, /^default-src 'self';/)
        assert.notMatch(headers.get("content-security-policy")!, /unsafe|data:|\*/)
        assert.strictEqual(headers.get("x-content-type-options"), "nosniff")
      }
      const page = (yield* ask("/")).text
      assert.notMatch(page, /<style|style=|<script(?![^>]* src=)|\son\w+=/)
    })
  )

  it.live("what is not there is 404, and files beside the page are not there", () =>
    Effect.gen(function* () {
      const { ask, where } = yield* start
      assert.strictEqual((yield* ask("/nothing")).status, 404)
      // `fetch` would resolve the dots itself.
      const answer = yield* Effect.callback<string>((resume) => {
        const socket = Net.connect(Number(where.split(":")[1]), "127.0.0.1", () => {
          socket.write("GET /..%2frooms.ts HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        })
        let text = ""
        socket.on("data", (chunk) => {
          text += chunk
        })
        socket.on("close", () => resume(Effect.succeed(text)))
      })
      assert.match(answer, /^HTTP\/1\.1 404 /)
    })
  )

  it.live("rooms and their history as JSON", () =>
    Effect.gen(function* () {
      const { ask, rooms } = yield* start
      yield* rooms.publish({ from: "cron", text: "tick", door: "rest" })
      assert.deepStrictEqual(JSON.parse((yield* ask("/api/rooms")).text), [{ name: "lobby", people: 0 }])
      const [said] = JSON.parse((yield* ask("/api/rooms/LOBBY/history")).text)
      assert.deepInclude(said, { from: "cron", text: "tick", door: "rest" })
      assert.strictEqual((yield* ask("/api/rooms/nowhere/history")).text, "[]")
    })
  )

  it.live("a page talks by its WebSocket, with what enters by another door", () =>
    Effect.gen(function* () {
      const { rooms, where } = yield* start
      const page = yield* Page.open(where)
      yield* page.say({ _tag: "Hello", name: "ann", room: "lobby", key: Page.key })
      yield* page.hear("Entered")
      yield* rooms.publish({ from: "cron", text: "tick", door: "rest" })
      assert.deepInclude(yield* page.hear("Said"), { from: "cron", text: "tick", door: "rest" })
      const bob = yield* rooms.join({ door: "tcp", name: "bob" })
      yield* page.say({ _tag: "Say", text: "<b>hello</b>" })
      assert.deepInclude(yield* page.hear("Said"), { from: "ann", text: "<b>hello</b>", door: "web" })
      yield* bob.say("hello ann")
      assert.deepInclude(yield* page.hear("Said"), { from: "bob", text: "hello ann", door: "tcp" })
    })
  )

  it.live("a message that is too large costs its page's connection, and no other", () =>
    Effect.gen(function* () {
      const { where } = yield* start
      const other = yield* Page.enter(where, "bob")
      const page = yield* Page.enter(where, "ann")
      yield* page.say({ _tag: "Say", text: "\u0001".repeat(Rooms.maxTextChars) })
      assert.deepInclude(yield* page.hear("Refused"), { request: "Say" })
      yield* page.say({ _tag: "Say", text: "x".repeat(10_000) })
      assert.strictEqual((yield* page.closed).code, 1009)
      yield* other.say({ _tag: "Say", text: "still here" })
      yield* other.hear("Said")
    })
  )

  it.live("another page's WebSocket is refused, and so is a request that is none", () =>
    Effect.gen(function* () {
      const { ask, where } = yield* start
      assert.strictEqual((yield* ask("/ws")).status, 426)
      const page = yield* Page.open(where, { origin: "https://elsewhere.test" })
      assert.strictEqual((yield* page.closed).code, 1006)
      yield* Page.enter(where, "ann", { origin: `http://${where}` })
    })
  )

  it.live("a server that drains tells each page to come back, and waits for none", () =>
    Effect.gen(function* () {
      const { where, close } = yield* start
      const pages = yield* Effect.forEach(["ann", "bob", "cy"], (name) => Page.enter(where, name))
      yield* close
      for (const page of pages) assert.strictEqual((yield* page.closed).code, 1001)
    })
  )
})
