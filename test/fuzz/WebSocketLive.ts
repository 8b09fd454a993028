/**
 * Conversations over real sockets on loopback, between our engine and `ws`: our
 * client with its server, and its client with our server, compressed in all the
 * ways that can be agreed on. What is sent must come back as it was.
 *
 * @since 0.1.0
 */
import * as Assert from "node:assert/strict"
import { once } from "node:events"
import * as Http from "node:http"
import type * as Net from "node:net"
import type { Duplex } from "node:stream"
import * as WebSocketAcceptKey from "@sluice/core/protocol/websocket/WebSocketAcceptKey"
import * as WebSocketConnection from "@sluice/core/protocol/websocket/WebSocketConnection"
import { WebSocketDeflate } from "@sluice/core/protocol/websocket/WebSocketDeflate"
import type * as DeflateParameters from "@sluice/core/protocol/websocket/WebSocketDeflateParameters"
import type { Role } from "@sluice/core/protocol/websocket/WebSocketFrame"
import * as WebSocketHandshake from "@sluice/core/protocol/websocket/WebSocketHandshake"
import * as WebSocketOptions from "@sluice/core/protocol/websocket/WebSocketOptions"
import * as NodeDeflate from "@sluice/node/NodeDeflate"
import { type PerMessageDeflateOptions, WebSocketServer, WebSocket as WsSocket } from "ws"
import * as EngineSocket from "./EngineSocket.ts"
import { Random, textOf } from "./WebSocketTraffic.ts"

const codec = NodeDeflate.make()
const limits = WebSocketOptions.resolve({ maxMessageSize: "4 MiB", maxControlFrames: 100_000 })

/** What is said on one connection, by the client; the server echoes. */
interface Plan {
  readonly ours: DeflateParameters.Options | "none"
  readonly theirs: PerMessageDeflateOptions | false
  readonly compressFromBytes: number
  readonly messages: ReadonlyArray<string | Buffer>
  /** Into how many frames `ws` cuts each message. */
  readonly fragmentCounts: ReadonlyArray<number>
  readonly pings: ReadonlyArray<Buffer>
  readonly code: number
  readonly reason: string
}

const planOf = (seed: number): Plan => {
  const random = new Random(seed)
  const bits = (most = 15) => random.pick([undefined, undefined, 8, 9, 12, 15].filter((one) => (one ?? 0) <= most))
  const context = () => random.pick(["keep", "reset", undefined] as const)
  const messages = random.list(random.pick([3, 20]), () => messageOf(random))
  // A server of `ws` refuses an offer of windows that are smaller than its own.
  const [serverBits, clientBits] = [bits(), bits()]
  return {
    ours: random.pick([
      "none",
      { serverContext: context(), clientContext: context(), serverWindowBits: serverBits, clientWindowBits: clientBits }
    ]),
    theirs: random.pick([
      false,
      {
        threshold: random.pick([0, 100, 1024]),
        serverNoContextTakeover: random.pick([true, undefined]),
        clientNoContextTakeover: random.pick([true, undefined]),
        serverMaxWindowBits: bits(serverBits),
        clientMaxWindowBits: bits(clientBits)
      }
    ]),
    compressFromBytes: random.pick([0, 100, 1024]),
    messages,
    fragmentCounts: messages.map(() => random.pick([1, 1, 1, 2, 5])),
    pings: messages.map(() => Buffer.from(random.bytes(random.pick([0, 125])))),
    code: random.pick([1000, 1001, 1003, 1008, 1011, 3000, 4321, 4999]),
    reason: textOf(random, 10)
  }
}

const messageOf = (random: Random): string | Buffer => {
  const size = random.below(300) === 0 ? 1_048_576 : random.pick([10, 200, 200, 70_000])
  const length = random.below(size)
  if (random.below(2) === 0) {
    const words = textOf(random, 50) || "€"
    return words
      .repeat(Math.ceil(length / words.length))
      .slice(0, length)
      .toWellFormed()
  }
  const bytes = Buffer.alloc(length, Buffer.from([...random.bytes(40), 1]))
  // Half of it is not what came before.
  if (random.below(2) === 0) for (let index = 0; index < length; index++) bytes[index] = random.below(256)
  return bytes
}

/** A server, and how a conversation with it goes; returns the number of its messages. */
export interface Side {
  readonly round: (seed: number) => Promise<number>
  readonly close: () => void
}

