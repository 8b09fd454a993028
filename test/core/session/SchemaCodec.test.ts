import { assert, describe, it } from "@effect/vitest"
import * as JsonLines from "@sluice/core/codec/JsonLines"
import * as Lines from "@sluice/core/codec/Lines"
import * as SchemaCodec from "@sluice/core/session/SchemaCodec"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as Chunkings from "../../harness/Chunkings.ts"
import * as Connected from "../../harness/Connected.ts"
import { type Event, receive, send } from "../../harness/Decoding.ts"
import { isDone, reasonOf } from "../../harness/Reasons.ts"
import { bytes, turns } from "../../harness/TransportContract.ts"

const Message = Schema.Struct({ from: Schema.String, count: Schema.Int })
const messages = SchemaCodec.make(JsonLines.make({ maxLineSize: 64 }), Message)

const bad: Event = ["violation", "InvalidContent", "goes on"]
const message = (from: string, count: number): Event => ["frame", { from, count }]

const received: ReadonlyArray<readonly [rule: string, wire: string, ReadonlyArray<Event>]> = [
  ["frames of the schema", '{"from":"a","count":1}\n{"from":"b","count":2}\n', [message("a", 1), message("b", 2)]],
  ["the last line needs no ending", '{"from":"a","count":1}', [message("a", 1)]],
  ["no JSON costs one frame", '{"from":\n{"from":"b","count":2}\n', [bad, message("b", 2)]],
  ["not of the schema costs one frame", '{"from":"a"}\n{"from":"b","count":2}\n', [bad, message("b", 2)]],
  ["a check that fails costs one frame", '{"from":"a","count":1.5}\n{"from":"b","count":2}\n', [bad, message("b", 2)]],
  ["one after the other", "{}\n[]\n{\n1", [bad, bad, bad, bad]],
  ["at the end", '{"from":"a","count":1}\n{}', [message("a", 1), bad]],
  ["what ends the codec below ends this one", `"${"x".repeat(100)}"\n`, [["violation", "FrameTooLarge", "stops"]]]
]

describe("decoding", () => {
  for (const [rule, wire, events] of received) {
    it(`${rule}, at every split`, () => {
      for (const chunks of Chunkings.everySplit(bytes(wire))) {
        assert.deepStrictEqual(receive(messages, chunks).events, events, Chunkings.show(chunks))
      }
    })
  }

  it("says what does not fit, and that the peer is at fault", () => {
    const [reason] = receive(messages, [bytes('{"from":"a"}\n')]).reasons
    assert.strictEqual(reason?.fault, "peer")
    assert.include(reason?.message, "count")
  })

  it("a frame that the schema makes undefined of is refused, and those behind it are seen", () => {
    const schema = Schema.Union([
      Schema.Int,
      Schema.Null.pipe(
        Schema.decodeTo(Schema.Undefined, {
          decode: SchemaGetter.transform(() => undefined),
          encode: SchemaGetter.transform(() => null)
        })
      )
    ])
    const codec = SchemaCodec.make(JsonLines.make(), schema)
    const { events } = receive(codec, [bytes("1\nnull\n2\n")], "open")
    assert.deepStrictEqual(events, [["frame", 1], bad, ["frame", 2]])
  })
})

describe("encoding", () => {
  it("is the inverse", () => {
    const sent = send(messages, [
      { from: "a", count: 1 },
      { from: "b", count: 2 }
    ])
    assert.isTrue("bytes" in sent)
    if ("bytes" in sent) {
      assert.strictEqual(new TextDecoder().decode(sent.bytes), '{"from":"a","count":1}\n{"from":"b","count":2}\n')
    }
  })

  it("refuses what is not of the schema; the caller is at fault", () => {
    const refused = send(messages, [{ from: "a", count: 1.5 }])
    assert.isTrue(!("bytes" in refused))
    if ("bytes" in refused) return
    assert.deepStrictEqual([refused._tag, refused.fault], ["InvalidContent", "caller"])
  })

  it("refuses what the codec below refuses", () => {
    const refused = send(SchemaCodec.make(Lines.make(), Schema.String), ["one", "two\nlines"])
    assert.isTrue(!("bytes" in refused) && refused._tag === "InvalidContent" && refused.fault === "caller")
  })
})

describe("a schema that transforms", () => {
  const Event = Schema.Struct({ at: Schema.DateTimeUtcFromString, tries: Schema.NumberFromString })
  const events = SchemaCodec.make(JsonLines.make(), Event)
  const wire = '{"at":"2024-02-29T12:00:00.000Z","tries":"3"}\n'

  it("hands out what it decodes to, and sends what it encodes to", () => {
    const decoded = receive(events, [bytes(wire)]).events
    assert.lengthOf(decoded, 1)
    const [, event] = decoded[0]!
    const { at, tries } = event as typeof Event.Type
    assert.strictEqual(DateTime.formatIso(at), "2024-02-29T12:00:00.000Z")
    assert.strictEqual(tries, 3)
    const sent = send(events, [{ at, tries }])
    assert.strictEqual("bytes" in sent && new TextDecoder().decode(sent.bytes), wire)
  })

  it("what cannot be transformed costs one frame", () => {
    assert.deepStrictEqual(
      receive(events, [bytes('{"at":"no day","tries":"3"}\n{"at":"2024-02-30T","tries":"3"}\n')]).events,
      [bad, bad]
    )
  })

  it("works on any codec whose frames it encodes to", () => {
    const numbers = SchemaCodec.make(Lines.make(), Schema.FiniteFromString)
    assert.deepStrictEqual(receive(numbers, [bytes("1\nx\n2.5\n")]).events, [["frame", 1], bad, ["frame", 2.5]])
    const sent = send(numbers, [1, 2.5])
    assert.strictEqual("bytes" in sent && new TextDecoder().decode(sent.bytes), "1\n2.5\n")
  })
})

describe("over a connection", () => {
  it.effect("both ways, past a bad frame", () =>
    Effect.gen(function* () {
      const { connection, heard, peer } = yield* Connected.make()
      const framed = connection.framed(messages)
      peer.write(bytes('{"from":"a","count":1}\nnothing\n{"from":"b","count":"2"}\n{"from":"c","count":3}\n'))
      peer.end()
      assert.deepStrictEqual(yield* framed.receiveAll, [{ from: "a", count: 1 }])
      yield* reasonOf(framed.receive, "InvalidContent")
      yield* reasonOf(framed.receive, "InvalidContent")
      assert.deepStrictEqual(yield* framed.receive, { from: "c", count: 3 })
      yield* isDone(framed.receive)
      yield* framed.send({ from: "d", count: 4 })
      yield* turns
      assert.strictEqual(heard.text, '{"from":"d","count":4}\n')
    })
  )
})
