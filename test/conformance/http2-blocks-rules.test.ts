/**
 * RFC 9113 §4.3 and §6.10: header blocks, in one frame and in many, and their
 * compression. Where each MUST has its test says http2-musts.test.ts.
 */
import { assert, describe, it } from "vitest"
import * as Hex from "../harness/Hex.ts"
import { heard, Recorded } from "../harness/Http2Recorded.ts"
import * as Wire from "../harness/Http2Wire.ts"
import {
  continuation,
  data,
  frame,
  get,
  goAway,
  headers,
  ping,
  post,
  preface,
  priority,
  pushPromise,
  rstStream,
  settings,
  settingsAck,
  status,
  windowUpdate
} from "../harness/Http2Wire.ts"
import { accepted, connectionErrors, emptied, type Frames } from "./Http2Rows.ts"

describe("RFC 9113 §4.3: header blocks", () => {
  const open = headers(1, Wire.block(get()).slice(0, 8), "MORE", "END_STREAM")
  const between: ReadonlyArray<readonly [string, Uint8Array]> = [
    ["DATA", data(1, "a")],
    ["DATA of another stream", data(3, "a")],
    ["HEADERS", headers(1, get())],
    ["HEADERS of another stream", headers(3, get())],
    ["PRIORITY", priority(1)],
    ["RST_STREAM", rstStream(1, "CANCEL")],
    ["SETTINGS", settings()],
    ["an acknowledgement", settingsAck],
    ["PUSH_PROMISE", pushPromise(1, 2, get())],
    ["PING", ping()],
    ["GOAWAY", goAway(0)],
    ["WINDOW_UPDATE", windowUpdate(0, 1)],
    ["CONTINUATION of another stream", continuation(3, Wire.block(get()).slice(8))],
    ["CONTINUATION of stream 0", continuation(0, Wire.block(get()).slice(8))],
    ["an unknown frame (§5.5)", frame(0xfa, 0, 1)],
    ["an unknown frame of the connection (§5.5)", frame(0xfa, 0, 0)]
  ]
  connectionErrors("server", [
    ...between.map(
      ([name, one]) => [`RFC 9113 §4.3: within a header block: ${name}`, "PROTOCOL_ERROR", open, one] as const
    ),
    ...between.map(
      ([name, one]) =>
        [
          `RFC 9113 §6.10: behind a CONTINUATION: ${name}`,
          "PROTOCOL_ERROR",
          open,
          continuation(1, [], "MORE"),
          one
        ] as const
    )
  ])
  const answer = headers(1, status(200), "MORE")
  connectionErrors(
    "client",
    between.map(
      ([name, one]) => [`RFC 9113 §4.3: within a response's block: ${name}`, "PROTOCOL_ERROR", answer, one] as const
    )
  )
  connectionErrors("both", [
    ["RFC 9113 §6.10: CONTINUATION behind nothing", "PROTOCOL_ERROR", continuation(1, [])],
    ["RFC 9113 §6.10: CONTINUATION of stream 0", "PROTOCOL_ERROR", continuation(0, [])],
    ["RFC 9113 §6.10: CONTINUATION on an idle stream", "PROTOCOL_ERROR", continuation(101, get())]
  ])
  connectionErrors("server", [
    [
      "RFC 9113 §6.10: CONTINUATION behind END_HEADERS",
      "PROTOCOL_ERROR",
      headers(1, get("/wait")),
      continuation(1, [["x", "y"]])
    ],
    [
      "RFC 9113 §6.10: CONTINUATION behind a block of two",
      "PROTOCOL_ERROR",
      headers(1, get("/wait"), "MORE"),
      continuation(1, [["x", "y"]]),
      continuation(1, [["x", "y"]])
    ],
    [
      "RFC 9113 §6.10: CONTINUATION behind DATA",
      "PROTOCOL_ERROR",
      headers(1, post("/wait")),
      data(1, "a"),
      continuation(1, [["x", "y"]])
    ]
  ])
  accepted("server", [
    [
      "RFC 9113 §6.10: a block in HEADERS and two CONTINUATION frames, cut within fields",
      [
        headers(1, Wire.block(get("/wait")).slice(0, 5), "MORE", "END_STREAM"),
        continuation(1, Wire.block(get("/wait")).slice(5, 31), "MORE"),
        continuation(1, Wire.block(get("/wait")).slice(31))
      ],
      ["request 1 GET http a /wait ended"],
      []
    ],
    [
      "RFC 9113 §6.2: HEADERS with padding and priority, whose block goes on",
      [headers(1, get("/wait"), "MORE", "PADDED 7", "PRIORITY", "END_STREAM"), continuation(1, [["x", "y"]])],
      ["request 1 GET http a /wait x=y ended"],
      []
    ],
    [
      "RFC 9113 §4.3: an empty HEADERS, and the block in CONTINUATION",
      [headers(1, [], "MORE", "END_STREAM"), continuation(1, get("/wait"))],
      ["request 1 GET http a /wait ended"],
      []
    ]
  ])
  const broken: ReadonlyArray<readonly [string, string]> = [
    ["RFC 7541 §2.3.3: an index above both tables", "ff00"],
    ["RFC 7541 §6.1: index 0", "80"],
    ["RFC 7541 §4.2: a table size above the limit", "3fe220"],
    ["RFC 7541 §4.2: a table size behind a field", "82 20"],
    ["RFC 7541 §5.1: an integer without an end", "ff ffffffffffff 00"],
    ["RFC 7541 §5.2: padding of more than 7 bits", "00 0161 84 49509fff"],
    ["RFC 7541 §5.2: padding that is not of EOS", "00 0161 83 495090"],
    ["RFC 7541 §5.2: EOS within a string", "00 0161 84 ffffffff"],
    ["RFC 7541 §5.2: a string that is cut off", "00 0161 05 6162"],
    ["RFC 9113 §4.3: a field that is cut off", "00 01"],
    ["RFC 9113 §4.3: an integer that is cut off", "ff"]
  ]
  connectionErrors("server", [
    ...broken.map(
      ([rule, block]) =>
        [rule, "COMPRESSION_ERROR", headers(1, Wire.wire(Wire.block(get()), Hex.hex(block)), "END_STREAM")] as const
    ),
    ...broken.map(
      ([rule, block]) =>
        [
          `${rule}, in trailers`,
          "COMPRESSION_ERROR",
          headers(1, post("/wait")),
          headers(1, Hex.hex(block), "END_STREAM")
        ] as const
    ),
    [
      "RFC 9113 §4.3: also in a block of a stream that was reset",
      "COMPRESSION_ERROR",
      headers(1, post("/wait", [":bad", ""])),
      headers(1, Hex.hex("80"), "END_STREAM")
    ]
  ])
  connectionErrors(
    "client",
    broken.map(
      ([rule, block]) =>
        [rule, "COMPRESSION_ERROR", headers(1, Wire.wire(Wire.block(status(200)), Hex.hex(block)))] as const
    )
  )
  accepted("server", [
    [
      "RFC 9113 §4.3: the block of a stream that was refused changes the table all the same",
      [
        headers(1, [...get("/wait"), ["Bad", "1"]], "END_STREAM"),
        headers(3, Wire.wire(Wire.block(get("/wait")), Hex.hex("40 0178 0179")), "END_STREAM"),
        headers(5, Wire.wire(Wire.block([...get("/wait"), ["Bad", "1"]]), Hex.hex("40 0161 0162")), "END_STREAM"),
        headers(7, Wire.wire(Wire.block(get("/wait")), Hex.hex("be bf")), "END_STREAM")
      ].slice(1),
      ["request 3 GET http a /wait x=y ended", "request 7 GET http a /wait a=b x=y ended"],
      undefined
    ]
  ])
})

