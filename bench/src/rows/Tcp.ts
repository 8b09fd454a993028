/**
 * Rows of TCP: echo, frames and idle connections, against a bare `node:net`
 * server and Effect's own `NodeSocketServer`.
 */
import * as IdleExperiment from "../IdleExperiment.ts"
import * as LoadExperiment from "../LoadExperiment.ts"
import type { StreamLoad } from "../load/StreamLoad.ts"
import type { Contestant, Row } from "../Row.ts"

const fiber: Contestant = { name: "Sluice, a fiber", program: "servers/sluice-echo" }
const transport: Contestant = { name: "Sluice, no fiber", program: "servers/sluice-transport-echo" }
const nodeNet: Contestant = { name: "node:net", program: "servers/node-net-echo" }
const effect: Contestant = { name: "Effect NodeSocketServer", program: "servers/effect-echo" }

const message = "0123456789abcdef".repeat(4)

const echo: StreamLoad = {
  connections: 64,
  inFlight: 1,
  pattern: "window",
  request: message,
  replyBytes: message.length,
  replyHolds: [message]
}

/** The message behind its length in four bytes, big endian. */
const frame = `\0\0\0${String.fromCharCode(message.length)}${message}`

const frames: StreamLoad = {
  connections: 16,
  inFlight: 64,
  pattern: "burst",
  request: frame,
  replyBytes: frame.length,
  replyHolds: [frame]
}

export const tcp: ReadonlyArray<Row> = [
  {
    group: "tcp",
    name: "echo-fiber",
    title: "TCP echo, 64 B, 64 connections, 1 in flight, a fiber a connection",
    subject: fiber,
    peers: [nodeNet, effect],
    targets: { [nodeNet.name]: 0.8, [effect.name]: 1.1 },
    experiment: LoadExperiment.stream(echo)
  },
  {
    group: "tcp",
    name: "echo-transport",
    title: "TCP echo, 64 B, 64 connections, 1 in flight, a Transport handler without a fiber",
    subject: transport,
    peers: [nodeNet],
    targets: { [nodeNet.name]: 0.97 },
    experiment: LoadExperiment.stream(echo)
  },
  {
    group: "tcp",
    name: "frames",
    title: "length-delimited frames, 64 B, 16 connections, bursts of 64, a fiber a connection",
    subject: { name: "Sluice, a fiber", program: "servers/sluice-frames" },
    peers: [
      { name: "Sluice, in batches", program: "servers/sluice-frames", arguments: ["batch"] },
      { name: "node:net by hand", program: "servers/node-net-frames" }
    ],
    targets: {},
    experiment: LoadExperiment.stream(frames)
  },
  {
    group: "tcp",
    name: "idle-connections",
    title: "10,000 idle connections, resident bytes a connection",
    subject: fiber,
    peers: [transport, nodeNet, effect],
    targets: {},
    drainTargetMillis: 5_000,
    experiment: IdleExperiment.make({ connections: 10_000, quickConnections: 1_000, conversation: echo })
  }
]
