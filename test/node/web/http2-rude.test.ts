/** Clients that say one version and speak another, or nothing: what they get, and that the server goes on. */
import * as Tls from "node:tls"
import { assert, describe, it } from "@effect/vitest"
import * as HttpHello from "@sluice/examples/http-hello"
import * as Effect from "effect/Effect"
import { identity } from "../../harness/Certificates.ts"
import * as Wire from "../../harness/Http2Wire.ts"
import { leaveNoHandles } from "../../harness/NodeHandles.ts"
import * as NodeHttp2 from "../../harness/NodeHttp2.ts"
import * as HttpWire from "./HttpWire.ts"
import * as Served from "./Served.ts"

leaveNoHandles()

const preface = Buffer.from(Wire.preface).toString("latin1")

const request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

const timeouts = { headTimeout: "50 millis", idleTimeout: "100 millis", closeTimeout: "50 millis" } as const

const tls = { certificates: identity("a") }

type Protocol = "cleartext" | "h2" | "http/1.1" | "none"

/** Says `parts`, a chunk each, and reads to the end. */
const say = (protocol: Protocol, parts: ReadonlyArray<string | Uint8Array>, options: object = {}) =>
  Effect.gen(function* () {
    const { port, url } = yield* Served.routes(HttpHello.routes, {
      ...timeouts,
      ...(protocol !== "cleartext" && { tls }),
      ...options
    })
    const secure = { host: "127.0.0.1", port, rejectUnauthorized: false, allowHalfOpen: true }
    const socket =
      protocol === "cleartext"
        ? undefined
        : Tls.connect({ ...secure, ...(protocol !== "none" && { ALPNProtocols: [protocol] }) })
    const wire = yield* HttpWire.connect(port, socket)
    for (const part of parts) {
      wire.socket.write(part)
      yield* Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
    }
    const { ending, text } = yield* wire.rest
    const heard = text.startsWith("HTTP/") ? [...text.matchAll(/HTTP\/1.1 \d+ .*(?=\r\n)/g)].join("; ") : framesOf(text)
    // Nobody else has noticed.
    const session = yield* NodeHttp2.connect(protocol === "cleartext" ? url : url.replace("http", "https"))
    assert.strictEqual((yield* NodeHttp2.ask(session, { ":path": "/" })).status, 200)
    return { ending, heard }
  })

/** All but SETTINGS and windows. */
const framesOf = (text: string): string =>
  new Wire.Reader()
    .read(Buffer.from(text, "latin1"))
    .filter((line) => !/^(SETTINGS|WINDOW_UPDATE 0)/.test(line))
    .map((line) => line.replace(/(:status=200).*/, "$1"))
    .join("; ")

type Row = readonly [what: string, parts: ReadonlyArray<string | Uint8Array>, expected: string]

const ask = Wire.headers(1, Wire.get(), "END_STREAM")

const idle = "GOAWAY 2147483647 NO_ERROR; PING 00 00 00 00 00 00 00 01"

const silent = "GOAWAY 0 ENHANCE_YOUR_CALM"

