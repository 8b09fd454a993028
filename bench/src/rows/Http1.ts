/**
 * Rows of HTTP/1.1: one program on Sluice's server and on Effect's own, beside
 * fastify and a bare `node:http` handler.
 */
import * as LoadExperiment from "../LoadExperiment.ts"
import type { StreamLoad } from "../load/StreamLoad.ts"
import type { Contestant, Row } from "../Row.ts"

const sluice: Contestant = { name: "Sluice", program: "servers/sluice-http" }
const effect: Contestant = { name: "Effect NodeHttpServer", program: "servers/effect-http" }
const fastify: Contestant = { name: "fastify", program: "servers/fastify-http" }
const nodeHttp: Contestant = { name: "node:http", program: "servers/node-http" }
const floor: Contestant = { name: "node:net, one answer", program: "servers/node-net-http" }

const mebibyte = 1_048_576
const ok = "HTTP/1.1 200 OK\r\n"

const hello: StreamLoad = {
  connections: 64,
  inFlight: 1,
  pattern: "window",
  request: "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
  replyBytes: "content-length",
  replyHolds: [ok, "\r\n\r\nhello world"]
}

const pipelined: StreamLoad = { ...hello, inFlight: 16, pattern: "burst" }

const order = JSON.stringify({
  customer: "Ada Lovelace",
  items: [
    { article: "punched cards", quantity: 12, priceCents: 250 },
    { article: "brass gear", quantity: 3, priceCents: 1999 }
  ],
  note: "Please leave the parcel at the door"
})

const orders: StreamLoad = {
  ...hello,
  request: `POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${order.length}\r\n\r\n${order}`,
  replyHolds: [ok, '\r\n\r\n{"customer":"Ada Lovelace","totalCents":8997}']
}

const upload: StreamLoad = {
  ...hello,
  connections: 16,
  request: `POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\nContent-Length: ${mebibyte}\r\n\r\n`,
  requestBodyBytes: mebibyte,
  replyHolds: [ok, `\r\n\r\n${mebibyte} bytes`]
}

const download: StreamLoad = {
  ...hello,
  connections: 16,
  request: "GET /download HTTP/1.1\r\nHost: localhost\r\n\r\n",
  replyHolds: [ok, `: ${mebibyte}\r\n`, "\r\n\r\nxxxx"]
}

export const http1: ReadonlyArray<Row> = [
  {
    group: "http1",
    name: "hello",
    title: "HTTP/1.1 GET /, 11 B of text, 64 connections, 1 in flight",
    subject: sluice,
    peers: [effect, fastify, nodeHttp, floor],
    targets: { [effect.name]: 2.2, [fastify.name]: 1.5 },
    experiment: LoadExperiment.stream(hello)
  },
  {
    group: "http1",
    name: "pipelined",
    title: "HTTP/1.1 GET /, 11 B of text, 64 connections, pipelined in bursts of 16",
    subject: sluice,
    peers: [fastify, effect, nodeHttp],
    targets: { [fastify.name]: 4 },
    experiment: LoadExperiment.stream(pipelined)
  },
  {
    group: "http1",
    name: "json",
    title: `HTTP/1.1 POST of ${order.length} B of JSON, checked by a schema, answered with JSON, 64 connections`,
    subject: sluice,
    peers: [effect, fastify],
    targets: {},
    experiment: LoadExperiment.stream(orders)
  },
  {
    group: "http1",
    name: "upload",
    title: "HTTP/1.1 POST of 1 MiB that the handler reads whole, 16 connections",
    subject: sluice,
    peers: [nodeHttp, effect],
    targets: { [nodeHttp.name]: 1 },
    experiment: LoadExperiment.stream(upload)
  },
  {
    group: "http1",
    name: "download",
    title: "HTTP/1.1 GET of 1 MiB, a Stream of chunks of 64 KiB, 16 connections",
    subject: sluice,
    peers: [nodeHttp, effect],
    targets: { [nodeHttp.name]: 1 },
    experiment: LoadExperiment.stream(download)
  }
]
