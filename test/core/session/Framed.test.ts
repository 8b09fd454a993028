import { assert, describe, it } from "@effect/vitest"
import type { Codec } from "@sluice/core/codec/Codec"
import { CodecError } from "@sluice/core/codec/CodecError"
import * as Delimited from "@sluice/core/codec/Delimited"
import * as JsonLines from "@sluice/core/codec/JsonLines"
import * as LengthDelimited from "@sluice/core/codec/LengthDelimited"
import * as Lines from "@sluice/core/codec/Lines"
import type { Framed } from "@sluice/core/session/Framed"
import type { TransportError } from "@sluice/core/transport/TransportError"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as Chunkings from "../../harness/Chunkings.ts"
import * as Connected from "../../harness/Connected.ts"
import { hex, show } from "../../harness/Hex.ts"
import { isDone, reasonOf } from "../../harness/Reasons.ts"
import { bytes, turns } from "../../harness/TransportContract.ts"

type Heard = unknown

/** Receives until the end or what is not recoverable; twice more, to see that it stays so. */
const receiveEverything = <In>(framed: Framed<In, never>, how: "receive" | "receiveAll") =>
  Effect.gen(function* () {
    const heard: Array<Heard> = []
    for (let stops = 0; stops < 3; ) {
      const exit = yield* Effect.exit<unknown, Cause.Done | CodecError | TransportError, never>(framed[how])
      if (Exit.isSuccess(exit)) {
        for (const frame of how === "receive" ? [exit.value] : (exit.value as ReadonlyArray<In>)) {
          heard.push(frame instanceof Uint8Array ? show(frame) : frame)
        }
        continue
      }
      const failure = Cause.squash(exit.cause)
      const tag = failure instanceof CodecError ? failure.reason._tag : Cause.isDone(failure) ? "Done" : String(failure)
      const stopped = !(failure instanceof CodecError && failure.reason.recoverable)
      if (stopped) stops++
      if (!stopped || stops === 1) heard.push([tag])
      else assert.deepStrictEqual([tag], heard.at(-1), "the same again")
    }
    return heard
  })

// The maximum is 4 bytes. What is in brackets is not a frame but a failure.
const conversations: ReadonlyArray<
  readonly [rule: string, codec: Codec<unknown, never>, wire: string, heard: ReadonlyArray<Heard>]
> = [
  ["nothing", Lines.make(), "", [["Done"]]],
  ["lines", Lines.make(), "'a' 0a 'b' 0d0a 'last'", ["a", "b", "last", ["Done"]]],
  [
    "a bad line costs itself alone",
    Lines.make(),
    "'a' 0a ff 0a 'b' 0a ff 0a ff",
    ["a", ["InvalidUtf8"], "b", ["InvalidUtf8"], ["InvalidUtf8"], ["Done"]]
  ],
  [
    "a line that is too long is dropped",
    Lines.make({ maxLineSize: 4, tooLong: "discard" }),
    "'a' 0a '12345678' 0a 'b' 0a",
    ["a", ["FrameTooLarge"], "b", ["Done"]]
  ],
  [
    "a line that is too long is the end",
    Lines.make({ maxLineSize: 4 }),
    "'a' 0a '12345678' 0a 'b' 0a",
    ["a", ["FrameTooLarge"]]
  ],
  [
    "frames, and one that is too large behind them",
    LengthDelimited.make({ maxFrameSize: 4, width: 1 }),
    "01 aa 02 bbbb 05 cc",
    ["aa", "bb bb", ["FrameTooLarge"]]
  ],
  [
    "a frame that is cut off by the end",
    LengthDelimited.make({ maxFrameSize: 4, width: 1 }),
    "01 aa 03 bbbb",
    ["aa", ["TruncatedFrame"]]
  ],
  ["an empty frame is a frame", LengthDelimited.make({ width: 1 }), "00 01 aa 00", ["", "aa", "", ["Done"]]],
  ["null is a frame", JsonLines.make(), "'null' 0a 'false' 0a 30 0a", [null, false, 0, ["Done"]]],
  ["JSON that is none", JsonLines.make(), "'{}' 0a '{' 0a '[1]' 0a", [{}, ["InvalidContent"], [1], ["Done"]]]
]

