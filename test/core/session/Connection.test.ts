import { assert, describe, it } from "@effect/vitest"
import * as LengthDelimited from "@sluice/core/codec/LengthDelimited"
import * as Lines from "@sluice/core/codec/Lines"
import type { Connection } from "@sluice/core/session/Connection"
import * as TransportError from "@sluice/core/transport/TransportError"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Chunkings from "../../harness/Chunkings.ts"
import * as Connected from "../../harness/Connected.ts"
import { hex, show } from "../../harness/Hex.ts"
import * as MemoryWorld from "../../harness/MemoryWorld.ts"
import { isDone, reasonOf } from "../../harness/Reasons.ts"
import { bytes, turns } from "../../harness/TransportContract.ts"

const receiveText = (connection: Connection) =>
  Effect.map(connection.receive, (chunk) => new TextDecoder().decode(chunk))

const echo = (connection: Connection) => Effect.forever(Effect.flatMap(connection.receive, connection.send))

/** A connection by default limits with small buffers below, and a peer that reads only what it is told to. */
const slowReader = Effect.gen(function* () {
  const connected = yield* Connected.make({ bufferBytes: 10_000, peerReads: "never" })
  const { heard, peer } = connected
  /** Takes what the network holds. */
  const takeSome = Effect.gen(function* () {
    const before = heard.receivedBytes
    peer.resume()
    yield* heard.until((self) => self.receivedBytes > before)
    peer.pause()
    yield* turns
  })
  return { ...connected, takeSome }
})

const lost = TransportError.make(new TransportError.ConnectionLost("ECONNRESET"))

describe("receive and send", () => {
  it.effect("an echo answers each chunk in the turn in which it came", () =>
    Effect.gen(function* () {
      const { connection, heard, peer } = yield* Connected.make()
      yield* Effect.forkChild(echo(connection))
      yield* turns
      peer.write(bytes("hello"))
      yield* heard.until((self) => self.text === "hello")
    })
  )

  it.effect("text is UTF-8; several are one write, in order", () =>
    Effect.gen(function* () {
      const { connection, heard } = yield* Connected.make()
      yield* connection.send("é")
      yield* connection.sendAll(["€", bytes("!"), ""])
      yield* turns
      assert.strictEqual(heard.text, "é€!")
      assert.lengthOf(heard.chunks, 1)
    })
  )

  it.effect("stream is all bytes to the end", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* Connected.make()
      peer.write(bytes("ab"))
      peer.write(bytes("cd"))
      peer.end()
      const chunks = yield* Stream.runCollect(connection.stream)
      assert.strictEqual(Buffer.concat(chunks).toString(), "abcd")
    })
  )

  it.effect("more than every buffer arrives whole, though both sides are slow", () =>
    Effect.gen(function* () {
      const { connection, heard, peer } = yield* Connected.make({
        bufferBytes: 16,
        receiveBuffer: 16,
        sendBuffer: 16
      })
      yield* Effect.forkChild(echo(connection))
      const sent = Uint8Array.from({ length: 10_000 }, (_, index) => index % 251)
      peer.write(sent.slice())
      yield* heard.until((self) => self.receivedBytes === sent.length)
      assert.deepStrictEqual(new Uint8Array(Buffer.concat(heard.chunks)), sent)
    })
  )

  it.effect("a handler that does not read is felt by its peer", () =>
    Effect.gen(function* () {
      const { connection, peer, transport } = yield* Connected.make({ bufferBytes: 100, receiveBuffer: 100 })
      peer.write(new Uint8Array(10_000))
      yield* turns
      assert.isAtMost(transport.receivedBytes, 200)
      assert.isAbove(peer.bufferedBytes, 9_000)
      let received = 0
      while (received < 10_000) received += (yield* connection.receive).length
      assert.strictEqual(peer.bufferedBytes, 0)
    })
  )

  it.effect("a peer that does not read suspends the sender, until it reads", () =>
    Effect.gen(function* () {
      const { connection, heard, peer } = yield* Connected.make({
        bufferBytes: 100,
        sendBuffer: 100,
        peerReads: "never"
      })
      // The network, the transport, and the send buffer have one each.
      for (let fit = 0; fit < 3; fit++) yield* connection.send(new Uint8Array(100))
      const sender = yield* Effect.forkChild(connection.send(new Uint8Array(1_000)))
      yield* turns
      assert.isUndefined(sender.pollUnsafe())
      peer.resume()
      yield* Fiber.join(sender)
      yield* heard.until((self) => self.receivedBytes === 1_300)
    })
  )

  it.effect("a send that times out has sent nothing", () =>
    Effect.gen(function* () {
      const { connection, heard, peer } = yield* Connected.make({ bufferBytes: 10, sendBuffer: 10, peerReads: "never" })
      for (const text of ["0123456789", "0123456789", "0123456789"]) yield* connection.send(text)
      const late = yield* Effect.forkChild(Effect.timeoutOption(connection.send("late"), "1 second"))
      const patient = yield* Effect.forkChild(connection.send("patient"))
      yield* TestClock.adjust("1 second")
      assert.isTrue(Option.isNone(yield* Fiber.join(late)))
      peer.resume()
      yield* Fiber.join(patient)
      yield* connection.end
      yield* heard.saw("end")
      assert.strictEqual(heard.text, `${"0123456789".repeat(3)}patient`)
    })
  )
})

