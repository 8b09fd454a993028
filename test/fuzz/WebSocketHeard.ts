/**
 * What our engine and `ws` hear from the same bytes, in the same words and in
 * both roles. No sockets: `ws` is fed through a duplex stream in memory, behind
 * a handshake with our own code.
 *
 * @since 0.1.0
 */
import { once } from "node:events"
import type { IncomingMessage } from "node:http"
import * as WebSocketAcceptKey from "@sluice/core/protocol/websocket/WebSocketAcceptKey"
import { WebSocketDeflate } from "@sluice/core/protocol/websocket/WebSocketDeflate"
import * as DeflateParameters from "@sluice/core/protocol/websocket/WebSocketDeflateParameters"
import * as WebSocketExtensions from "@sluice/core/protocol/websocket/WebSocketExtensions"
import type { Role } from "@sluice/core/protocol/websocket/WebSocketFrame"
import * as NodeDeflate from "@sluice/node/NodeDeflate"
import { type ServerOptions, WebSocketServer, WebSocket as WsSocket } from "ws"
import * as Hex from "../harness/Hex.ts"
import * as Wire from "../harness/WebSocketWire.ts"
import { MemorySocket } from "./MemorySocket.ts"

export interface Heard {
  /** Messages, Pings and Pongs, in order. */
  readonly calls: ReadonlyArray<Wire.Call>
  /** The code with which the peer was failed, and why in the side's own words. */
  readonly failure: { readonly code: number; readonly why: string } | undefined
  /** Code and reason of the peer's Close frame. */
  readonly closed: readonly [code: number, reason: string] | undefined
}

export interface Setting {
  readonly role: Role
  readonly deflate: "none" | "negotiated"
}

const maxMessageBytes = 1_000
const maxFragments = 20
const codec = NodeDeflate.make()
/** Messages stand alone, and so can be written down by anyone. */
const extension = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
const key = WebSocketAcceptKey.fromRandom(new Uint8Array(16))

export const hearHere = ({ deflate, role }: Setting, chunks: ReadonlyArray<Uint8Array>): Heard => {
  const parameters = DeflateParameters.choose(WebSocketExtensions.parse(extension)!)!.parameters
  let failure: Heard["failure"]
  const engine = new Wire.Recorded(role, {
    maxMessageSize: maxMessageBytes,
    maxFragments,
    maxControlFrames: 10_000,
    maxTinyFragments: 10_000,
    deflate:
      deflate === "none"
        ? undefined
        : new WebSocketDeflate({ role, parameters, codec, compressFromBytes: 0, maxMessageBytes })
  })
  for (const chunk of chunks) engine.receive(chunk.slice(), 0)
  engine.receiveEnd(0)
  const calls = engine.calls.filter(([kind]) => kind !== "violation" && kind !== "close")
  const why = engine.calls.find(([kind]) => kind === "violation")?.[1]
  const last = engine.calls.find(([kind]) => kind === "close")
  if (why !== undefined) failure = { code: sentCode(Hex.concat(engine.output.take()), role), why: String(why) }
  const closed = last?.[0] === "close" && last[1] !== 1006 ? ([last[1], last[2]] as const) : undefined
  return { calls, failure, closed }
}

/** The code of the Close frame with which `bytes` end. */
const sentCode = (bytes: Uint8Array, role: Role): number => {
  const payload = bytes.subarray(-2)
  if (role === "server") return payload[0]! * 256 + payload[1]!
  const mask = bytes.subarray(-6, -2)
  return (payload[0]! ^ mask[0]!) * 256 + (payload[1]! ^ mask[1]!)
}

export const hearWs = async ({ deflate, role }: Setting, bytes: Uint8Array): Promise<Heard> => {
  const perMessageDeflate = deflate === "none" ? false : { threshold: 0, ...noContexts }
  const options = { perMessageDeflate, maxPayload: maxMessageBytes, maxFragments, closeTimeout: 50 }
  const [socket, transport] = role === "server" ? await serverOf(options) : clientOf(options)
  const calls: Array<Wire.Call> = []
  let failure: Heard["failure"]
  socket.on("message", (data: Buffer, isBinary: boolean) =>
    calls.push(isBinary ? ["binary", Hex.show(data)] : ["text", utf8.decode(data)])
  )
  socket.on("ping", (data: Buffer) => calls.push(["ping", Hex.show(data)]))
  socket.on("pong", (data: Buffer) => calls.push(["pong", Hex.show(data)]))
  socket.on("error", (cause: Error) => {
    failure ??= { code: statusOf(cause), why: cause.message }
  })
  if (socket.readyState === WsSocket.CONNECTING) await once(socket, "open")
  const closed = new Promise<[code: number, reason: Buffer]>((resolve) => {
    socket.on("close", (...close) => resolve(close))
  })
  transport.arrive(bytes)
  const [code, reason] = await closed
  return { calls, failure, closed: code === 1006 || failure !== undefined ? undefined : [code, String(reason)] }
}

const noContexts = { serverNoContextTakeover: true, clientNoContextTakeover: true }
/** As a message keeps it: a byte order mark is content. */
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true })

/** `ws` keeps the code of its Close frame under a symbol. */
const statusOf = (cause: Error): number => {
  const symbol = Object.getOwnPropertySymbols(cause).find(({ description }) => description === "status-code")
  return symbol === undefined ? 0 : Number(Reflect.get(cause, symbol))
}

const serverOf = (options: ServerOptions): Promise<[WsSocket, MemorySocket]> => {
  const server = new WebSocketServer({ ...options, noServer: true })
  const headers = {
    upgrade: "websocket",
    connection: "upgrade",
    "sec-websocket-key": key,
    "sec-websocket-version": "13",
    "sec-websocket-extensions": extension
  }
  const socket = new MemorySocket()
  return new Promise((resolve) => {
    const request = { method: "GET", url: "/", headers } as unknown as IncomingMessage
    server.handleUpgrade(request, socket, Buffer.alloc(0), (opened) => resolve([opened, socket]))
  })
}

const clientOf = (options: object): [WsSocket, MemorySocket] => {
  const transport = new MemorySocket((chunk) => {
    const asked = /sec-websocket-key: (.*)\r\n/i.exec(chunk.toString("latin1"))?.[1]
    if (asked === undefined) return
    const compresses = chunk.includes("permessage-deflate")
    const lines = [
      "HTTP/1.1 101 Switching Protocols",
      "Upgrade: websocket",
      "Connection: upgrade",
      `Sec-WebSocket-Accept: ${WebSocketAcceptKey.accept(asked)}`,
      ...(compresses ? [`Sec-WebSocket-Extensions: ${extension}`] : [])
    ]
    transport.push(`${lines.join("\r\n")}\r\n\r\n`)
  })
  const socket = new WsSocket("ws://a/", { ...options, createConnection: () => transport as never })
  return [socket, transport]
}