describe("receive", () => {
  for (const how of ["receive", "receiveAll"] as const) {
    for (const [rule, codec, wire, expected] of conversations) {
      it.effect(`${how}: ${rule}`, () =>
        Effect.gen(function* () {
          for (const chunks of Chunkings.everySplit(hex(wire))) {
            const { connection, peer } = yield* Connected.make()
            const receiver = yield* Effect.forkChild(receiveEverything(connection.framed(codec), how), {
              startImmediately: true
            })
            for (const chunk of chunks) {
              peer.write(chunk)
              yield* Effect.promise(() => Promise.resolve())
            }
            peer.end()
            assert.deepStrictEqual(yield* Fiber.join(receiver), expected, Chunkings.show(chunks))
          }
        })
      )
    }
  }

  it.effect("receiveAll is all that is there, at once; what is wrong behind it comes next", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* Connected.make()
      const lines = connection.framed(Lines.make())
      peer.write(Uint8Array.of(...bytes("a\nb\n"), 0xff, ...bytes("\nc\nd\nunfin")))
      yield* turns
      assert.deepStrictEqual(yield* lines.receiveAll, ["a", "b"])
      yield* reasonOf(lines.receiveAll, "InvalidUtf8")
      assert.deepStrictEqual(yield* lines.receiveAll, ["c", "d"])
      const waiting = yield* Effect.forkChild(lines.receiveAll)
      yield* turns
      peer.write(bytes("ished\n"))
      assert.deepStrictEqual(yield* Fiber.join(waiting), ["unfinished"])
    })
  )

  it.effect("receive and receiveAll take turns", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* Connected.make()
      const lines = connection.framed(Lines.make())
      peer.write(bytes("a\nb\nc\n"))
      yield* turns
      assert.strictEqual(yield* lines.receive, "a")
      assert.deepStrictEqual(yield* lines.receiveAll, ["b", "c"])
    })
  )

  it.effect("a loss within a frame is a loss, not the end of the stream nor of the frame", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* Connected.make()
      const lines = connection.framed(Lines.make())
      peer.write(bytes("a\nunfinished"))
      yield* turns
      peer.destroy()
      yield* connection.closed
      assert.strictEqual(yield* lines.receive, "a")
      yield* reasonOf(lines.receive, "ConnectionLost")
      yield* reasonOf(lines.receiveAll, "ConnectionLost")
    })
  )

  it.effect("a wait that is interrupted within a frame goes on with the next", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* Connected.make()
      const lines = connection.framed(Delimited.make({ delimiter: bytes("--") }))
      for (const part of ["ab", "cd-", "-ef"]) {
        const waiting = yield* Effect.forkChild(lines.receive)
        yield* turns
        peer.write(bytes(part))
        yield* turns
        if (part !== "-ef") yield* Fiber.interrupt(waiting)
        else assert.strictEqual(show(yield* Fiber.join(waiting)), "'abcd'")
      }
      peer.write(bytes("--"))
      assert.strictEqual(show(yield* lines.receive), "65 66")
    })
  )

  it.effect("a frame above the receive buffer comes whole", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* Connected.make({ receiveBuffer: 100, bufferBytes: 100 })
      peer.write(Uint8Array.of(0, 0, 0x27, 0x10, ...new Uint8Array(10_000)))
      yield* turns
      const frame = yield* connection.framed(LengthDelimited.make()).receive
      assert.strictEqual(frame.length, 10_000)
    })
  )
})

describe("stream", () => {
  it.effect("is all frames to the end", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* Connected.make()
      peer.write(bytes("a\nb\nc"))
      peer.end()
      assert.deepStrictEqual(yield* Stream.runCollect(connection.framed(Lines.make()).stream), ["a", "b", "c"])
    })
  )

  it.effect("hands out good frames before it fails, and can be run again after a bad one", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* Connected.make()
      const lines = connection.framed(Lines.make())
      peer.write(Uint8Array.of(...bytes("a\nb\n"), 0xff, ...bytes("\nc\n")))
      peer.end()
      const seen: Array<string> = []
      const run = Stream.runForEach(lines.stream, (line) => Effect.sync(() => seen.push(line)))
      yield* reasonOf(run, "InvalidUtf8")
      assert.deepStrictEqual(seen, ["a", "b"])
      yield* run
      assert.deepStrictEqual(seen, ["a", "b", "c"])
    })
  )
})

