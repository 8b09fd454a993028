import { assert, describe, it } from "@effect/vitest"
import type * as Http1Options from "@sluice/core/protocol/http1/Http1Options"
import { EnginePair } from "../../../harness/EnginePair.ts"
import { answering, atEverySplit, bytes, ClientSide, ServerSide, sent } from "./Recorder.ts"

const headers = { host: "a" }
const get = { method: "GET", target: "/", headers }

/** A client that has sent a request. */
const asked = (method = "GET", options: Http1Options.Options = {}): ClientSide => {
  const side = new ClientSide(options)
  const target = method === "CONNECT" ? "a:1" : "/"
  assert.isUndefined(side.engine.request({ method, target, headers }, undefined, 0))
  sent(side.engine)
  return side
}

describe("responses", () => {
  const ok = "HTTP/1.1 200 OK\r\n"
  const cases: ReadonlyArray<readonly [rule: string, method: string, wire: string, calls: ReadonlyArray<string>]> = [
    [
      "RFC 9112 §6.2: by Content-Length",
      "GET",
      `${ok}Content-Length: 2\r\n\r\nhi`,
      ["200 Length 2", "body hi", "end", "reusable"]
    ],
    ["RFC 9112 §6.2: of no bytes", "GET", `${ok}Content-Length: 0\r\n\r\n`, ["200 Empty 0", "reusable"]],
    [
      "RFC 9112 §7.1: in chunks, with trailers",
      "GET",
      `${ok}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nA: b\r\n\r\n`,
      ["200 Chunked", "body hi", 'end {"a":"b"}', "reusable"]
    ],
    ["RFC 9112 §6.3 rule 1: to HEAD", "HEAD", `${ok}Content-Length: 5\r\n\r\n`, ["200 Empty 5", "reusable"]],
    [
      "RFC 9112 §6.3 rule 1: to HEAD, in chunks",
      "HEAD",
      `${ok}Transfer-Encoding: chunked\r\n\r\n`,
      ["200 Empty", "reusable"]
    ],
    ["RFC 9112 §6.3 rule 1: 204", "GET", "HTTP/1.1 204 No Content\r\n\r\n", ["204 Empty", "reusable"]],
    [
      "RFC 9112 §6.3 rule 1: 304",
      "GET",
      "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
      ["304 Empty 9", "reusable"]
    ],
    [
      "RFC 9110 §15.2: interim responses",
      "GET",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 204 \r\n\r\n",
      ["interim 100", "interim 103", "204 Empty", "reusable"]
    ],
    ["RFC 9112 §4 (more lenient): no space behind the code", "GET", "HTTP/1.1 204\r\n\r\n", ["204 Empty", "reusable"]],
    ["RFC 9112 §9.3: close", "GET", "HTTP/1.1 204 \r\nConnection: close\r\n\r\n", ["204 Empty", "closing"]],
    ["RFC 9112 §9.3: HTTP/1.0", "GET", "HTTP/1.0 204 \r\n\r\n", ["204 Empty", "closing"]],
    ["RFC 9110 §9.3.6: a tunnel", "CONNECT", `${ok}Content-Length: 3\r\n\r\nraw`, ["upgrade 200 ", "raw raw"]],
    [
      "RFC 9110 §9.3.6: a tunnel that is refused",
      "CONNECT",
      "HTTP/1.1 403 \r\nContent-Length: 0\r\n\r\n",
      ["403 Empty 0", "reusable"]
    ],
    [
      "RFC 9112 §6.3: both lengths",
      "GET",
      `${ok}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n`,
      ["violation InvalidFraming"]
    ],
    [
      "RFC 9112 §6.3: two lengths",
      "GET",
      `${ok}Content-Length: 2\r\nContent-Length: 3\r\n\r\n`,
      ["violation InvalidFraming"]
    ],
    [
      "RFC 9112 §6.3: a coding that is not chunked",
      "GET",
      `${ok}Transfer-Encoding: gzip\r\n\r\n`,
      ["violation UnsupportedCoding"]
    ],
    ["RFC 9112 §2.3: another major version", "GET", "HTTP/2.0 200 OK\r\n\r\n", ["violation UnsupportedVersion"]],
    ["RFC 9112 §4: a status of two digits", "GET", "HTTP/1.1 20 OK\r\n\r\n", ["violation MalformedHead"]],
    ["RFC 9112 §4: a status below 100", "GET", "HTTP/1.1 099 OK\r\n\r\n", ["violation MalformedHead"]],
    ["RFC 9112 §2.2: an empty line in front is for servers only", "GET", `\r\n${ok}\r\n`, ["violation MalformedHead"]],
    [
      "RFC 9112 §4: a bare LF in the phrase, at the end of a chunk",
      "GET",
      "HTTP/1.1 100 x\nA: b\r\n\r\n",
      ["violation MalformedHead"]
    ],
    [
      "RFC 9110 §15.2.2: an upgrade that nobody asked for",
      "GET",
      "HTTP/1.1 101 \r\nUpgrade: x\r\n\r\n",
      ["violation UnexpectedResponse"]
    ],
    [
      "too many interim responses",
      "GET",
      "HTTP/1.1 103 \r\n\r\n".repeat(33),
      [...Array.from({ length: 32 }, () => "interim 103"), "violation TooManyInterimResponses"]
    ]
  ]
  for (const [rule, method, wire, calls] of cases) {
    it(rule, () => {
      for (const side of atEverySplit(() => asked(method), wire)) {
        // The rest behind an upgrade comes with it, or after it.
        const heard = side.calls.flatMap((call) => (call === "upgrade 200 raw" ? ["upgrade 200 ", "raw raw"] : [call]))
        const joined = heard
          .join("\n")
          .replace(/upgrade 200 (\w+)\nraw (\w+)/, "upgrade 200 \nraw $1$2")
          .split("\n")
        assert.deepStrictEqual(joined, calls)
        assert.strictEqual(sent(side.engine), "")
      }
    })
  }
  it("RFC 9112 §6.3 rule 8: until the connection closes", () => {
    for (const side of atEverySplit(asked, `${ok}A: b\r\n\r\nhello`)) {
      assert.deepStrictEqual(side.calls, ["200 UntilClose", "body hello"])
      side.engine.receiveEnd(0)
      assert.deepStrictEqual(side.calls.slice(2), ["end", "closing"])
      assert.strictEqual(side.engine.output.closing, "end")
    }
  })
  it("RFC 9112 §6.3 rule 8: a transport that is lost is no end of a body", () => {
    const side = asked()
    side.engine.receive(bytes(`${ok}\r\nhello`), 0)
    side.engine.receiveClose(0)
    assert.deepStrictEqual(side.calls, ["200 UntilClose", "body hello", "violation Truncated", "close"])
  })
  it("RFC 9110 §15: a status above 599, and the reason phrase", () => {
    const side = asked()
    side.engine.receive(bytes("HTTP/1.1 799 Odd one\r\nContent-Length: 0\r\nSet-Cookie: a\r\nset-cookie: b\r\n\r\n"), 0)
    assert.strictEqual(side.heads[0]?.status, 799)
    assert.strictEqual(side.heads[0]?.reason, "Odd one")
    assert.deepStrictEqual(side.heads[0]?.setCookies(), ["a", "b"])
  })
})

