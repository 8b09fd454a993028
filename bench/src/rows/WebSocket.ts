/**
 * Rows of WebSocket: echo, broadcast and idle connections, against `ws` and
 * Effect's own server, which stands on it.
 */
import * as IdleExperiment from "../IdleExperiment.ts"
import * as LoadExperiment from "../LoadExperiment.ts"
import type { Conversation } from "../load/StreamLoad.ts"
import type { Contestant, Row } from "../Row.ts"
import * as WebSocketFrames from "./WebSocketFrames.ts"

const sluice: Contestant = { name: "Sluice", program: "servers/sluice-websocket-echo" }
const ws: Contestant = { name: "ws", program: "servers/ws-echo" }
const effect: Contestant = { name: "Effect NodeHttpServer", program: "servers/effect-websocket-echo" }

const hub: Contestant = { name: "Sluice, a Hub", program: "servers/sluice-websocket-broadcast" }
const wsLoop: Contestant = { name: "ws, send in a loop", program: "servers/ws-broadcast" }

const message = "0123456789abcdef".repeat(4)

const echo: Conversation = {
  opening: WebSocketFrames.opening,
  request: WebSocketFrames.clientText(message),
  replyBytes: WebSocketFrames.serverText(message).length,
  replyHolds: [WebSocketFrames.serverText(message)]
}

const farewell = { hears: WebSocketFrames.closeBegins, says: WebSocketFrames.clientClose() }

export const websocket: ReadonlyArray<Row> = [
  {
    group: "websocket",
    name: "echo",
    title: "WebSocket echo, 64 B of text, 64 connections, 1 in flight",
    subject: sluice,
    peers: [ws, effect],
    targets: { [ws.name]: 1.2 },
    experiment: LoadExperiment.stream({ ...echo, connections: 64, inFlight: 1, pattern: "window" })
  },
  {
    group: "websocket",
    name: "echo-16",
    title: "WebSocket echo, 64 B of text, 64 connections, 16 in flight",
    subject: sluice,
    peers: [ws, effect],
    targets: { [ws.name]: 4 },
    experiment: LoadExperiment.stream({ ...echo, connections: 64, inFlight: 16, pattern: "window" })
  },
  {
    group: "websocket",
    name: "broadcast",
    title: "WebSocket broadcast, 64 B of text from 1 client to 1,000, 8 in flight",
    subject: hub,
    peers: [wsLoop],
    targets: { [wsLoop.name]: 2 },
    experiment: LoadExperiment.broadcast({ ...echo, clients: 1_000, inFlight: 8 })
  },
  {
    // A write for each delivery, whoever serves: the system's share, which nobody can save, is most of it.
    group: "websocket",
    name: "broadcast-single",
    title: "WebSocket broadcast, 64 B of text from 1 client to 1,000, 1 in flight",
    subject: hub,
    peers: [wsLoop],
    targets: {},
    experiment: LoadExperiment.broadcast({ ...echo, clients: 1_000, inFlight: 1 })
  },
  {
    group: "websocket",
    name: "idle-connections",
    title: "10,000 idle WebSockets, resident bytes a connection",
    subject: sluice,
    peers: [ws, effect],
    targets: { [ws.name]: 0.7 },
    drainTargetMillis: 5_000,
    experiment: IdleExperiment.make({
      connections: 10_000,
      quickConnections: 1_000,
      conversation: { ...echo, farewell }
    })
  }
]