describe("send", () => {
  it.effect("frames of one turn are one write; sendAll, too", () =>
    Effect.gen(function* () {
      const { connection, heard } = yield* Connected.make()
      const frames = connection.framed(LengthDelimited.make({ width: 1 }))
      yield* frames.send(hex("aa"))
      yield* frames.send(hex("bbbb"))
      yield* turns
      yield* frames.sendAll([hex("cc"), hex(""), hex("dd")])
      yield* turns
      assert.deepStrictEqual(heard.chunks.map(show), ["01 aa 02 bb bb", "01 cc 00 01 dd"])
    })
  )

  it.effect("sendAll takes any iterable, once, and asks for it when it runs", () =>
    Effect.gen(function* () {
      const { connection, heard } = yield* Connected.make()
      let asked = 0
      const effect = connection.framed(Lines.make()).sendAll({
        *[Symbol.iterator]() {
          asked++
          yield* ["a", "b"]
        }
      })
      assert.strictEqual(asked, 0)
      yield* effect
      yield* turns
      assert.strictEqual(asked, 1)
      assert.strictEqual(heard.text, "a\nb\n")
    })
  )

  it.effect("one bad frame among many: none is sent, and the next can be", () =>
    Effect.gen(function* () {
      const { connection, heard } = yield* Connected.make()
      const lines = connection.framed(Lines.make())
      const reason = yield* reasonOf(lines.sendAll(["good", "bad\n", "good"]), "InvalidContent")
      assert.strictEqual(reason.fault, "caller")
      yield* reasonOf(lines.send("bad\n"), "InvalidContent")
      yield* turns
      assert.strictEqual(heard.text, "")
      yield* lines.send("next")
      yield* turns
      assert.strictEqual(heard.text, "next\n")
    })
  )

  it.effect("an encoder that throws within a frame leaves no part of it behind", () =>
    Effect.gen(function* () {
      const { connection, heard } = yield* Connected.make()
      const codec: Codec<never, string> = {
        decoder: () => {
          throw new Error("not asked for")
        },
        encoder: () => ({
          encode: (frame, output) => {
            output.write(bytes("head"))
            if (frame === "bad") throw new Error("a bug in an encoder")
            output.write(bytes(frame))
            return undefined
          }
        })
      }
      const framed = connection.framed({ ...codec, decoder: Lines.make().decoder })
      yield* framed.send("a")
      assert.isTrue(Exit.hasDies(yield* Effect.exit(framed.send("bad"))))
      assert.isTrue(Exit.hasDies(yield* Effect.exit(framed.sendAll(["b", "bad"]))))
      yield* framed.send("c")
      yield* turns
      assert.strictEqual(heard.text, "headaheadc")
    })
  )

  it.effect("after the end and after the loss it fails", () =>
    Effect.gen(function* () {
      const { connection, owned } = yield* Connected.make()
      const lines = connection.framed(Lines.make())
      yield* connection.end
      yield* reasonOf(lines.send("a"), "Closed")
      yield* reasonOf(lines.sendAll(["a"]), "Closed")
      const other = yield* Connected.make()
      other.peer.destroy()
      yield* other.connection.closed
      yield* reasonOf(other.connection.framed(Lines.make()).send("a"), "ConnectionLost")
      owned.destroy()
    })
  )

  it.effect("suspends while the peer is slow", () =>
    Effect.gen(function* () {
      for (const how of ["send", "sendAll"] as const) {
        const { connection, heard, peer } = yield* Connected.make({
          bufferBytes: 10,
          sendBuffer: 10,
          peerReads: "never"
        })
        const lines = connection.framed(Lines.make())
        yield* lines.sendAll(["0123456789", "0123456789"])
        yield* lines.send("0123456789")
        const sender = yield* Effect.forkChild(how === "send" ? lines.send("last") : lines.sendAll(["la", "st"]))
        yield* turns
        assert.isUndefined(sender.pollUnsafe())
        peer.resume()
        yield* Fiber.join(sender)
        yield* turns
        assert.strictEqual(heard.text, `${"0123456789\n".repeat(3)}${how === "send" ? "last\n" : "la\nst\n"}`)
      }
    })
  )

  it.effect("one that is interrupted while it waits has sent no part of its frame", () =>
    Effect.gen(function* () {
      const { connection, heard, peer } = yield* Connected.make({ bufferBytes: 10, sendBuffer: 10, peerReads: "never" })
      const lines = connection.framed(Lines.make())
      yield* lines.sendAll(["0123456789", "0123456789"])
      yield* lines.send("0123456789")
      const interrupted = yield* Effect.forkChild(lines.send("interrupted"))
      const next = yield* Effect.forkChild(lines.send("next"))
      yield* turns
      assert.isUndefined(interrupted.pollUnsafe())
      yield* Fiber.interrupt(interrupted)
      peer.resume()
      yield* Fiber.join(next)
      yield* turns
      assert.strictEqual(heard.text, `${"0123456789\n".repeat(3)}next\n`)
    })
  )

  it.effect("what one side sends the other receives, to the end", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* Connected.make()
      const lines = connection.framed(Lines.make())
      peer.write(bytes("x\n"))
      yield* lines.send(yield* lines.receive)
      peer.end()
      yield* isDone(lines.receive)
    })
  )
})
