/**
 * Rows of HTTP/2 without TLS: one program on Sluice's server and on Effect's
 * own, beside bare handlers of `node:http2`.
 */

import type { Experiment } from "../Experiment.ts"
import * as Http2WaitingExperiment from "../Http2WaitingExperiment.ts"
import * as LoadExperiment from "../LoadExperiment.ts"
import type { Http2Load, Order } from "../load/Http2Load.ts"
import type { Contestant, Row } from "../Row.ts"

const sluice: Contestant = { name: "Sluice", program: "servers/http2-sluice" }
const nodeHttp2: Contestant = { name: "node:http2", program: "servers/http2-node" }
const effect: Contestant = { name: "Effect on node:http2", program: "servers/http2-effect" }

/** One that the environment names, beside the others in the rows of small answers. */
const external: ReadonlyArray<Contestant> =
  process.env.SLUICE_BENCH_HTTP2_SERVER === undefined ? [] : [{ name: "external", program: "servers/http2-external" }]

const generator = (unit: string, load: Http2Load): Experiment =>
  LoadExperiment.make(unit, "load/http2-load", (order) => ({ ...order, load }) satisfies Order)

const mebibyte = 1_048_576
const downloadBytes = 100 * mebibyte
const downloadStreams = 32

const hello: Http2Load = {
  connections: 10,
  inFlight: 32,
  request: { method: "GET", path: "/" },
  replyBodyBytes: 11,
  replyBodyBegins: "hello world",
  counts: "replies"
}

const uploaded = `${mebibyte} bytes`

const upload: Http2Load = {
  ...hello,
  connections: 4,
  inFlight: 4,
  request: { method: "POST", path: "/upload", bodyBytes: mebibyte },
  replyBodyBytes: uploaded.length,
  replyBodyBegins: uploaded
}

const whole: Http2Load = {
  connections: 1,
  inFlight: 1,
  request: { method: "GET", path: "/whole" },
  replyBodyBytes: downloadBytes,
  replyBodyBegins: "x".repeat(64),
  counts: "mebibytes"
}

const parts: Http2Load = {
  ...whole,
  inFlight: downloadStreams,
  request: { method: "GET", path: "/part" },
  replyBodyBytes: downloadBytes / downloadStreams
}

export const http2: ReadonlyArray<Row> = [
  {
    group: "http2",
    name: "hello",
    title: "HTTP/2 GET /, 11 B of text, 10 connections, 32 streams in flight",
    subject: sluice,
    peers: [effect, nodeHttp2, ...external],
    targets: { [effect.name]: 4, [nodeHttp2.name]: 3 },
    experiment: generator("replies/s", hello)
  },
  {
    group: "http2",
    name: "hello-single",
    title: "HTTP/2 GET /, 11 B of text, 1 connection, 1 stream in flight",
    subject: sluice,
    peers: [effect, nodeHttp2, ...external],
    targets: {},
    experiment: generator("replies/s", { ...hello, connections: 1, inFlight: 1 })
  },
  {
    group: "http2",
    name: "hello-128",
    title: "HTTP/2 GET /, 11 B of text, 1 connection, 128 streams in flight",
    subject: sluice,
    peers: [effect, nodeHttp2, ...external],
    targets: {},
    experiment: generator("replies/s", { ...hello, connections: 1, inFlight: 128 })
  },
  {
    group: "http2",
    name: "download",
    title: "HTTP/2 GET of 100 MiB, a Stream of chunks of 64 KiB, 1 connection, 1 stream in flight; RSS is the largest",
    subject: sluice,
    peers: [nodeHttp2, effect],
    targets: { [nodeHttp2.name]: 1 },
    experiment: generator("MiB/s", whole)
  },
  {
    group: "http2",
    name: "download-32",
    title: "HTTP/2 GET of 3.125 MiB, chunks of 64 KiB, 1 connection, 32 streams in flight; RSS is the largest",
    subject: sluice,
    peers: [nodeHttp2, effect],
    targets: { [nodeHttp2.name]: 1 },
    experiment: generator("MiB/s", parts)
  },
  {
    group: "http2",
    name: "waiting-streams",
    title: "10,000 streams that wait for an answer, on 100 connections, resident bytes a stream",
    subject: sluice,
    peers: [nodeHttp2, effect],
    targets: {},
    experiment: Http2WaitingExperiment.make({ connections: 100, quickConnections: 10, streams: 100, path: "/wait" })
  },
  {
    group: "http2",
    name: "upload",
    title: "HTTP/2 POST of 1 MiB that the handler reads whole, 4 connections, 4 streams in flight",
    subject: sluice,
    peers: [nodeHttp2, effect],
    targets: {},
    experiment: generator("replies/s", upload)
  }
]
