/**
 * The engine against two other implementations, over real sockets: `ws` as
 * client and server, and the WebSocket client that is built into Node.
 *
 * Both are asked what the tables of `websocket-rules.test.ts` ask, in their own
 * words: messages of every size and kind come back, also compressed, and each
 * side understands the other's close.
 */
import { once } from "node:events"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import type { Duplex } from "node:stream"
import type { Engine } from "@sluice/core/protocol/Engine"
import * as WebSocketAcceptKey from "@sluice/core/protocol/websocket/WebSocketAcceptKey"
import * as WebSocketConnection from "@sluice/core/protocol/websocket/WebSocketConnection"
import { WebSocketDeflate } from "@sluice/core/protocol/websocket/WebSocketDeflate"
import type * as DeflateParameters from "@sluice/core/protocol/websocket/WebSocketDeflateParameters"
import type { Role } from "@sluice/core/protocol/websocket/WebSocketFrame"
import * as WebSocketHandshake from "@sluice/core/protocol/websocket/WebSocketHandshake"
import * as WebSocketOptions from "@sluice/core/protocol/websocket/WebSocketOptions"
import * as NodeDeflate from "@sluice/node/NodeDeflate"
import { assert, describe, it } from "vitest"
import { type RawData, WebSocketServer, WebSocket as WsClient } from "ws"

const limits = WebSocketOptions.resolve({ maxMessageSize: "2 MiB", compressFrom: 100 })
const codec = NodeDeflate.make()

/** Drives an engine with a socket of Node's. */
const drive = (socket: Duplex, engine: Engine): void => {
  const flush = (): void => {
    for (const chunk of engine.output.take()) socket.write(chunk)
    if (engine.output.closing === "end") socket.end()
    if (engine.output.closing === "abort") socket.destroy()
  }
  socket.on("data", (chunk: Uint8Array) => {
    engine.receive(chunk, 0)
    flush()
  })
  socket.on("end", () => {
    engine.receiveEnd(0)
    flush()
  })
  socket.on("close", () => engine.receiveClose(0))
  socket.on("error", () => socket.destroy())
  flush()
}

const engineOf = (
  role: Role,
  opened: WebSocketHandshake.Opened,
  handler: Pick<WebSocketConnection.Handler, "onMessage" | "onClose">
): WebSocketConnection.WebSocketConnection => {
  const parameters = opened.deflate
  return WebSocketConnection.make(
    { onPing() {}, onPong() {}, onViolation() {}, ...handler },
    {
      limits,
      nowMillis: 0,
      deflate:
        parameters &&
        new WebSocketDeflate({
          role,
          parameters,
          codec,
          compressFromBytes: limits.compressFromBytes,
          maxMessageBytes: limits.maxMessageBytes
        }),
      ...(role === "server" ? { role } : { role, nextMask: () => Math.floor(Math.random() * 2 ** 32) })
    }
  )
}

const header = (value: string | ReadonlyArray<string> | undefined): string | undefined =>
  typeof value === "string" || value === undefined ? value : value.join(", ")