describe("RFC 9113 §4.3.1: the table of header compression", () => {
  const make = () => emptied(new Recorded("server", undefined, { headerTableSize: 100 }))
  const wait = Wire.block(get("/wait"))
  it("RFC 9113 §4.3.1: behind the acknowledgement of a smaller table, a block begins with a size", () => {
    const start = [preface, settings()]
    const plain = headers(1, wait, "END_STREAM")
    assert.strictEqual(heard(make, ...start, plain).closing, "open")
    assert.strictEqual(heard(make, ...start, settingsAck, plain).sent.at(-1), "GOAWAY 0 COMPRESSION_ERROR")
    const sized = (size: string) => headers(1, Wire.wire(Hex.hex(size), wait), "END_STREAM")
    assert.deepStrictEqual(heard(make, ...start, settingsAck, sized("3f45")).calls, [
      "request 1 GET http a /wait ended"
    ])
    assert.deepStrictEqual(heard(make, ...start, settingsAck, sized("20")).calls, ["request 1 GET http a /wait ended"])
    assert.strictEqual(heard(make, ...start, settingsAck, sized("3f46")).sent.at(-1), "GOAWAY 0 COMPRESSION_ERROR")
  })
  it("RFC 9113 §4.3.1: our encoder keeps to the table of the peer, and says so first", () => {
    const respond = (...frames: Frames) => {
      const side = new Recorded("server", {
        onWhole: ({ engine }, stream) => engine.respond(stream, 200, { "x-a": "b", "x-c": "d" }, undefined, 0)
      })
      side.receive(preface, ...frames, headers(1, wait, "END_STREAM"), headers(3, wait, "END_STREAM"))
      return blocksOf(side)
    }
    const [first, second] = respond(settings({ HEADER_TABLE_SIZE: 0 }))
    assert.strictEqual(first![0], 0x20)
    // The same once more: nothing was kept, so nothing is an index of the dynamic table.
    assert.strictEqual(second!.length, first!.length - 1)
    // RFC 7541 §4.2: the smallest of several, and the last, in one frame of SETTINGS or in two.
    const both = frame("SETTINGS", 0, 0, "0001 00000000 0001 00001000")
    for (const frames of [[both], [settings({ HEADER_TABLE_SIZE: 0 }), settings({ HEADER_TABLE_SIZE: 4096 })]]) {
      assert.strictEqual(Hex.show(respond(...frames)[0]!.slice(0, 4)), "20 3f e1 1f")
    }
    const [reduced] = respond(settings({ HEADER_TABLE_SIZE: 8192 }), settings({ HEADER_TABLE_SIZE: 64 }))
    assert.strictEqual(reduced![0], 0x3f)
    assert.strictEqual(reduced![1], 64 - 31)
  })
})

