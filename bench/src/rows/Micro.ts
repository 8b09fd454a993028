/**
 * Rows of code alone, without a network: what an operation costs.
 *
 * The floors do less than their subjects (no limits, one chunk), so they have
 * no target: they say what the safety costs.
 */
import * as MicroExperiment from "../MicroExperiment.ts"
import type { Row } from "../Row.ts"

export const micro: ReadonlyArray<Row> = [
  {
    group: "micro",
    name: "length-delimited",
    title: "decoding length-delimited frames, 64 of 64 B in a chunk, a frame",
    subject: MicroExperiment.contestant("length-delimited", "LengthDelimited"),
    peers: [
      MicroExperiment.contestant("length-delimited", "ByteQueue"),
      MicroExperiment.contestant("length-delimited", "by hand")
    ],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "lines",
    title: "decoding lines, 64 of 63 characters in a chunk, a line",
    subject: MicroExperiment.contestant("lines", "Lines"),
    peers: [MicroExperiment.contestant("lines", "by hand")],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "connection-turn",
    title: "a fiber that wakes for 64 B, answers and waits again, over a transport that does nothing",
    subject: MicroExperiment.contestant("connection", "a fiber"),
    peers: [MicroExperiment.contestant("connection", "a callback")],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "connection-frames",
    title: "echoing 64 length-delimited frames of 64 B that came in a chunk, a frame",
    subject: MicroExperiment.contestant("connection", "frame by frame"),
    peers: [MicroExperiment.contestant("connection", "frames in batches")],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "websocket-echo",
    title: "answering 64 WebSocket messages of 64 B of text that came in a chunk, a message",
    subject: MicroExperiment.contestant("websocket-echo", "text, in bursts"),
    peers: [
      MicroExperiment.contestant("websocket-echo", "binary, in bursts"),
      MicroExperiment.contestant("websocket-echo", "text, one by one"),
      MicroExperiment.contestant("websocket-echo", "by hand")
    ],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "websocket-broadcast",
    title: "sending a WebSocket message of 64 B that was prepared once to 64 connections, a connection",
    subject: MicroExperiment.contestant("websocket-broadcast", "prepared"),
    peers: [MicroExperiment.contestant("websocket-broadcast", "one by one")],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "websocket-compress",
    title: "compressing a WebSocket message of 1 KiB of JSON",
    subject: MicroExperiment.contestant("websocket-deflate", "compress, alone"),
    peers: [MicroExperiment.contestant("websocket-deflate", "compress, with context")],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "websocket-inflate",
    title: "inflating a WebSocket message of 1 KiB of JSON",
    subject: MicroExperiment.contestant("websocket-deflate", "inflate, alone"),
    peers: [MicroExperiment.contestant("websocket-deflate", "inflate, with context")],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "websocket-unmask-small",
    title: "unmasking 64 B",
    subject: MicroExperiment.contestant("websocket-unmask", "64 B"),
    peers: [MicroExperiment.contestant("websocket-unmask", "64 B, by bytes")],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "websocket-unmask",
    title: "unmasking 64 KiB",
    subject: MicroExperiment.contestant("websocket-unmask", "64 KiB"),
    peers: [MicroExperiment.contestant("websocket-unmask", "64 KiB, by bytes")],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "http1-parse",
    title: "parsing a GET of 2 fields, as load generators send it",
    subject: MicroExperiment.contestant("http1-parse", "parse small"),
    peers: [
      MicroExperiment.contestant("http1-parse", "parse browser"),
      MicroExperiment.contestant("http1-parse", "parse browser, all fields"),
      MicroExperiment.contestant("http1-parse", "serve small"),
      MicroExperiment.contestant("http1-parse", "serve browser")
    ],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "http1-write",
    title: "receiving a GET of 1 field, 64 in a chunk, and answering it with 11 B",
    subject: MicroExperiment.contestant("http1-write", "checked"),
    peers: [
      MicroExperiment.contestant("http1-write", "prepared"),
      MicroExperiment.contestant("http1-write", "by hand")
    ],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "http-request",
    title: "GET / of 1 field, from its bytes to the bytes of its response of 11 B, through Effect's HttpRouter",
    subject: MicroExperiment.contestant("http-request", "HttpRouter"),
    peers: [
      MicroExperiment.contestant("http-request", "HttpRouter, pipelined"),
      MicroExperiment.contestant("http-request", "HttpRouter, JSON"),
      MicroExperiment.contestant("http-request", "a handler"),
      MicroExperiment.contestant("http-request", "the session alone")
    ],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "websocket-message",
    title:
      "echoing a WebSocket message of 64 B of text, from its bytes to the bytes of its answer, by a handler's fiber",
    subject: MicroExperiment.contestant("websocket-message", "runForEach"),
    peers: [
      MicroExperiment.contestant("websocket-message", "runForEach, in bursts"),
      MicroExperiment.contestant("websocket-message", "receive"),
      MicroExperiment.contestant("websocket-echo", "text, one by one")
    ],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "hub-broadcast",
    title: "offering a message to 1,000 members of a room, sockets that only count, a member",
    subject: MicroExperiment.contestant("hub-broadcast", "hub"),
    peers: [MicroExperiment.contestant("hub-broadcast", "loop")],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "pool-use",
    title: "borrowing an idle connection of a pool for an effect that does nothing",
    subject: MicroExperiment.contestant("pool-checkout", "use"),
    peers: [MicroExperiment.contestant("pool-checkout", "Pool.use")],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "pool-get",
    title: "borrowing an idle connection of a pool for a scope in which nothing is done",
    subject: MicroExperiment.contestant("pool-checkout", "get"),
    peers: [MicroExperiment.contestant("pool-checkout", "Pool.get")],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "protobuf-encode-one",
    title: "encoding a message of protobuf of one field of 11 characters",
    subject: MicroExperiment.contestant("protobuf-encode", "one field"),
    peers: [
      MicroExperiment.contestant("protobuf-encode", "one field, protobuf-es"),
      MicroExperiment.contestant("protobuf-encode", "one field, protobufjs")
    ],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "protobuf-encode-mixed",
    title: "encoding a message of protobuf of 10 kinds of fields",
    subject: MicroExperiment.contestant("protobuf-encode", "mixed"),
    peers: [
      MicroExperiment.contestant("protobuf-encode", "mixed, protobuf-es"),
      MicroExperiment.contestant("protobuf-encode", "mixed, protobufjs")
    ],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "protobuf-encode-list",
    title: "encoding a message of protobuf of 100 messages of 3 fields",
    subject: MicroExperiment.contestant("protobuf-encode", "list"),
    peers: [
      MicroExperiment.contestant("protobuf-encode", "list, protobuf-es"),
      MicroExperiment.contestant("protobuf-encode", "list, protobufjs")
    ],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "protobuf-decode-one",
    title: "decoding a message of protobuf of one field of 11 characters",
    subject: MicroExperiment.contestant("protobuf-decode", "one field"),
    peers: [
      MicroExperiment.contestant("protobuf-decode", "one field, protobuf-es"),
      MicroExperiment.contestant("protobuf-decode", "one field, protobufjs")
    ],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "protobuf-decode-mixed",
    title: "decoding a message of protobuf of 10 kinds of fields",
    subject: MicroExperiment.contestant("protobuf-decode", "mixed"),
    peers: [
      MicroExperiment.contestant("protobuf-decode", "mixed, protobuf-es"),
      MicroExperiment.contestant("protobuf-decode", "mixed, protobufjs")
    ],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "protobuf-decode-list",
    title: "decoding a message of protobuf of 100 messages of 3 fields",
    subject: MicroExperiment.contestant("protobuf-decode", "list"),
    peers: [
      MicroExperiment.contestant("protobuf-decode", "list, protobuf-es"),
      MicroExperiment.contestant("protobuf-decode", "list, protobufjs")
    ],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "http2-request",
    title: "HTTP/2 GET / through the engine, 32 in a chunk, answered with 1 field and 11 B, a request",
    subject: MicroExperiment.contestant("http2-request", "constant fields"),
    peers: [
      MicroExperiment.contestant("http2-request", "new fields"),
      MicroExperiment.contestant("http2-request", "one by one")
    ],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "http2-served",
    title: "HTTP/2 GET /, from its bytes to the bytes of its response of 11 B, through Effect's HttpRouter",
    subject: MicroExperiment.contestant("http2-served", "HttpRouter"),
    peers: [
      MicroExperiment.contestant("http2-served", "HttpRouter, 32 at once"),
      MicroExperiment.contestant("http2-served", "a handler"),
      MicroExperiment.contestant("http2-served", "a handler, 32 at once")
    ],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "http2-decode",
    title: "reading frames of HTTP/2, HEADERS of 4 B and DATA of 11 B in turn, 64 in a chunk, a frame",
    subject: MicroExperiment.contestant("http2-frames", "decode"),
    peers: [
      MicroExperiment.contestant("http2-frames", "decode, cut"),
      MicroExperiment.contestant("http2-frames", "decode, by hand")
    ],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "http2-encode",
    title: "writing frames of HTTP/2, HEADERS of 4 B and DATA of 11 B in turn, 64 in a chunk, a frame",
    subject: MicroExperiment.contestant("http2-frames", "encode"),
    peers: [
      MicroExperiment.contestant("http2-frames", "encode, text"),
      MicroExperiment.contestant("http2-frames", "encode, by hand")
    ],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "hpack-decode",
    title: "decoding the header block of a browser that the connection has seen before, a field",
    subject: MicroExperiment.contestant("hpack-decode", "browser, again"),
    peers: [MicroExperiment.contestant("hpack-decode", "browser, again, by hand")],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "hpack-decode-first",
    title: "decoding the header block of a browser for the first time, a field",
    subject: MicroExperiment.contestant("hpack-decode", "browser, first"),
    peers: [MicroExperiment.contestant("hpack-decode", "browser, first, by hand")],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "hpack-decode-response",
    title: "decoding the header block of a response that the connection has seen before, a field",
    subject: MicroExperiment.contestant("hpack-decode", "response, again"),
    peers: [MicroExperiment.contestant("hpack-decode", "response, again, by hand")],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "hpack-encode",
    title: "encoding the header block of a response, a field",
    subject: MicroExperiment.contestant("hpack-encode", "response"),
    peers: [
      MicroExperiment.contestant("hpack-encode", "response, prepared"),
      MicroExperiment.contestant("hpack-encode", "browser")
    ],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "hpack-huffman",
    title: "Huffman code of 64 characters: decoding them, beside encoding and measuring",
    subject: MicroExperiment.contestant("hpack-huffman", "decode"),
    peers: [
      MicroExperiment.contestant("hpack-huffman", "encode"),
      MicroExperiment.contestant("hpack-huffman", "measure")
    ],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "policy-calls",
    title: "a call that does not wait, in a stack of six policies; beside it a bare one, and one policy each",
    subject: MicroExperiment.contestant("policy-calls", "a stack of six"),
    peers: [
      "bare",
      "Timeout",
      "Deadline",
      "Retry",
      "Hedge",
      "ConcurrencyLimit",
      "LoadShed",
      "CallBuffer",
      "RateLimit",
      "Coalesce",
      "AdaptiveLimit",
      "Metrics",
      "ResultCache",
      "CircuitBreaker"
    ].map((name) => MicroExperiment.contestant("policy-calls", name)),
    targets: {},
    experiment: MicroExperiment.experiment
  }
]