describe("half-close", () => {
  it.effect("by the peer: it is the end of receiving, and sending goes on", () =>
    Effect.gen(function* () {
      const { connection, heard, peer } = yield* Connected.make()
      peer.write(bytes("request"))
      peer.end()
      assert.strictEqual(yield* receiveText(connection), "request")
      yield* isDone(connection.receive)
      yield* connection.ended
      yield* connection.send("answer")
      yield* turns
      assert.strictEqual(heard.text, "answer")
      yield* connection.end
      yield* connection.closed
      assert.deepStrictEqual(heard.events, ["bytes", "end", "close"])
      assert.isUndefined(heard.closeError)
    })
  )

  it.effect("by this side: sending is over, and receiving goes on", () =>
    Effect.gen(function* () {
      const { connection, heard, peer } = yield* Connected.make()
      yield* connection.send("last")
      yield* connection.end
      yield* connection.end
      yield* reasonOf(connection.send("more"), "Closed")
      yield* reasonOf(connection.sendAll(["more"]), "Closed")
      yield* heard.saw("end")
      assert.strictEqual(heard.text, "last")
      peer.write(bytes("answer"))
      assert.strictEqual(yield* receiveText(connection), "answer")
      peer.end()
      yield* isDone(connection.receive)
      yield* connection.closed
    })
  )

  it.effect("by this side, while a sender waits for room: nothing is lost, and it goes on", () =>
    Effect.gen(function* () {
      const { connection, heard, peer } = yield* Connected.make({ bufferBytes: 10, sendBuffer: 10, peerReads: "never" })
      yield* connection.send(new Uint8Array(100))
      yield* connection.send(new Uint8Array(100))
      const sender = yield* Effect.forkChild(connection.send(bytes("last")))
      yield* turns
      assert.isUndefined(sender.pollUnsafe())
      yield* connection.end
      yield* Fiber.join(sender)
      yield* reasonOf(connection.send("later"), "Closed")
      peer.resume()
      yield* heard.saw("end")
      assert.strictEqual(heard.receivedBytes, 204)
      assert.isTrue(heard.text.endsWith("last"))
    })
  )
})

describe("loss", () => {
  it.effect("fails receiving after what was buffered, and sending at once", () =>
    Effect.gen(function* () {
      const { connection, owned, peer } = yield* Connected.make()
      peer.write(bytes("last"))
      yield* turns
      peer.destroy()
      yield* connection.closed
      yield* connection.ended
      assert.strictEqual(yield* receiveText(connection), "last")
      yield* reasonOf(connection.receive, "ConnectionLost")
      yield* reasonOf(connection.send("more"), "ConnectionLost")
      assert.notStrictEqual(owned.state, "open")
    })
  )

  it.effect("fails who waits", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* Connected.make({ bufferBytes: 10, sendBuffer: 10, peerReads: "never" })
      const receiver = yield* Effect.forkChild(connection.receive)
      yield* connection.send(new Uint8Array(100))
      yield* connection.send(new Uint8Array(100))
      const sender = yield* Effect.forkChild(connection.send(new Uint8Array(100)))
      yield* turns
      assert.isUndefined(sender.pollUnsafe())
      peer.destroy()
      yield* reasonOf(Fiber.join(receiver), "ConnectionLost")
      yield* reasonOf(Fiber.join(sender), "ConnectionLost")
    })
  )
})