const rows: Readonly<Record<Protocol, ReadonlyArray<Row>>> = {
  cleartext: [
    ["nothing", [], ""],
    ["half a request line, which a preface is", [preface.slice(0, 12)], "HTTP/1.1 408 Request Timeout"],
    ["the request line of the preface", [preface.slice(0, 18)], "HTTP/1.1 505 HTTP Version Not Supported"],
    ["all of it but a byte", [preface.slice(0, -1)], "HTTP/1.1 505 HTTP Version Not Supported"],
    ["one that goes wrong", [preface.slice(0, 18), "GET"], "HTTP/1.1 505 HTTP Version Not Supported"],
    ["one of HTTP/3", ["PRI * HTTP/3.0\r\n\r\nSM\r\n\r\n"], "HTTP/1.1 505 HTTP Version Not Supported"],
    ["a preface, and no SETTINGS", [preface], silent],
    ["a preface, SETTINGS, and no request", [preface, Wire.settings()], `${idle}; GOAWAY 0 NO_ERROR`],
    ["half a head", [preface, Wire.settings(), Wire.headers(1, Wire.get(), "MORE")], silent],
    ["a request line behind the preface", [preface, request], "GOAWAY 0 FRAME_SIZE_ERROR"],
    ["the preface twice", [preface, Wire.settings(), preface], "GOAWAY 0 FRAME_SIZE_ERROR"],
    ["another frame before SETTINGS", [preface, Wire.ping(), Wire.settings()], "GOAWAY 0 PROTOCOL_ERROR"],
    [
      "a preface in single bytes",
      [...preface, Wire.settings(), ask],
      `HEADERS 1 :status=200; DATA 1 'hello world' END_STREAM; ${idle}; GOAWAY 1 NO_ERROR`
    ],
    [
      "a preface behind a request of HTTP/1.1",
      [request.replace("close", "keep-alive"), preface],
      "HTTP/1.1 200 OK; HTTP/1.1 505 HTTP Version Not Supported"
    ],
    ["frames without a preface", [Wire.settings(), ask], "HTTP/1.1 400 Bad Request"],
    ["a handshake of TLS", [Buffer.from("1603010200010001fc0303", "hex")], "HTTP/1.1 400 Bad Request"]
  ],
  h2: [
    ["nothing", [], silent],
    ["half a preface", [preface.slice(0, 12)], silent],
    ["HTTP/1.1", [request], "GOAWAY 0 PROTOCOL_ERROR"],
    ["HTTP/1.1 that begins as the preface does", ["PRI /"], "GOAWAY 0 PROTOCOL_ERROR"]
  ],
  "http/1.1": [["HTTP/2", [preface, Wire.settings(), ask], "HTTP/1.1 505 HTTP Version Not Supported"]],
  none: [
    ["HTTP/2", [preface, Wire.settings(), ask], "HTTP/1.1 505 HTTP Version Not Supported"],
    ["HTTP/1.1", [request], "HTTP/1.1 200 OK"]
  ]
}

for (const [protocol, each] of Object.entries(rows) as ReadonlyArray<[Protocol, ReadonlyArray<Row>]>) {
  describe(`${protocol === "cleartext" ? "" : "ALPN: "}${protocol}`, () => {
    for (const [what, parts, expected] of each) {
      it.live(`a client says ${what}`, () =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* say(protocol, parts), { ending: "end", heard: expected })
        })
      )
    }
  })
}

describe("options", () => {
  const h2c = [preface, Wire.settings(), ask]

  it.live('http2: "off" refuses what begins with the preface', () =>
    Effect.gen(function* () {
      const { wire } = yield* Served.routes(HttpHello.routes, { http2: "off" })
      const client = yield* wire
      client.send(preface)
      assert.strictEqual((yield* client.response()).status, 505)
    })
  )

  it.live('http2: "off" offers no h2', () =>
    Effect.gen(function* () {
      const { port } = yield* Served.routes(HttpHello.routes, { http2: "off", tls })
      const alpn = yield* Effect.callback<string | false | null>((resume) => {
        const ALPNProtocols = ["h2", "http/1.1"]
        const socket = Tls.connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols }, () => {
          resume(Effect.succeed(socket.alpnProtocol))
          socket.destroy()
        })
      })
      assert.strictEqual(alpn, "http/1.1")
    })
  )

  it.live("RFC 9113 §6.5.3: SETTINGS that are not acknowledged are SETTINGS_TIMEOUT", () =>
    Effect.gen(function* () {
      const http2 = { settingsTimeout: "50 millis", idleTimeout: "1 minute" } as const
      const { heard } = yield* say("cleartext", h2c, { http2 })
      assert.match(heard, /'hello world' END_STREAM; GOAWAY 1 SETTINGS_TIMEOUT$/)
    })
  )

  it.live("a client that is answered, and vanishes, leaves nothing behind", () =>
    Effect.gen(function* () {
      const { server, wire } = yield* Served.routes(HttpHello.routes)
      const client = yield* wire
      client.send(Buffer.concat(h2c.map((part) => Buffer.from(part as string))))
      yield* Effect.callback<void>((resume) => void client.socket.once("data", () => resume(Effect.void)))
      client.socket.resetAndDestroy()
      yield* Effect.repeat(Effect.yieldNow, {
        until: () => Effect.map(server.stats, (stats) => stats.accepted === 1 && stats.open === 0)
      })
    })
  )
})
