import { assert, describe, it } from "@effect/vitest"
import * as WebSocketHandshake from "@sluice/core/protocol/websocket/WebSocketHandshake"

const key = "dGhlIHNhbXBsZSBub25jZQ=="
const acceptOfKey = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

const request = {
  by: "upgrade",
  method: "GET",
  upgrade: "websocket",
  connection: "Upgrade",
  key,
  version: "13",
  protocol: undefined,
  extensions: undefined
} satisfies WebSocketHandshake.Request

type Change = Partial<
  Record<"method" | "upgrade" | "connection" | "key" | "version" | "protocol" | "extensions", string | undefined>
>

const answer = (change: Change, options?: WebSocketHandshake.ServerOptions) =>
  WebSocketHandshake.answer({ ...request, ...change } as WebSocketHandshake.Request, options)

describe("a server opens", () => {
  const rows: ReadonlyArray<readonly [rule: string, change: Change, expected: Partial<WebSocketHandshake.Opened>]> = [
    ["RFC 6455 §1.3: the example", {}, { accept: acceptOfKey, protocol: undefined, extensions: undefined }],
    ["RFC 6455 §4.2.1: names in any case", { upgrade: "WebSocket", connection: "keep-alive, UPGRADE" }, {}],
    ["RFC 6455 §4.2.1: one of several upgrades", { upgrade: "h2c, websocket" }, {}],
    [
      "RFC 6455 §4.2.2: the first subprotocol of the client that is spoken",
      { protocol: "a, chat2 ,chat1" },
      { protocol: "chat2" }
    ],
    ["RFC 6455 §4.2.2: none that is spoken", { protocol: "a, b" }, { protocol: undefined }],
    ["RFC 6455 §9.1: extensions that are not known", { extensions: "x-a; b=1, x-c" }, { extensions: undefined }],
    ["RFC 7692 §5: no compression unless it is wanted", { extensions: "permessage-deflate" }, { deflate: undefined }]
  ]
  for (const [rule, change, expected] of rows) {
    it(rule, () => {
      const opened = answer(change, { protocols: ["chat1", "chat2"] })
      assert.strictEqual(opened._tag, "Opened")
      assert.deepInclude(opened, expected)
    })
  }
  it("RFC 7692 §5: compression, where both want it", () => {
    const opened = answer({ extensions: "permessage-deflate; client_max_window_bits" }, { deflate: {} })
    assert.deepInclude(opened, {
      extensions: "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
      deflate: { server: { context: "reset", windowBits: 15 }, client: { context: "reset", windowBits: 15 } }
    })
  })
  it("RFC 8441 §5: over HTTP/2 there is no key, and no upgrade", () => {
    const { extensions, protocol, version } = request
    const opened = WebSocketHandshake.answer({ by: "connect", version, protocol, extensions })
    assert.deepInclude(opened, { _tag: "Opened", accept: undefined })
  })
})

describe("a server refuses", () => {
  const rows: ReadonlyArray<readonly [rule: string, change: Change, status: 400 | 405 | 426, field: string]> = [
    ["RFC 6455 §4.1: another method", { method: "POST" }, 405, "method"],
    ["RFC 9110 §9.1: a method is case-sensitive", { method: "get" }, 405, "method"],
    ["RFC 6455 §4.2.1: no upgrade", { upgrade: undefined }, 400, "upgrade"],
    ["RFC 6455 §4.2.1: another upgrade", { upgrade: "h2c" }, 400, "upgrade"],
    ["RFC 6455 §4.2.1: no connection", { connection: undefined }, 400, "connection"],
    ["RFC 6455 §4.2.1: a connection without upgrade", { connection: "keep-alive" }, 400, "connection"],
    ["RFC 6455 §4.2.1: no key", { key: undefined }, 400, "sec-websocket-key"],
    ["RFC 6455 §4.2.1: a key that is too short", { key: "dGhlIHNhbXBsZQ==" }, 400, "sec-websocket-key"],
    ["RFC 6455 §4.2.1: two keys", { key: `${key}, ${key}` }, 400, "sec-websocket-key"],
    ["RFC 6455 §4.4: no version", { version: undefined }, 426, "sec-websocket-version"],
    ["RFC 6455 §4.4: an older version", { version: "8" }, 426, "sec-websocket-version"],
    ["RFC 6455 §4.4: two versions", { version: "13, 8" }, 426, "sec-websocket-version"],
    ["RFC 6455 §11.3.4: an empty subprotocol", { protocol: "" }, 400, "sec-websocket-protocol"],
    ["RFC 6455 §11.3.4: a subprotocol that is no token", { protocol: "a b" }, 400, "sec-websocket-protocol"],
    ["RFC 6455 §4.1: a subprotocol twice", { protocol: "a, b, a" }, 400, "sec-websocket-protocol"],
    ["RFC 6455 §9.1: extensions against the grammar", { extensions: "a b" }, 400, "sec-websocket-extensions"]
  ]
  for (const [rule, change, status, field] of rows) {
    it(rule, () => {
      const refused = answer(change)
      assert.deepInclude(refused, { _tag: "HandshakeInvalid", status, field })
    })
  }
})