describe("framed", () => {
  // A greeting of two lines, then two frames, then what knows no frames.
  const wire = hex("'a' 0a 'bc' 0d0a 00000001 ff 00000002 0a0a 'raw' 0a")

  it.effect("codecs change in mid-stream, at every split of the bytes", () =>
    Effect.gen(function* () {
      for (const chunks of Chunkings.everySplit(wire)) {
        const { connection, peer } = yield* Connected.make()
        const received: Array<string> = []
        const fiber = yield* Effect.forkChild(
          Effect.gen(function* () {
            const lines = connection.framed(Lines.make())
            received.push(yield* lines.receive, yield* lines.receive)
            const frames = connection.framed(LengthDelimited.make())
            received.push(show(yield* frames.receive), show(yield* frames.receive))
            const rest: Array<Uint8Array> = []
            yield* Stream.runForEach(connection.stream, (chunk) => Effect.sync(() => rest.push(chunk)))
            received.push(Buffer.concat(rest).toString())
          })
        )
        yield* turns
        for (const chunk of chunks) {
          peer.write(chunk)
          yield* Effect.promise(() => Promise.resolve())
        }
        peer.end()
        yield* Fiber.join(fiber)
        assert.deepStrictEqual(received, ["a", "bc", "ff", "0a 0a", "raw\n"], Chunkings.show(chunks))
      }
    })
  )

  it.effect("the same when all bytes wait before the first is asked for", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* Connected.make()
      peer.write(wire.slice())
      peer.end()
      yield* turns
      assert.strictEqual(yield* connection.framed(Lines.make()).receive, "a")
      assert.strictEqual(yield* connection.framed(Lines.make()).receive, "bc")
      assert.deepStrictEqual(yield* connection.framed(LengthDelimited.make()).receive, hex("ff"))
      assert.deepStrictEqual(yield* connection.framed(LengthDelimited.make()).receive, hex("0a0a"))
      assert.strictEqual(yield* receiveText(connection), "raw\n")
      yield* isDone(connection.receive)
    })
  )
})

describe("upgradeTls", () => {
  it.effect("RFC 3207 §6: is refused while bytes wait that came in clear, and the connection is lost", () =>
    Effect.gen(function* () {
      const { connection, heard, peer } = yield* Connected.make()
      peer.write(bytes("STARTTLS\nMAIL FROM:<injected>\n"))
      assert.strictEqual(yield* connection.framed(Lines.make()).receive, "STARTTLS")
      const reason = yield* reasonOf(connection.upgradeTls({ role: "client" }), "TlsHandshakeFailed")
      assert.strictEqual(reason.code, "CLEARTEXT_BUFFERED")
      yield* connection.closed
      yield* heard.saw("close")
    })
  )

  it.effect("sends what waits before it, and asks the transport", () =>
    Effect.gen(function* () {
      const { connection, heard, transport } = yield* Connected.make()
      yield* connection.send("220 go ahead\n")
      const upgraded = yield* Effect.exit(connection.upgradeTls({ role: "client" }))
      assert.strictEqual(transport.sentBytes, 13)
      yield* reasonOf(upgraded, "Unsupported")
      yield* turns
      assert.strictEqual(heard.text, "220 go ahead\n")
    })
  )

  it.effect("a full transport gets what is pending before it is asked, too", () =>
    Effect.gen(function* () {
      const { connection, heard, peer, transport } = yield* Connected.make({ bufferBytes: 10, peerReads: "never" })
      for (const text of ["0123456789", "0123456789", "220 go ahead\n"]) {
        yield* connection.send(text)
        yield* turns
      }
      assert.strictEqual(transport.sentBytes, 20)
      const upgraded = yield* Effect.exit(connection.upgradeTls({ role: "client" }))
      assert.strictEqual(transport.sentBytes, 33)
      yield* reasonOf(upgraded, "Unsupported")
      peer.resume()
      yield* heard.until((self) => self.receivedBytes === 33)
      assert.isTrue(heard.text.endsWith("220 go ahead\n"))
    })
  )
})

