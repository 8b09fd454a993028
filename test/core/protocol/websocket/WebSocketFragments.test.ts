import { assert, describe, it } from "@effect/vitest"
import { WebSocketFragments } from "@sluice/core/protocol/websocket/WebSocketFragments"
import * as Hex from "../../../harness/Hex.ts"

const limits = { maxMessageBytes: 10, maxFragmentCount: 3 }

type Fragment = readonly [opcode: number, payload: string, form?: "plain" | "compressed"]

/** What becomes of a message: its kind and bytes, or what is wrong with it and in which fragment. */
const run = (parts: ReadonlyArray<Fragment>): string => {
  const fragments = new WebSocketFragments(limits)
  for (const [index, [opcode, payload, form = "plain"]] of parts.entries()) {
    const bytes = Hex.hex(payload)
    const reason = fragments.begin(opcode, form, bytes.length) ?? fragments.append(bytes)
    if (reason !== undefined) return `${index}: ${"rule" in reason ? reason.rule : reason._tag}`
  }
  const { form, kind } = fragments
  return `${kind} ${form}: ${Hex.show(fragments.take())}`
}

const rows: ReadonlyArray<readonly [rule: string, parts: ReadonlyArray<Fragment>, outcome: string]> = [
  ["RFC 6455 §5.4: one fragment", [[1, "'Hello'"]], "text plain: 'Hello'"],
  [
    "RFC 6455 §5.4: three fragments",
    [
      [2, "'ab'"],
      [0, "'cd'"],
      [0, "'ef'"]
    ],
    "binary plain: 'abcdef'"
  ],
  ["RFC 6455 §5.4: a continuation of nothing", [[0, "'a'"]], "0: continuation of nothing"],
  [
    "RFC 6455 §5.4: a message within a message",
    [
      [1, "'a'"],
      [2, "'b'"]
    ],
    "1: message within a message"
  ],
  [
    "RFC 6455 §10.4: at the limit of bytes",
    [
      [2, "'abcdefgh'"],
      [0, "'ij'"]
    ],
    "binary plain: 'abcdefghij'"
  ],
  [
    "RFC 6455 §10.4: above the limit of bytes",
    [
      [2, "'abcdefgh'"],
      [0, "'ijk'"]
    ],
    "1: MessageTooLarge"
  ],
  ["RFC 6455 §10.4: above it at once", [[2, "'abcdefghijk'"]], "0: MessageTooLarge"],
  [
    "above the limit of fragments",
    [
      [2, "00"],
      [0, ""],
      [0, ""],
      [0, ""]
    ],
    "3: TooManyFragments"
  ],
  [
    "RFC 6455 §8.1: text that is wrong in its second fragment",
    [
      [1, "c3"],
      [0, "c3"],
      [0, "'a'"]
    ],
    "1: InvalidUtf8"
  ],
  [
    "RFC 6455 §8.1: a character across fragments",
    [
      [1, "e2"],
      [0, "82"],
      [0, "ac"]
    ],
    "text plain: e2 82 ac"
  ],
  [
    "RFC 6455 §8.1: text that ends within a character",
    [
      [1, "'a'"],
      [0, "e282"]
    ],
    "text plain: 61 e2 82"
  ],
  [
    "RFC 6455 §5.6: binary data is anything",
    [
      [2, "ff"],
      [0, "c3"]
    ],
    "binary plain: ff c3"
  ],
  [
    "RFC 7692 §6.2: compressed text is no text yet",
    [
      [1, "ff", "compressed"],
      [0, "c3"]
    ],
    "text compressed: ff c3"
  ]
]

describe("messages", () => {
  for (const [rule, parts, outcome] of rows) it(rule, () => assert.strictEqual(run(parts), outcome))
})

it("the next message begins anew", () => {
  const fragments = new WebSocketFragments(limits)
  for (let count = 0; count < 5; count++) {
    assert.isUndefined(fragments.begin(1, "plain", 8))
    assert.isUndefined(fragments.append(Hex.hex("'ab' e2")))
    assert.isUndefined(fragments.begin(0, "plain", 2))
    fragments.append(Hex.hex("82"))
    assert.lengthOf(fragments.take(), 4)
    assert.strictEqual(fragments.kind, "none")
  }
})

it("many tiny pieces cost about what their bytes do", () => {
  const fragments = new WebSocketFragments({ maxMessageBytes: 1e6, maxFragmentCount: 10 })
  fragments.begin(2, "plain", 100_000)
  const chunk = new Uint8Array(65_536)
  for (let index = 0; index < 100_000; index++) fragments.append(chunk.subarray(index % 1000, (index % 1000) + 1))
  const held = new Set<ArrayBufferLike>()
  // The first four pieces are views of their chunk; all others were collected.
  const queue = Reflect.get(fragments, "pieces") as { readonly chunks: ReadonlyArray<Uint8Array> }
  for (const piece of queue.chunks) held.add(piece.buffer)
  assert.isBelow(held.size, 60)
  assert.lengthOf(fragments.take(), 100_000)
})

it("lets go of an unfinished message", () => {
  const fragments = new WebSocketFragments(limits)
  fragments.begin(1, "plain", 5)
  fragments.append(Hex.hex("'ab' c3"))
  fragments.release()
  assert.lengthOf(fragments.take(), 0)
})