describe("a client", () => {
  const asked = WebSocketHandshake.ask({ protocols: ["chat", "v2.chat"], deflate: {} })
  const response = {
    by: "upgrade",
    status: 101,
    upgrade: "websocket",
    connection: "Upgrade",
    accept: acceptOfKey,
    key,
    protocol: undefined,
    extensions: undefined
  } satisfies WebSocketHandshake.Response
  type ResponseChange = Partial<Record<keyof typeof response, string | number | undefined>>
  const verify = (change: ResponseChange, what = asked) =>
    WebSocketHandshake.verify(what, { ...response, ...change } as WebSocketHandshake.Response)

  it("RFC 6455 §4.1: asks", () => {
    assert.deepInclude(asked, {
      version: "13",
      protocol: "chat, v2.chat",
      extensions: "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits"
    })
    assert.deepInclude(WebSocketHandshake.ask(), { protocol: undefined, extensions: undefined })
  })
  for (const protocols of [["a b"], [""], ["a", "a"]]) {
    it(`cannot ask for <${protocols}>`, () => assert.throws(() => WebSocketHandshake.ask({ protocols }), RangeError))
  }
  it("RFC 6455 §4.1: is let in", () => {
    assert.deepInclude(verify({ upgrade: "WebSocket", connection: "x, upgrade", protocol: "v2.chat" }), {
      _tag: "Opened",
      protocol: "v2.chat",
      deflate: undefined
    })
  })
  it("RFC 7692 §5: and its compression is confirmed", () => {
    const opened = verify({ extensions: "permessage-deflate; server_no_context_takeover; client_max_window_bits=10" })
    assert.deepInclude(opened, {
      deflate: { server: { context: "reset", windowBits: 15 }, client: { context: "reset", windowBits: 10 } }
    })
  })
  it("RFC 8441 §5: is let in over HTTP/2", () => {
    const { extensions, protocol } = response
    for (const [status, tag] of [
      [200, "Opened"],
      [299, "Opened"],
      [101, "HandshakeRefused"],
      [403, "HandshakeRefused"]
    ] as const) {
      assert.strictEqual(WebSocketHandshake.verify(asked, { by: "connect", status, protocol, extensions })._tag, tag)
    }
  })
  const rows: ReadonlyArray<readonly [rule: string, change: ResponseChange, field: string]> = [
    ["RFC 6455 §4.1: another status", { status: 200 }, "status"],
    ["RFC 6455 §4.1: no upgrade", { upgrade: undefined }, "upgrade"],
    ["RFC 6455 §4.1: no connection", { connection: "close" }, "connection"],
    ["RFC 6455 §4.1: no accept", { accept: undefined }, "sec-websocket-accept"],
    ["RFC 6455 §4.1: the accept of another key", { accept: "AAAA" }, "sec-websocket-accept"],
    ["RFC 6455 §4.1: a subprotocol that was not asked for", { protocol: "other" }, "sec-websocket-protocol"],
    ["RFC 6455 §4.1: two subprotocols", { protocol: "chat, v2.chat" }, "sec-websocket-protocol"],
    ["RFC 6455 §9.1: an extension that was not offered", { extensions: "x-a" }, "sec-websocket-extensions"],
    ["RFC 6455 §9.1: extensions against the grammar", { extensions: "a b" }, "sec-websocket-extensions"],
    ["RFC 7692 §5: an answer that does not fit", { extensions: "permessage-deflate" }, "sec-websocket-extensions"],
    [
      "RFC 7692 §5: the extension twice",
      { extensions: "permessage-deflate; server_no_context_takeover, permessage-deflate" },
      "sec-websocket-extensions"
    ]
  ]
  for (const [rule, change, field] of rows) {
    it(rule, () => assert.deepInclude(verify(change), { _tag: "HandshakeRefused", field }))
  }
  it("RFC 6455 §9.1: compression that was not asked for", () => {
    const refused = verify({ extensions: "permessage-deflate" }, WebSocketHandshake.ask())
    assert.deepInclude(refused, { _tag: "HandshakeRefused", field: "sec-websocket-extensions" })
  })
})