describe("signals", () => {
  it.effect("ended and closed wake who waits, each at its time", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* Connected.make()
      const ended = yield* Effect.forkChild(connection.ended)
      const closed = yield* Effect.forkChild(connection.closed)
      yield* turns
      assert.isUndefined(ended.pollUnsafe())
      peer.end()
      yield* turns
      assert.deepStrictEqual(ended.pollUnsafe(), Exit.void)
      assert.isUndefined(closed.pollUnsafe())
      yield* connection.end
      yield* Fiber.join(closed)
    })
  )

  it.effect("draining is told once it begins, and ends who waits between two frames", () =>
    Effect.gen(function* () {
      const { connection, owned } = yield* Connected.make()
      const draining = yield* Effect.forkChild(connection.draining)
      const waiting = yield* Effect.forkChild(connection.framed(Lines.make()).receive)
      yield* turns
      assert.isFalse(connection.isDraining)
      assert.isUndefined(draining.pollUnsafe())
      owned.drain()
      owned.drain()
      assert.isTrue(connection.isDraining)
      yield* Fiber.join(draining)
      yield* isDone(Fiber.join(waiting))
      yield* connection.send("farewell")
    })
  )

  it.effect("draining lets a frame that has begun come to its end", () =>
    Effect.gen(function* () {
      const { connection, owned, peer } = yield* Connected.make()
      const lines = connection.framed(Lines.make())
      const waiting = yield* Effect.forkChild(lines.receive)
      peer.write(bytes("abc"))
      yield* turns
      owned.drain()
      yield* turns
      assert.isUndefined(waiting.pollUnsafe())
      peer.write(bytes("def\n"))
      assert.strictEqual(yield* Fiber.join(waiting), "abcdef")
      yield* isDone(lines.receive)
    })
  )

  it.effect("close observers hear once, with the error; at once when it is over", () =>
    Effect.gen(function* () {
      const { connection, owned } = yield* Connected.make()
      const heard: Array<unknown> = []
      owned.observeClose((error) => heard.push(error))
      owned.destroy(lost)
      yield* connection.closed
      yield* turns
      owned.observeClose((error) => heard.push(error))
      assert.deepStrictEqual(heard, [lost, lost])
      assert.deepStrictEqual(owned.state, { error: lost })
    })
  )
})

