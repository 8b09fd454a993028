import { assert, describe, it } from "@effect/vitest"
import * as DeflateParameters from "@sluice/core/protocol/websocket/WebSocketDeflateParameters"
import * as WebSocketExtensions from "@sluice/core/protocol/websocket/WebSocketExtensions"

/** `server/client`, each with its context and bits: `reset 15`. */
const show = ({ client, server }: DeflateParameters.Parameters): string =>
  `${server.context} ${server.windowBits} / ${client.context} ${client.windowBits}`

const chosen = (offers: string, options?: DeflateParameters.Options): readonly [string, string] | undefined => {
  const agreement = DeflateParameters.choose(WebSocketExtensions.parse(offers)!, options)
  return agreement && [WebSocketExtensions.format([agreement.answer]), show(agreement.parameters)]
}

const keep: DeflateParameters.Options = { serverContext: "keep", clientContext: "keep" }
const small: DeflateParameters.Options = { ...keep, serverWindowBits: 10, clientWindowBits: 11 }

describe("a server chooses", () => {
  type Row = readonly [
    rule: string,
    offers: string,
    options: DeflateParameters.Options | undefined,
    answer: string,
    parameters: string
  ]
  const rows: ReadonlyArray<Row> = [
    [
      "by default each message stands alone",
      "permessage-deflate",
      undefined,
      "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
      "reset 15 / reset 15"
    ],
    ["RFC 7692 §7.1: nothing asked for", "permessage-deflate", keep, "permessage-deflate", "keep 15 / keep 15"],
    [
      "RFC 7692 §7.1.1.1: server_no_context_takeover is honoured",
      "permessage-deflate; server_no_context_takeover",
      keep,
      "permessage-deflate; server_no_context_takeover",
      "reset 15 / keep 15"
    ],
    [
      "RFC 7692 §7.1.1.2: client_no_context_takeover is taken up",
      "permessage-deflate; client_no_context_takeover",
      keep,
      "permessage-deflate; client_no_context_takeover",
      "keep 15 / reset 15"
    ],
    [
      "RFC 7692 §7.1.2.1: server_max_window_bits is honoured",
      "permessage-deflate; server_max_window_bits=9",
      keep,
      "permessage-deflate; server_max_window_bits=9",
      "keep 9 / keep 15"
    ],
    [
      "RFC 7692 §7.1.2.1: the largest one is answered too",
      "permessage-deflate; server_max_window_bits=15",
      keep,
      "permessage-deflate; server_max_window_bits=15",
      "keep 15 / keep 15"
    ],
    [
      "RFC 7692 §7.1.2.1: a smaller window may be answered",
      "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12",
      small,
      "permessage-deflate; server_max_window_bits=10; client_max_window_bits=11",
      "keep 10 / keep 11"
    ],
    [
      "RFC 7692 §7.1.2.2: client_max_window_bits without a value",
      "permessage-deflate; client_max_window_bits",
      small,
      "permessage-deflate; server_max_window_bits=10; client_max_window_bits=11",
      "keep 10 / keep 11"
    ],
    [
      "RFC 7692 §7.1.2.2: no client_max_window_bits is answered where none was offered",
      "permessage-deflate",
      small,
      "permessage-deflate; server_max_window_bits=10",
      "keep 10 / keep 15"
    ],
    [
      "RFC 7692 §7.1.2.2: the client's own smaller window",
      "permessage-deflate; client_max_window_bits=8",
      keep,
      "permessage-deflate; client_max_window_bits=8",
      "keep 15 / keep 8"
    ],
    [
      "RFC 7692 §5: the first offer that can be taken",
      "permessage-deflate; unknown, x-other, permessage-deflate; server_max_window_bits=9, permessage-deflate",
      keep,
      "permessage-deflate; server_max_window_bits=9",
      "keep 9 / keep 15"
    ],
    [
      "RFC 7692 §7.1: a quoted value",
      'permessage-deflate; server_max_window_bits="10"',
      keep,
      "permessage-deflate; server_max_window_bits=10",
      "keep 10 / keep 15"
    ]
  ]
  for (const [rule, offers, options, answer, parameters] of rows) {
    it(rule, () => assert.deepStrictEqual(chosen(offers, options), [answer, parameters]))
  }
})

const bad = [
  "unknown",
  "unknown=1",
  "server_no_context_takeover=1",
  "client_no_context_takeover=true",
  "server_max_window_bits",
  "server_max_window_bits=7",
  "server_max_window_bits=16",
  "server_max_window_bits=08",
  "server_max_window_bits=+8",
  "client_max_window_bits=7",
  "client_max_window_bits=16",
  "client_max_window_bits=1e1",
  "server_no_context_takeover; server_no_context_takeover",
  "client_max_window_bits; client_max_window_bits=10"
]

describe("RFC 7692 §7.1: offers that a server declines", () => {
  for (const parameters of bad) {
    it(parameters, () => assert.isUndefined(chosen(`permessage-deflate; ${parameters}`, keep)))
  }
  it("other extensions", () => assert.isUndefined(chosen("x-webkit-deflate-frame, permessage-bzip2", keep)))
  it("no offer", () => assert.isUndefined(chosen("", keep)))
})