describe("a response that does not come to its end says what had come", () => {
  const cases: ReadonlyArray<readonly [received: string, wire: string]> = [
    ["nothing", ""],
    ["interim", "HTTP/1.1 100 Continue\r\n\r\n"],
    ["part of the head", "H"],
    ["part of the head", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"],
    ["part of the body", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"],
    ["part of the body", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"]
  ]
  for (const [received, wire] of cases) {
    for (const how of ["receiveEnd", "receiveClose"] as const) {
      it(`RFC 9112 §8: ${received}, at ${how}: ${JSON.stringify(wire)}`, () => {
        for (const side of atEverySplit(asked, wire)) {
          side.engine[how](0)
          const [violation] = side.violations
          assert.strictEqual<unknown>(violation?._tag === "Truncated" && violation.received, received)
          assert.strictEqual(side.violations.length, 1)
        }
      })
    }
  }
  it("an idle connection that ends has lost nothing", () => {
    const side = new ClientSide()
    side.engine.receiveEnd(0)
    side.engine.receiveClose(0)
    assert.deepStrictEqual(side.calls, ["close"])
  })
})

describe("RFC 9112 §9.2: what answers no request", () => {
  it("bytes on an idle connection", () => {
    const side = new ClientSide()
    side.engine.receive(bytes("H"), 0)
    assert.deepStrictEqual(side.calls, ["violation UnexpectedResponse"])
    assert.strictEqual(side.engine.output.closing, "abort")
  })
  it("bytes behind a response are not the answer to the next request", () => {
    const side = asked()
    const empty = "HTTP/1.1 204 \r\n\r\n"
    side.engine.receive(bytes(empty + empty), 0)
    assert.deepStrictEqual(side.calls, ["204 Empty", "closing", "violation UnexpectedResponse"])
    assert.strictEqual(side.engine.request(get, undefined, 0)?._tag, "ConnectionEnded")
  })
  it("a body behind a 204", () => {
    const side = asked()
    side.engine.receive(bytes("HTTP/1.1 204 \r\nContent-Length: 2\r\n\r\nhi"), 0)
    assert.strictEqual(side.calls.at(-1), "violation UnexpectedResponse")
  })
})

describe("requests", () => {
  const wireOf = (run: (side: ClientSide) => unknown): string => {
    const side = new ClientSide()
    run(side)
    return sent(side.engine)
  }
  it("RFC 9112 §3.2: Host is first, and has to be known", () => {
    assert.strictEqual(
      wireOf(({ engine }) => engine.request({ ...get, headers: { accept: "*/*", host: "a:1" } }, undefined, 0)),
      "GET / HTTP/1.1\r\nhost: a:1\r\naccept: */*\r\n\r\n"
    )
    assert.strictEqual(
      wireOf(({ engine }) => engine.request({ method: "CONNECT", target: "a:1", headers: {} }, undefined, 0)),
      "CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n"
    )
    assert.strictEqual(new ClientSide().engine.request({ ...get, headers: {} }, undefined, 0)?._tag, "InvalidMessage")
  })
  it("RFC 9110 §8.6: a whole body has its length; POST says 0", () => {
    const post = { method: "POST", target: "/", headers }
    assert.strictEqual(
      wireOf(({ engine }) => engine.request(post, "é", 0)),
      "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n\xc3\xa9"
    )
    assert.strictEqual(
      wireOf(({ engine }) => engine.request(post, undefined, 0)),
      "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n"
    )
  })
  it("RFC 9112 §7.1: a body in chunks, with trailers", () => {
    assert.strictEqual(
      wireOf(({ engine }) => {
        engine.beginRequest({ method: "POST", target: "/", headers }, 0)
        engine.writeBody("hello", 0)
        engine.writeBody("", 0)
        engine.endBody({ "x-sum": "1" }, 0)
      }),
      "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n"
    )
  })
  it("what cannot be sent is refused, and nothing of it is sent", () => {
    const bad = [
      { ...get, method: "GET /x HTTP/1.1\r\nX:" },
      { ...get, method: "" },
      { ...get, target: "/ HTTP/1.1\r\nX: y" },
      { ...get, target: "/\xe9" },
      { ...get, target: "*" },
      { ...get, headers: { ...headers, "x\r\ny": "" } },
      { ...get, headers: { ...headers, x: "a\r\nb" } },
      { ...get, headers: { ...headers, x: "a\0" } },
      { ...get, headers: { ...headers, x: "€" } },
      { ...get, headers: { host: "a/b" } },
      { ...get, headers: { ...headers, "content-length": "3" } },
      { ...get, headers: { ...headers, "transfer-encoding": "gzip" } }
    ]
    for (const parts of bad) {
      const side = new ClientSide()
      assert.strictEqual(side.engine.request(parts, undefined, 0)?._tag, "InvalidMessage", JSON.stringify(parts))
      assert.strictEqual(sent(side.engine), "")
      assert.isUndefined(side.engine.request(get, undefined, 0))
    }
  })
  it("one at a time", () => {
    const side = asked()
    const refused = side.engine.request(get, undefined, 0)
    assert.deepStrictEqual(refused?._tag === "OutOfOrder" && refused.state, "AwaitingResponse")
  })
  it("an answer before the request is complete ends the connection behind it", () => {
    const side = new ClientSide()
    side.engine.beginRequest({ method: "POST", target: "/", headers }, 0)
    side.engine.receive(bytes("HTTP/1.1 413 \r\nContent-Length: 1\r\n\r\nx"), 0)
    assert.deepStrictEqual(side.calls, ["413 Length 1", "body x", "end", "closing"])
    assert.strictEqual(side.engine.writeBody("a", 0)?._tag, "ConnectionEnded")
  })
  it("close waits for the exchange", () => {
    const side = asked()
    side.engine.close(0)
    assert.strictEqual(side.engine.output.closing, "open")
    side.engine.receive(bytes("HTTP/1.1 204 \r\n\r\n"), 0)
    assert.strictEqual(side.calls.at(-1), "closing")
    assert.strictEqual(side.engine.output.closing, "end")
  })
})

describe("deadlines of a client", () => {
  const lateAt = (side: ClientSide, millis: number, waitedFor: string) => {
    side.engine.advance(millis - 1)
    assert.deepStrictEqual(side.violations, [])
    side.engine.advance(millis)
    const [violation] = side.violations
    assert.strictEqual<unknown>(violation?._tag === "ReceiveTimeout" && violation.waitedFor, waitedFor)
    assert.strictEqual(side.engine.output.closing, "abort")
  }
  it("5 minutes for the first byte, anew behind an interim response", () => {
    lateAt(asked(), 300_000, "response")
    const side = asked()
    side.engine.receive(bytes("HTTP/1.1 100 \r\n\r\n"), 1_000)
    lateAt(side, 301_000, "response")
  })
  it("30 s for the head, and 30 s for each part of the body", () => {
    const side = asked()
    side.engine.receive(bytes("H"), 1_000)
    side.engine.receive(bytes("T"), 2_000)
    lateAt(side, 31_000, "head")
    const other = asked()
    other.engine.receive(bytes("HTTP/1.1 200 \r\nContent-Length: 3\r\n\r\na"), 0)
    other.engine.receive(bytes("b"), 20_000)
    lateAt(other, 50_000, "body")
  })
  it("none while nothing is asked", () => {
    assert.strictEqual(new ClientSide().engine.deadlineMillis, Number.POSITIVE_INFINITY)
  })
})

describe("both roles in conversation", () => {
  const cuts = [undefined, (data: Uint8Array) => Array.from(data, (byte) => Uint8Array.of(byte))]
  for (const cut of cuts) {
    it(`three exchanges, then close${cut === undefined ? "" : ", byte by byte"}`, () => {
      const client = new ClientSide()
      const server = new ServerSide(answering)
      const pair = new EnginePair(client.engine, server.engine, { cut, latencyMillis: 5 })
      client.engine.request({ ...get, target: "/1" }, undefined, pair.nowMillis)
      pair.settle()
      client.engine.beginRequest({ method: "PUT", target: "/2", headers }, pair.nowMillis)
      client.engine.writeBody("some", pair.nowMillis)
      pair.settle()
      client.engine.endBody({ "x-t": "1" }, pair.nowMillis)
      pair.settle()
      client.engine.request({ ...get, headers: { ...headers, connection: "close" } }, undefined, pair.nowMillis)
      pair.settle()
      assert.deepStrictEqual(server.calls, [
        "GET /1 Empty",
        "PUT /2 Chunked",
        "body some",
        'end {"x-t":"1"}',
        "GET / Empty",
        "close"
      ])
      assert.deepStrictEqual(client.calls, [
        ...["200 Length 6", "body GET /1", "end", "reusable"],
        ...["200 Length 6", "body PUT /2", "end", "reusable"],
        ...["200 Length 5", "body GET /", "end", "closing", "close"]
      ])
      assert.deepStrictEqual(pair.transports, { left: "closed", right: "closed" })
    })
  }
  it("an upgrade: raw bytes both ways, and a half-close", () => {
    const client = new ClientSide()
    const server = new ServerSide({
      onRequest: (head, { engine }) => {
        assert.strictEqual(head.upgrade, "echo")
        engine.upgrade({ status: 101, headers: { upgrade: "echo" } }, 0)
        engine.sendRaw(bytes("hello"), 0)
      }
    })
    const pair = new EnginePair(client.engine, server.engine)
    client.engine.request({ ...get, headers: { ...headers, upgrade: "echo" } }, undefined, 0)
    pair.settle()
    client.engine.sendRaw(bytes("bye"), 0)
    client.engine.endRaw(0)
    pair.settle()
    assert.deepStrictEqual(server.calls, ["GET / Empty", "upgrade ", "raw bye", "peer end"])
    server.engine.endRaw(0)
    pair.settle()
    assert.deepStrictEqual(client.calls, ["upgrade 101 ", "raw hello", "peer end", "close"])
  })
  it("RFC 9110 §7.8: an upgrade behind all that was announced, before the owner says that it was all", () => {
    for (const [body, calls] of [
      ["hi", ["upgrade 101 raw"]],
      ["h", ["violation UnexpectedResponse"]]
    ] as const) {
      const side = new ClientSide()
      const fields = { ...headers, upgrade: "echo", "content-length": "2" }
      assert.isUndefined(side.engine.beginRequest({ ...get, headers: fields }, 0))
      assert.isUndefined(side.engine.writeBody(body, 0))
      side.engine.receive(bytes("HTTP/1.1 101 \r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\nraw"), 0)
      assert.deepStrictEqual(side.calls, [...calls])
    }
  })
  it("RFC 9110 §10.1.1: 100-continue", () => {
    const client = new ClientSide()
    const server = new ServerSide({
      onRequest: (head, { engine }) => {
        assert.isTrue(head.expectsContinue)
        engine.writeInterim(100, {}, 0)
      },
      onWhole: answering.onWhole!
    })
    const pair = new EnginePair(client.engine, server.engine)
    const parts = { method: "PUT", target: "/", headers: { ...headers, expect: "100-continue", "content-length": "2" } }
    client.engine.beginRequest(parts, 0)
    pair.settle()
    assert.deepStrictEqual(client.calls, ["interim 100"])
    client.engine.writeBody("hi", 0)
    client.engine.endBody(undefined, 0)
    pair.settle()
    assert.strictEqual(client.calls.at(-1), "reusable")
  })
  it("a server that is idle for too long, and a client that asks at that moment", () => {
    const client = new ClientSide()
    const server = new ServerSide(answering)
    const pair = new EnginePair(client.engine, server.engine, { latencyMillis: 10 })
    pair.advance(65_000)
    client.engine.request(get, undefined, pair.nowMillis)
    pair.settle()
    const [violation] = client.violations
    assert.strictEqual(violation?._tag === "Truncated" && violation.received, "nothing")
    assert.deepStrictEqual(server.calls, ["close"])
  })
})