describe("close", () => {
  it.effect("sends what waits, ends, drops what comes, and waits for the peer", () =>
    Effect.gen(function* () {
      const { connection, heard, owned, peer, timers } = yield* Connected.make({ receiveBuffer: 10, bufferBytes: 10 })
      peer.write(new Uint8Array(1_000))
      yield* turns
      yield* connection.send("last")
      owned.close()
      owned.close()
      yield* heard.saw("end")
      assert.strictEqual(heard.text, "last")
      yield* turns
      assert.strictEqual(peer.bufferedBytes, 0)
      assert.strictEqual(owned.state, "open")
      yield* isDone(connection.receive)
      peer.end()
      yield* connection.closed
      assert.deepStrictEqual(owned.state, { error: undefined })
      assert.strictEqual(timers.size(), 0)
    })
  )

  it.effect("waits for closeTimeout, and not longer", () =>
    Effect.gen(function* () {
      const { connection, owned } = yield* Connected.make({ closeTimeout: "5 seconds" })
      owned.close()
      yield* TestClock.adjust(4_999)
      assert.strictEqual(owned.state, "open")
      yield* TestClock.adjust(1)
      yield* connection.closed
      assert.strictEqual(owned.state !== "open" && owned.state.error?.reason._tag, "CloseTimeout")
    })
  )

  it.effect("comes behind those who wait for room", () =>
    Effect.gen(function* () {
      const { connection, heard, owned, peer } = yield* Connected.make({
        bufferBytes: 10,
        sendBuffer: 10,
        peerReads: "never"
      })
      yield* connection.send(new Uint8Array(100))
      yield* connection.send(new Uint8Array(100))
      const sender = yield* Effect.forkChild(connection.send("last"))
      yield* turns
      owned.close()
      yield* Fiber.join(sender)
      peer.resume()
      yield* heard.saw("end")
      assert.isTrue(heard.text.endsWith("last"))
    })
  )

  it.effect("whom it wakes may close, too", () =>
    Effect.gen(function* () {
      const { connection, owned, peer, timers } = yield* Connected.make()
      yield* Effect.forkChild(
        Effect.ensuring(
          connection.receive,
          Effect.sync(() => owned.close())
        )
      )
      yield* turns
      owned.close()
      peer.end()
      yield* connection.closed
      assert.strictEqual(timers.size(), 0)
    })
  )

  it.effect("a peer that takes something every 4 seconds is given what is large, and then its time to end", () =>
    Effect.gen(function* () {
      const { connection, heard, owned, peer, takeSome, transport } = yield* slowReader
      yield* connection.send(new Uint8Array(100_000))
      owned.close()
      while (transport.sentBytes - transport.bufferedBytes < 100_000) {
        yield* TestClock.adjust("4 seconds")
        assert.strictEqual(owned.state, "open", `${heard.receivedBytes} bytes`)
        yield* takeSome
      }
      peer.resume()
      yield* heard.saw("end")
      assert.strictEqual(heard.receivedBytes, 100_000)
      yield* TestClock.adjust(4_999)
      assert.strictEqual(owned.state, "open")
      yield* TestClock.adjust(6_250 - 4_999)
      yield* connection.closed
      assert.strictEqual(owned.state !== "open" && owned.state.error?.reason._tag, "CloseTimeout")
    })
  )

  it.effect("a peer that stops taking is given closeTimeout, and at most a quarter of it more", () =>
    Effect.gen(function* () {
      const { connection, heard, owned, takeSome } = yield* slowReader
      yield* connection.send(new Uint8Array(100_000))
      owned.close()
      for (let taken = 0; taken < 3; taken++) {
        yield* TestClock.adjust("4 seconds")
        yield* takeSome
      }
      yield* TestClock.adjust(4_999)
      assert.strictEqual(owned.state, "open")
      yield* TestClock.adjust(6_250 - 4_999)
      yield* connection.closed
      assert.isBelow(heard.receivedBytes, 100_000)
      assert.strictEqual(owned.state !== "open" && owned.state.error?.reason._tag, "CloseTimeout")
    })
  )

  it.effect("while draining a peer has closeTimeout for what it takes, and a second once it has all", () =>
    Effect.gen(function* () {
      for (const [atMillis, latestMillis] of [
        [100, 1_250],
        [4_900, 1_250]
      ] as const) {
        const { connection, heard, owned, peer } = yield* Connected.make({ bufferBytes: 10, peerReads: "never" })
        yield* connection.send(new Uint8Array(100))
        owned.drain()
        owned.close()
        yield* TestClock.adjust(atMillis)
        assert.strictEqual(owned.state, "open")
        peer.resume()
        yield* heard.saw("end")
        assert.strictEqual(heard.receivedBytes, 100)
        yield* TestClock.adjust(999)
        assert.strictEqual(owned.state, "open")
        yield* TestClock.adjust(latestMillis - 999)
        yield* connection.closed
        assert.strictEqual(owned.state !== "open" && owned.state.error?.reason._tag, "CloseTimeout")
      }
    })
  )

  it.effect("a peer that takes the last at once is given no more than a quarter above closeTimeout", () =>
    Effect.gen(function* () {
      const { connection, heard, owned, peer } = yield* Connected.make({ bufferBytes: 10, peerReads: "never" })
      yield* connection.send(new Uint8Array(100))
      owned.close()
      yield* TestClock.adjust(100)
      peer.resume()
      yield* heard.saw("end")
      yield* TestClock.adjust(4_999)
      assert.strictEqual(owned.state, "open")
      yield* TestClock.adjust(6_250 - 4_999)
      yield* connection.closed
    })
  )

  it.effect("while draining a peer that takes nothing is closed after closeTimeout", () =>
    Effect.gen(function* () {
      const { connection, owned } = yield* Connected.make({ bufferBytes: 10, peerReads: "never" })
      yield* connection.send(new Uint8Array(100))
      yield* turns
      owned.drain()
      owned.close()
      yield* TestClock.adjust(4_999)
      assert.strictEqual(owned.state, "open")
      yield* TestClock.adjust(1)
      yield* connection.closed
    })
  )

  it.effect("is no end of a frame: who waits for the rest of one gets none", () =>
    Effect.gen(function* () {
      for (const give of ["close", "destroy"] as const) {
        const { connection, owned, peer } = yield* Connected.make()
        const line = yield* Effect.forkChild(connection.framed(Lines.make()).receive)
        yield* turns
        peer.write(bytes("PAY 100"))
        yield* turns
        owned[give]()
        yield* turns
        const exit = line.pollUnsafe()
        yield* isDone(exit ?? Effect.die(`${give}: still waits`))
      }
    })
  )

  it.effect("drops what is buffered also when the peer has ended", () =>
    Effect.gen(function* () {
      const { connection, owned, peer } = yield* Connected.make()
      peer.write(bytes("unread"))
      peer.end()
      yield* connection.ended
      owned.close()
      yield* isDone(connection.receive)
    })
  )

  it.effect("after the loss does nothing", () =>
    Effect.gen(function* () {
      const { connection, owned, peer, timers } = yield* Connected.make()
      peer.destroy()
      yield* connection.closed
      owned.close()
      assert.strictEqual(timers.size(), 0)
    })
  )
})