/** A server that echoes, until its body is done. */
const withEcho = async (
  options: WebSocketHandshake.ServerOptions,
  body: (url: string, closes: ReadonlyArray<readonly [number, string, boolean]>) => Promise<void>
): Promise<void> => {
  const closes: Array<readonly [number, string, boolean]> = []
  const server = Http.createServer()
  server.on("upgrade", (request, socket, head) => {
    const opened = WebSocketHandshake.answer(
      {
        by: "upgrade",
        method: request.method ?? "",
        upgrade: request.headers.upgrade,
        connection: request.headers.connection,
        key: request.headers["sec-websocket-key"],
        version: request.headers["sec-websocket-version"],
        protocol: request.headers["sec-websocket-protocol"],
        extensions: header(request.headers["sec-websocket-extensions"])
      },
      options
    )
    if (opened._tag === "HandshakeInvalid") {
      socket.end(`HTTP/1.1 ${opened.status} No\r\n\r\n`)
      return
    }
    const lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
    lines.push(`Sec-WebSocket-Accept: ${opened.accept}`)
    if (opened.protocol !== undefined) lines.push(`Sec-WebSocket-Protocol: ${opened.protocol}`)
    if (opened.extensions !== undefined) lines.push(`Sec-WebSocket-Extensions: ${opened.extensions}`)
    socket.write(`${lines.join("\r\n")}\r\n\r\n`)
    const engine = engineOf("server", opened, {
      onMessage: (data) => void (typeof data === "string" ? engine.sendText(data) : engine.sendBinary(data)),
      onClose: (...close) => void closes.push(close)
    })
    if (head.length > 0) socket.unshift(head)
    drive(socket, engine)
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  try {
    await body(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`, closes)
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

const messages: ReadonlyArray<string | Uint8Array> = [0, 1, 125, 126, 65_535, 65_536, 300_000].flatMap((size) => [
  "aé€😀".repeat(Math.ceil(size / 10)).slice(0, size),
  Uint8Array.from({ length: size }, (_, index) => (index * index) & 0xff)
])

const same = (actual: unknown, expected: string | Uint8Array): void => {
  if (typeof expected === "string") assert.isTrue(actual === expected, `text of ${expected.length}`)
  else assert.isTrue(Buffer.from(actual as ArrayBuffer).equals(expected), `binary of ${expected.length}`)
}

const deflates: ReadonlyArray<readonly [name: string, options: DeflateParameters.Options | "none"]> = [
  ["uncompressed", "none"],
  ["compressed, each message alone", {}],
  ["compressed, with contexts", { serverContext: "keep", clientContext: "keep" }],
  [
    "compressed, with small windows",
    { serverContext: "keep", clientContext: "keep", serverWindowBits: 9, clientWindowBits: 10 }
  ]
]

describe("Node's own client, and our server", () => {
  for (const [name, deflate] of deflates) {
    it(name, () =>
      withEcho({ protocols: ["chat"], deflate }, async (url, closes) => {
        const socket = new WebSocket(url, ["other", "chat"])
        socket.binaryType = "arraybuffer"
        await once(socket, "open")
        assert.strictEqual(socket.protocol, "chat")
        for (const message of messages) {
          const answer = once(socket, "message")
          socket.send(message as string)
          same(((await answer)[0] as MessageEvent).data, message)
        }
        const closed = once(socket, "close")
        socket.close(4000, "done")
        const [event] = (await closed) as [CloseEvent]
        assert.deepStrictEqual([event.code, event.wasClean], [4000, true])
        assert.deepStrictEqual(closes, [[4000, "done", true]])
      })
    )
  }
})

describe("ws as a client, and our server", () => {
  for (const [name, deflate] of deflates) {
    it(name, () =>
      withEcho({ deflate }, async (url, closes) => {
        const socket = new WsClient(url, { perMessageDeflate: { threshold: 50 } })
        await once(socket, "open")
        assert.strictEqual(socket.extensions.includes("permessage-deflate"), deflate !== "none")
        // All at once: many frames arrive in a chunk, and frames straddle chunks.
        const answers: Array<RawData> = []
        const all = new Promise<void>((resolve) => {
          socket.on("message", (data) => {
            answers.push(data)
            if (answers.length === messages.length) resolve()
          })
        })
        for (const message of messages) socket.send(message)
        await all
        for (const [index, message] of messages.entries()) {
          const data = answers[index] as Buffer
          same(typeof message === "string" ? data.toString() : data, message)
        }
        // In fragments, with a Ping between.
        const answer = once(socket, "message")
        const ponged = once(socket, "pong")
        socket.send("frag", { fin: false })
        socket.ping("p")
        socket.send("ments", { fin: true })
        assert.strictEqual(String((await answer)[0]), "fragments")
        assert.strictEqual(String((await ponged)[0]), "p")
        const closed = once(socket, "close")
        socket.close(1001, "gone")
        assert.strictEqual((await closed)[0], 1001)
        assert.deepStrictEqual(closes, [[1001, "gone", true]])
      })
    )
  }
  it("a violation is told with its code", () =>
    withEcho({}, async (url) => {
      const socket = new WsClient(url, { perMessageDeflate: false })
      await once(socket, "open")
      const closed = once(socket, "close")
      socket.send("x".repeat(3 * 1024 * 1024))
      assert.strictEqual((await closed)[0], 1009)
    }))
})

describe("our client, and ws as a server", () => {
  for (const [name, deflate] of deflates) {
    it(name, async () => {
      const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: { threshold: 50 } })
      server.on("connection", (socket) => {
        socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }))
      })
      await once(server, "listening")
      try {
        const asked = WebSocketHandshake.ask({ deflate })
        const key = WebSocketAcceptKey.fromRandom(crypto.getRandomValues(new Uint8Array(16)))
        const request = Http.request({
          port: (server.address() as AddressInfo).port,
          host: "127.0.0.1",
          headers: {
            upgrade: "websocket",
            connection: "Upgrade",
            "sec-websocket-key": key,
            "sec-websocket-version": asked.version,
            ...(asked.extensions === undefined ? {} : { "sec-websocket-extensions": asked.extensions })
          }
        })
        request.end()
        const [response, socket, head] = (await once(request, "upgrade")) as [Http.IncomingMessage, Duplex, Buffer]
        const opened = WebSocketHandshake.verify(asked, {
          by: "upgrade",
          status: response.statusCode ?? 0,
          upgrade: response.headers.upgrade,
          connection: response.headers.connection,
          accept: response.headers["sec-websocket-accept"],
          key,
          protocol: response.headers["sec-websocket-protocol"],
          extensions: header(response.headers["sec-websocket-extensions"])
        })
        assert.strictEqual(opened._tag, "Opened")
        if (opened._tag !== "Opened") return
        assert.strictEqual(opened.deflate !== undefined, deflate !== "none")
        if (head.length > 0) socket.unshift(head)
        const answers: Array<string | Uint8Array> = []
        const close = new Promise<ReadonlyArray<unknown>>((resolve) => {
          const engine = engineOf("client", opened, {
            onMessage: (data) => {
              answers.push(data)
              if (answers.length === messages.length) engine.close(0, 4001, "enough")
            },
            onClose: (...close) => resolve(close)
          })
          for (const message of messages) {
            if (typeof message === "string") engine.sendText(message)
            else engine.sendBinary(message)
          }
          drive(socket, engine)
        })
        assert.deepStrictEqual(await close, [4001, "enough", true])
        for (const [index, message] of messages.entries()) same(answers[index], message)
      } finally {
        server.close()
      }
    })
  }
})