type Events = Pick<WebSocketConnection.Handler, "onMessage" | "onClose"> & Partial<WebSocketConnection.Handler>

const engineOf = (
  role: Role,
  parameters: DeflateParameters.Parameters | undefined,
  compressFromBytes: number,
  events: Events
): WebSocketConnection.WebSocketConnection => {
  const { maxMessageBytes } = limits
  const deflate = parameters && new WebSocketDeflate({ role, parameters, codec, compressFromBytes, maxMessageBytes })
  return WebSocketConnection.make(
    { onPing() {}, onPong() {}, onViolation() {}, ...events },
    {
      limits,
      nowMillis: 0,
      deflate,
      ...(role === "server" ? { role } : { role, nextMask: () => Math.floor(Math.random() * 2 ** 32) })
    }
  )
}

const header = (value: string | ReadonlyArray<string> | undefined): string | undefined =>
  typeof value === "string" || value === undefined ? value : value.join(", ")

/** Compares what comes back; resolves when all of it has, and both sides know how it was closed. */
class Conversation {
  readonly done: Promise<void>
  resolve: () => void = () => {}
  reject: (cause: unknown) => void = () => {}
  private readonly plan: Plan
  private heardCount = 0
  private pongCount = 0

  constructor(plan: Plan) {
    this.plan = plan
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }

  /** Whether that was the last. */
  hear(data: string | Uint8Array): boolean {
    const expected = this.plan.messages[this.heardCount++]
    const same =
      typeof data === "string" || typeof expected === "string" ? data === expected : expected?.equals(data) === true
    if (!same) this.reject(new Error(`message ${this.heardCount - 1} came back as another one`))
    return this.heardCount === this.plan.messages.length
  }

  pong(payload: Uint8Array): void {
    const expected = this.plan.pings[this.pongCount++]
    if (expected?.equals(payload) !== true) this.reject(new Error(`Pong ${this.pongCount - 1} answers another Ping`))
  }

  /** Both sides have told how it ended. */
  end(closes: ReadonlyArray<readonly [code: number, reason: string]>): void {
    try {
      const { code, messages, pings, reason } = this.plan
      // The side that closes hears its own code, and no reason.
      Assert.deepEqual(closes[0], [code, reason], "what the server has heard")
      Assert.equal(closes[1]?.[0], code, "what the client has heard")
      Assert.equal(this.heardCount, messages.length)
      Assert.equal(this.pongCount, pings.length)
      this.resolve()
    } catch (cause) {
      this.reject(cause)
    }
  }
}

/** Waits for the last words of both sides. */
const ending = (conversation: Conversation) => {
  const closes: Array<readonly [number, string] | undefined> = [undefined, undefined]
  return (side: "server" | "client", code: number, reason: string): void => {
    closes[side === "server" ? 0 : 1] = [code, reason]
    if (closes.every((close) => close !== undefined)) conversation.end(closes as never)
  }
}

/** The client of `ws`, and our server. */
export const ourServer = async (): Promise<Side> => {
  let plan = planOf(0)
  let told: ReturnType<typeof ending> = () => {}
  const server = Http.createServer()
  server.on("upgrade", (request, socket, head) => {
    const { headers, method } = request
    const opened = WebSocketHandshake.answer(
      {
        by: "upgrade",
        method: method ?? "",
        upgrade: headers.upgrade,
        connection: headers.connection,
        key: headers["sec-websocket-key"],
        version: headers["sec-websocket-version"],
        protocol: headers["sec-websocket-protocol"],
        extensions: header(headers["sec-websocket-extensions"])
      },
      { deflate: plan.ours }
    )
    Assert.ok(opened._tag === "Opened")
    const lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
    lines.push(`Sec-WebSocket-Accept: ${opened.accept}`)
    if (opened.extensions !== undefined) lines.push(`Sec-WebSocket-Extensions: ${opened.extensions}`)
    socket.write(`${lines.join("\r\n")}\r\n\r\n`)
    const engine = engineOf("server", opened.deflate, plan.compressFromBytes, {
      onMessage: (data) => void (typeof data === "string" ? engine.sendText(data) : engine.sendBinary(data)),
      onClose: (code, reason) => told("server", code, reason)
    })
    if (head.length > 0) socket.unshift(head)
    EngineSocket.drive(socket, engine)
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as Net.AddressInfo
  return {
    round: async (seed) => {
      plan = planOf(seed)
      const conversation = new Conversation(plan)
      told = ending(conversation)
      await talkByWs(port, plan, conversation, told)
      return plan.messages.length + 1
    },
    close: () => {
      server.close()
      server.closeAllConnections()
    }
  }
}

const talkByWs = async (
  port: number,
  plan: Plan,
  conversation: Conversation,
  told: ReturnType<typeof ending>
): Promise<void> => {
  const socket = new WsSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate: plan.theirs })
  socket.on("error", conversation.reject)
  socket.on("pong", (payload) => conversation.pong(payload))
  socket.on("close", (code) => told("client", code, ""))
  socket.on("message", (data: Buffer, isBinary) => {
    if (conversation.hear(isBinary ? data : data.toString())) socket.close(plan.code, plan.reason)
  })
  await Promise.race([once(socket, "open"), conversation.done])
  plan.messages.forEach((message, index) => {
    sendInFragments(socket, message, plan.fragmentCounts[index]!, plan.pings[index]!)
  })
  if (plan.messages.length === 0) socket.close(plan.code, plan.reason)
  await conversation.done
}