describe("destroy", () => {
  it.effect("fails who receives and who sends, with the reason that was given", () =>
    Effect.gen(function* () {
      const { connection, heard, owned } = yield* Connected.make()
      const waiting = yield* Effect.forkChild(connection.receive)
      yield* turns
      owned.destroy(lost)
      assert.strictEqual(yield* Effect.flip(Fiber.join(waiting)), lost)
      assert.strictEqual(yield* Effect.flip(connection.send("a")), lost)
      yield* heard.saw("close")
    })
  )

  it.effect("without a reason ends who receives, and fails who sends", () =>
    Effect.gen(function* () {
      const { connection, owned } = yield* Connected.make()
      const waiting = yield* Effect.forkChild(connection.receive)
      yield* turns
      owned.destroy()
      yield* isDone(Fiber.join(waiting))
      yield* reasonOf(connection.send("a"), "ConnectionLost")
    })
  )

  it.effect("after the peer has ended leaves what it sent before", () =>
    Effect.gen(function* () {
      const { connection, owned, peer } = yield* Connected.make()
      peer.write(bytes("last"))
      peer.end()
      yield* connection.ended
      owned.destroy()
      yield* connection.closed
      assert.strictEqual(yield* receiveText(connection), "last")
      yield* isDone(connection.receive)
    })
  )
})

describe("abort", () => {
  it.effect("gives the connection up at once", () =>
    Effect.gen(function* () {
      const { connection, heard } = yield* Connected.make()
      assert.isTrue(connection.isOpen)
      yield* connection.abort
      yield* connection.closed
      assert.isFalse(connection.isOpen)
      yield* heard.saw("close")
    })
  )
})

describe("limits", () => {
  it.effect("a peer that takes something of a large message every 4 seconds is no stalled write", () =>
    Effect.gen(function* () {
      const { connection, heard, owned, takeSome } = yield* slowReader
      yield* connection.send(new Uint8Array(300_000))
      while (heard.receivedBytes < 300_000) {
        yield* TestClock.adjust("4 seconds")
        yield* takeSome
        assert.strictEqual(owned.state, "open", `${heard.receivedBytes} bytes`)
      }
    })
  )

  it.effect("one that stops is, and fails who waits", () =>
    Effect.gen(function* () {
      const { connection, heard, owned, takeSome } = yield* slowReader
      yield* connection.send(new Uint8Array(300_000))
      const waiting = yield* Effect.forkChild(connection.send("behind"))
      for (let taken = 0; taken < 3; taken++) {
        yield* TestClock.adjust("4 seconds")
        yield* takeSome
      }
      yield* TestClock.adjust("29 seconds")
      assert.strictEqual(owned.state, "open")
      yield* TestClock.adjust("10 seconds")
      yield* reasonOf(Fiber.join(waiting), "WriteStalled")
      assert.isBelow(heard.receivedBytes, 300_000)
    })
  )

  it.effect("a frame that is left unfinished is a stalled read", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* Connected.make({ readTimeout: 400 })
      const waiting = yield* Effect.forkChild(connection.framed(Lines.make()).receive)
      yield* turns
      peer.write(bytes("unfinished"))
      yield* TestClock.adjust(500)
      yield* reasonOf(Fiber.join(waiting), "ReadStalled")
    })
  )

  it.effect("a handler that works for long in the midst of the stream stalls nothing", () =>
    Effect.gen(function* () {
      const { connection, owned, peer } = yield* Connected.make({ readTimeout: 400 })
      peer.write(bytes("line\nunfinished"))
      yield* turns
      yield* connection.framed(Lines.make()).receive
      yield* TestClock.adjust(4_000)
      assert.strictEqual(owned.state, "open")
    })
  )
})

describe("laws", () => {
  it.effect("receivers, senders and signals leave nothing, however the connection ends", () =>
    MemoryWorld.leavesNothing(() =>
      Effect.gen(function* () {
        for (const give of ["close", "destroy", "lose"] as const) {
          const { connection, owned, peer } = yield* Connected.make({
            bufferBytes: 10,
            sendBuffer: 10,
            peerReads: "never"
          })
          yield* connection.send(new Uint8Array(100))
          yield* connection.send(new Uint8Array(100))
          const fibers = yield* Effect.forEach(
            [connection.receive, connection.send(new Uint8Array(100)), connection.ended, connection.closed],
            (effect: Effect.Effect<unknown, unknown>) => Effect.forkChild(Effect.exit(effect))
          )
          yield* turns
          if (give === "lose") peer.destroy()
          else owned[give]()
          yield* TestClock.adjust("5 seconds")
          yield* Fiber.joinAll(fibers)
        }
      })
    )
  )
})
