/** WebSockets over real sockets: Node's own client, and Sluice's, with TLS and without. */
import { assert, describe, it } from "@effect/vitest"
import * as WebSocketClient from "@sluice/core/client/WebSocketClient"
import * as WebSocketServer from "@sluice/core/server/WebSocketServer"
import type { WebSocket as Sluice } from "@sluice/core/session/WebSocket"
import * as NodeDeflate from "@sluice/node/NodeDeflate"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { identity, trusting } from "../../harness/Certificates.ts"
import { leaveNoHandles } from "../../harness/NodeHandles.ts"
import * as Served from "./Served.ts"

leaveNoHandles()

const echo = (socket: Sluice) => socket.runForEach(socket.send)

const routes = Layer.mergeAll(
  HttpRouter.add("GET", "/", HttpServerResponse.text("hello")),
  HttpRouter.add("GET", "/ws", WebSocketServer.handle(echo, { compression: "permessage-deflate", protocols: ["b"] })),
  HttpRouter.add(
    "GET",
    "/bye",
    WebSocketServer.handle((socket) => socket.close(4001, "enough"))
  )
)

interface Heard {
  readonly socket: WebSocket
  readonly messages: Array<unknown>
  readonly close: () => { readonly code: number; readonly reason: string; readonly wasClean: boolean } | undefined
  /** Waits until it holds. */
  readonly until: (holds: () => boolean) => Effect.Effect<void>
}

/** Node's own client. */
const nodeClient = (url: string, protocols: ReadonlyArray<string> = []): Effect.Effect<Heard> =>
  Effect.callback((resume) => {
    const socket = new WebSocket(url, [...protocols])
    socket.binaryType = "arraybuffer"
    const messages: Array<unknown> = []
    let closed: CloseEvent | undefined
    const checks = new Set<() => void>()
    const check = () => {
      for (const one of [...checks]) one()
    }
    const heard: Heard = {
      socket,
      messages,
      close: () => closed,
      until: (holds) =>
        Effect.callback((resume) => {
          const one = () => {
            if (!holds()) return
            checks.delete(one)
            resume(Effect.void)
          }
          checks.add(one)
          one()
        })
    }
    socket.addEventListener("message", ({ data }) => {
      messages.push(data)
      check()
    })
    socket.addEventListener("close", (event) => {
      closed = event
      check()
      resume(Effect.succeed(heard))
    })
    socket.addEventListener("open", () => resume(Effect.succeed(heard)))
  })

const own = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.provide(self, Layer.merge(NodeTransport.layerDialer(), NodeDeflate.layer()))

describe("Node's client", () => {
  it.live("talks text and binary, large and small, and closes; HTTP is served beside it", () =>
    Effect.gen(function* () {
      const served = yield* Served.routes(routes)
      const { close, messages, socket, until } = yield* nodeClient(`ws://127.0.0.1:${served.port}/ws`, ["a", "b"])
      assert.strictEqual(socket.protocol, "b")
      assert.match(socket.extensions, /^permessage-deflate/)
      const large = "hällo ".repeat(50_000)
      socket.send("small")
      socket.send(Uint8Array.of(1, 2, 3))
      socket.send(large)
      yield* until(() => messages.length === 3)
      assert.strictEqual(messages[0], "small")
      assert.deepStrictEqual(messages[1], Uint8Array.of(1, 2, 3).buffer)
      assert.isTrue(messages[2] === large)
      assert.strictEqual((yield* served.ask("/")).text, "hello")
      socket.close(4000, "done")
      yield* until(() => close() !== undefined)
      assert.deepInclude(close(), { code: 4000, wasClean: true })
    }).pipe(Effect.scoped)
  )

  it.live("hears why the server closes, and that it drains", () =>
    Effect.gen(function* () {
      const served = yield* Served.routes(routes)
      const dismissed = yield* nodeClient(`ws://127.0.0.1:${served.port}/bye`)
      yield* dismissed.until(() => dismissed.close() !== undefined)
      const { code, reason, wasClean } = dismissed.close()!
      assert.deepStrictEqual([code, reason, wasClean], [4001, "enough", true])
      const idle = yield* nodeClient(`ws://127.0.0.1:${served.port}/ws`)
      yield* served.close
      yield* idle.until(() => idle.close() !== undefined)
      assert.deepInclude(idle.close(), { code: 1001, wasClean: true })
    }).pipe(Effect.scoped)
  )

  it.live("is refused where there is no WebSocket", () =>
    Effect.gen(function* () {
      const served = yield* Served.routes(routes)
      const { close } = yield* nodeClient(`ws://127.0.0.1:${served.port}/`)
      assert.strictEqual(close()?.code, 1006)
      assert.strictEqual((yield* served.ask("/ws")).status, 426)
    }).pipe(Effect.scoped)
  )
})

describe("Sluice's client", () => {
  it.live("talks to the server, compressed, with many messages at a time", () =>
    Effect.gen(function* () {
      const served = yield* Served.routes(routes)
      const socket = yield* WebSocketClient.connect(`ws://127.0.0.1:${served.port}/ws`, {
        compression: "permessage-deflate"
      })
      assert.strictEqual(socket.compression, "permessage-deflate")
      const messages = Array.from({ length: 500 }, (_, index) => `${index} `.repeat(index * 10))
      yield* Effect.forkChild(Effect.forEach(messages, (message) => socket.send(message), { discard: true }))
      for (const message of messages) assert.isTrue((yield* socket.receive) === message)
      yield* socket.ping()
      yield* socket.close()
      assert.deepInclude(yield* socket.closed, { code: 1000, clean: true })
    }).pipe(Effect.scoped, own)
  )

  it.live("speaks wss, and verifies the server", () =>
    Effect.gen(function* () {
      const served = yield* Served.routes(routes, { tls: { certificates: identity("a") } })
      const url = `wss://127.0.0.1:${served.port}/ws`
      const socket = yield* WebSocketClient.connect(url, { tls: trusting("a.test") })
      assert.isDefined(socket.tls)
      yield* socket.send("hello")
      assert.strictEqual(yield* socket.receive, "hello")
      const error = yield* Effect.flip(WebSocketClient.connect(url))
      assert.strictEqual(error.reason._tag, "TlsHandshakeFailed")
    }).pipe(Effect.scoped, own)
  )

  it.live("suspends while the server's handler is slow, and loses nothing", () =>
    Effect.gen(function* () {
      const served = yield* Served.routes(
        HttpRouter.add(
          "GET",
          "/slow",
          WebSocketServer.handle((socket) =>
            Effect.gen(function* () {
              yield* Effect.sleep(50)
              let bytes = 0
              while (bytes < 20_000_000) bytes += (yield* socket.receive).length
              yield* socket.send(`${bytes}`)
              yield* socket.receive
            })
          )
        )
      )
      const socket = yield* WebSocketClient.connect(`ws://127.0.0.1:${served.port}/slow`)
      let most = 0
      for (let count = 0; count < 200; count++) {
        yield* socket.send(new Uint8Array(100_000))
        most = Math.max(most, socket.bufferedBytes)
      }
      assert.isBelow(most, 65_536 + 100_100)
      assert.strictEqual(yield* socket.receive, "20000000")
    }).pipe(Effect.scoped, own)
  )
})