/** A Ping stands between the fragments, or behind the message. */
const sendInFragments = (socket: WsSocket, message: string | Buffer, count: number, ping: Buffer): void => {
  const bytes = Buffer.from(message)
  const binary = typeof message !== "string"
  for (let index = 0; index < count; index++) {
    const piece = bytes.subarray((bytes.length * index) / count, (bytes.length * (index + 1)) / count)
    socket.send(piece, { binary, fin: index === count - 1 })
    if (index === 0) socket.ping(ping)
  }
}

/** Our client, and a server of `ws`. */
export const ourClient = async (): Promise<Side> => ({
  round: async (seed) => {
    const plan = planOf(seed)
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: plan.theirs })
    const conversation = new Conversation(plan)
    const told = ending(conversation)
    server.on("connection", (socket) => {
      socket.on("error", conversation.reject)
      socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }))
      socket.on("close", (code, reason) => told("server", code, String(reason)))
    })
    await once(server, "listening")
    try {
      await talkByEngine((server.address() as Net.AddressInfo).port, plan, conversation, told)
    } finally {
      server.close()
    }
    return plan.messages.length + 1
  },
  close: () => {}
})

const talkByEngine = async (
  port: number,
  plan: Plan,
  conversation: Conversation,
  told: ReturnType<typeof ending>
): Promise<void> => {
  const asked = WebSocketHandshake.ask({ deflate: plan.ours })
  const key = WebSocketAcceptKey.fromRandom(crypto.getRandomValues(new Uint8Array(16)))
  const headers = { upgrade: "websocket", connection: "Upgrade", "sec-websocket-key": key }
  const request = Http.request({
    port,
    host: "127.0.0.1",
    headers: {
      ...headers,
      "sec-websocket-version": asked.version,
      ...(asked.extensions === undefined ? {} : { "sec-websocket-extensions": asked.extensions })
    }
  })
  request.on("response", ({ statusCode }) => conversation.reject(new Error(`the handshake is refused: ${statusCode}`)))
  request.end()
  const [response, socket, head] = (await Promise.race([once(request, "upgrade"), conversation.done])) as unknown as [
    Http.IncomingMessage,
    Duplex,
    Buffer
  ]
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
  if (opened._tag !== "Opened") throw new Error(`${opened._tag}: ${opened.message}`)
  if (head.length > 0) socket.unshift(head)
  const engine = engineOf("client", opened.deflate, plan.compressFromBytes, {
    onMessage: (data) => {
      if (conversation.hear(data)) engine.close(0, plan.code, plan.reason)
    },
    onPong: (payload) => conversation.pong(payload),
    onViolation: (violation) => conversation.reject(new Error(violation.message)),
    onClose: (code) => told("client", code, "")
  })
  plan.messages.forEach((message, index) => {
    if (typeof message === "string") engine.sendText(message)
    else engine.sendBinary(message)
    engine.ping(plan.pings[index]!)
  })
  if (plan.messages.length === 0) engine.close(0, plan.code, plan.reason)
  EngineSocket.drive(socket, engine)
  await conversation.done
}