/** Payloads of the HEADERS frames that a server has sent. */
const blocksOf = (side: Recorded): ReadonlyArray<Uint8Array> =>
  side.reader
    .frames(Hex.concat(side.engine.output.take()))
    .flatMap((one) => (one !== "PREFACE" && one.type === 1 ? [one.payload] : []))

describe("RFC 7541 §6: each way to say a field", () => {
  const start = "82 86 84 41 0161"
  const request = (id: number, block: string) => headers(id, Hex.hex(block), "END_STREAM")
  const heardOf = (fields: string, id = 1) => `request ${id} GET http a /${fields} ended`
  const rows: ReadonlyArray<readonly [rule: string, block: string, fields: string]> = [
    ["RFC 7541 §6.1: indexed", start, ""],
    ["RFC 7541 §6.2.1: literal and indexed, the name too", `${start} 40 0178 0179`, " x=y"],
    ["RFC 7541 §6.2.1: literal and indexed, with a name of the static table", `${start} 53 032a2f2a`, " accept=*/*"],
    ["RFC 7541 §6.2.2: literal", `${start} 00 0178 0179`, " x=y"],
    ["RFC 7541 §6.2.2: literal, with a name of the static table", `${start} 0f04 032a2f2a`, " accept=*/*"],
    ["RFC 7541 §6.2.3: literal and never indexed", `${start} 10 0178 0179`, " x=y"],
    ["RFC 7541 §5.2: in Huffman code", `${start} 00 85 f2b24a84ff 83 49509f`, " x-test=test"],
    ["RFC 7541 §5.2: strings of nothing but their length", `${start} 00 0178 00`, " x="],
    ["RFC 7541 §6.3: a size first", `3f01 ${start}`, ""],
    ["RFC 7541 §4.2: two sizes first", `20 3fe11f ${start}`, ""]
  ]
  accepted(
    "server",
    rows.map(([rule, block, fields]) => [rule, [request(1, block)], [heardOf(fields), "closed 1"], undefined] as const)
  )
  accepted("server", [
    [
      "RFC 7541 §2.3.3: the newest entry is the first, and a size of 0 forgets them",
      [request(1, `${start} 40 0178 0179 40 017a 0179`), request(3, "82 86 84 c0 be bf"), request(5, `20 ${start}`)],
      [
        heardOf(" x=y z=y"),
        "closed 1",
        // :authority is an entry as well.
        heardOf(" z=y x=y", 3),
        "closed 3",
        heardOf("", 5),
        "closed 5"
      ],
      undefined
    ]
  ])
  connectionErrors("server", [
    [
      "RFC 7541 §4.3: an entry that was forgotten",
      "COMPRESSION_ERROR",
      request(1, `${start} 40 0178 0179`),
      request(3, `20 ${start} bf`)
    ]
  ])
})