describe("a client offers", () => {
  const offered = (options?: DeflateParameters.Options) =>
    WebSocketExtensions.format([DeflateParameters.offer(options)])
  it("RFC 7692 §7.1.2.2: that it understands client_max_window_bits", () => {
    assert.strictEqual(offered(keep), "permessage-deflate; client_max_window_bits")
  })
  it("what it wants", () => {
    assert.strictEqual(
      offered({ serverWindowBits: 10, clientWindowBits: 11 }),
      "permessage-deflate; server_no_context_takeover; client_no_context_takeover; " +
        "server_max_window_bits=10; client_max_window_bits=11"
    )
  })
  for (const bits of [7, 16, 9.5]) {
    it(`not ${bits} bits`, () => {
      assert.throws(() => offered({ serverWindowBits: bits }), RangeError)
      assert.throws(() => chosen("permessage-deflate", { clientWindowBits: bits }), RangeError)
    })
  }
})

describe("a client confirms", () => {
  const confirmed = (options: DeflateParameters.Options, answer: string): string => {
    const [extension] = WebSocketExtensions.parse(answer)!
    const parameters = DeflateParameters.confirm(DeflateParameters.offer(options), extension!)
    return parameters === undefined ? "refused" : show(parameters)
  }
  const rows: ReadonlyArray<
    readonly [rule: string, options: DeflateParameters.Options, answer: string, result: string]
  > = [
    ["RFC 7692 §7.1: nothing more", keep, "permessage-deflate", "keep 15 / keep 15"],
    ["RFC 7692 §7.1.1.1: unasked", keep, "permessage-deflate; server_no_context_takeover", "reset 15 / keep 15"],
    [
      "RFC 7692 §7.1.1.1: asked, and not answered",
      { ...keep, serverContext: "reset" },
      "permessage-deflate",
      "refused"
    ],
    ["RFC 7692 §7.1.1.2: told to reset", keep, "permessage-deflate; client_no_context_takeover", "keep 15 / reset 15"],
    [
      "RFC 7692 §7.1.1.2: resets by itself",
      { ...keep, clientContext: "reset" },
      "permessage-deflate",
      "keep 15 / reset 15"
    ],
    ["RFC 7692 §7.1.2.1: the same", small, "permessage-deflate; server_max_window_bits=10", "keep 10 / keep 11"],
    ["RFC 7692 §7.1.2.1: smaller", small, "permessage-deflate; server_max_window_bits=8", "keep 8 / keep 11"],
    ["RFC 7692 §7.1.2.1: larger", small, "permessage-deflate; server_max_window_bits=11", "refused"],
    ["RFC 7692 §7.1.2.1: asked, and not answered", small, "permessage-deflate", "refused"],
    ["RFC 7692 §7.1.2.1: unasked", keep, "permessage-deflate; server_max_window_bits=9", "keep 9 / keep 15"],
    ["RFC 7692 §7.1.2.2: as offered", keep, "permessage-deflate; client_max_window_bits=9", "keep 15 / keep 9"],
    ["RFC 7692 §7.1.2.2: without a value", keep, "permessage-deflate; client_max_window_bits", "refused"],
    ["another extension", keep, "permessage-bzip2", "refused"]
  ]
  for (const [rule, options, answer, result] of rows) {
    it(rule, () => assert.strictEqual(confirmed(options, answer), result))
  }
  it("RFC 7692 §7.1.2.2: larger than offered", () => {
    const answer = "permessage-deflate; server_max_window_bits=10; client_max_window_bits=12"
    assert.strictEqual(confirmed(small, answer), "refused")
  })
  it("RFC 7692 §7.1.2.2: not offered at all", () => {
    const plain = { name: "permessage-deflate", parameters: [] }
    const answer = { name: "permessage-deflate", parameters: [["client_max_window_bits", "15"]] } as const
    assert.isUndefined(DeflateParameters.confirm(plain, answer))
  })
  for (const parameters of bad) {
    it(`RFC 7692 §7.1: ${parameters}`, () => {
      assert.strictEqual(confirmed(keep, `permessage-deflate; ${parameters}`), "refused")
    })
  }
})

it("what one side offers and the other answers is the same for both", () => {
  const contexts = ["keep", "reset"] as const
  const all: Array<DeflateParameters.Options> = []
  for (const serverContext of contexts) {
    for (const clientContext of contexts) {
      for (const serverWindowBits of [8, 12, 15]) {
        for (const clientWindowBits of [9, 15]) {
          all.push({ serverContext, clientContext, serverWindowBits, clientWindowBits })
        }
      }
    }
  }
  for (const client of all) {
    for (const server of all) {
      const offer = DeflateParameters.offer(client)
      const agreement = DeflateParameters.choose([offer], server)!
      assert.deepStrictEqual(DeflateParameters.confirm(offer, agreement.answer), agreement.parameters)
    }
  }
})
