import { assert, describe, it } from "@effect/vitest"
import { WebSocketError } from "@sluice/core/protocol/websocket/WebSocketError"
import * as WebSocketPrepared from "@sluice/core/protocol/websocket/WebSocketPrepared"
import type { WebSocket } from "@sluice/core/session/WebSocket"
import * as NodeDeflate from "@sluice/node/NodeDeflate"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { isDone } from "../../harness/Reasons.ts"
import { turns } from "../../harness/TransportContract.ts"
import * as Connected from "../../harness/WebSocketConnected.ts"

const { binary, close, ping, pong, text } = Connected

/** The reason of a WebSocketError, which the effect must fail with. */
const reasonOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), (error) => {
    assert.instanceOf(error, WebSocketError)
    return (error as WebSocketError).reason
  })

const isOver = (fiber: Fiber.Fiber<unknown, unknown>): boolean => fiber.pollUnsafe() !== undefined

const echo = (socket: WebSocket) => socket.runForEach((message) => socket.send(message))

describe("receive", () => {
  it.effect("hands out text and binary messages in order, then the end", () =>
    Effect.gen(function* () {
      const { say, socket } = yield* Connected.make()
      say([text, "'one'"], [binary, "0102"], [text, "'two'"])
      yield* turns
      assert.strictEqual(yield* socket.receive, "one")
      assert.deepStrictEqual(yield* socket.receive, Uint8Array.of(1, 2))
      assert.deepStrictEqual(yield* socket.receiveAll, ["two"])
      say([close, "03e8 'bye'"])
      yield* isDone(socket.receive)
      yield* isDone(socket.receiveAll)
      assert.deepStrictEqual(yield* socket.closed, { code: 1000, reason: "bye", clean: true })
    })
  )

  it.effect("what came before the end is handed out first", () =>
    Effect.gen(function* () {
      const { say, socket } = yield* Connected.make()
      say([text, "'one'"], [text, "'two'"], [close])
      yield* socket.closed
      assert.deepStrictEqual(yield* Stream.runCollect(socket.messages), ["one", "two"])
    })
  )

  it.effect("what came behind the handshake is handed out", () =>
    Effect.gen(function* () {
      const { socket } = yield* Connected.make({
        role: "client",
        rest: Uint8Array.of(0x81, 0x02, 0x68, 0x69, 0x82, 0x01)
      })
      assert.strictEqual(yield* socket.receive, "hi")
    })
  )

  it.effect("fails when the connection is lost, and with what the peer did wrong", () =>
    Effect.gen(function* () {
      const lost = yield* Connected.make()
      lost.peer.destroy()
      const reason = yield* reasonOf(lost.socket.receive)
      assert.strictEqual(reason._tag, "ConnectionLost")
      assert.deepStrictEqual(yield* lost.socket.closed, { code: 1006, reason: "", clean: false })
      const wrong = yield* Connected.make()
      wrong.peer.write(Uint8Array.of(0x81, 0x01, 0x61))
      assert.deepInclude(yield* reasonOf(wrong.socket.receive), { _tag: "ProtocolViolation", rule: "unmasked frame" })
      yield* turns
      assert.deepStrictEqual(wrong.takeWrites(), ["88 02 03 ea"])
      assert.deepInclude(yield* reasonOf(wrong.socket.send("late")), { _tag: "ProtocolViolation" })
    })
  )

  it.effect("fails when the peer just ends its side", () =>
    Effect.gen(function* () {
      const { peer, socket } = yield* Connected.make()
      peer.end()
      assert.strictEqual((yield* reasonOf(socket.receive))._tag, "ConnectionLost")
      yield* socket.closed
    })
  )

  it.effect("is for one fiber at a time", () =>
    Effect.gen(function* () {
      const { socket } = yield* Connected.make()
      const first = yield* Effect.forkChild(socket.receive, { startImmediately: true })
      const exit = yield* Effect.exit(socket.receive)
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      yield* Fiber.interrupt(first)
    })
  )

  it.effect("an interrupted reader loses nothing", () =>
    Effect.gen(function* () {
      const { say, socket } = yield* Connected.make()
      const first = yield* Effect.forkChild(socket.receive, { startImmediately: true })
      yield* Fiber.interrupt(first)
      say([text, "'a'"])
      yield* turns
      assert.strictEqual(yield* socket.receive, "a")
    })
  )
})

describe("runForEach", () => {
  it.effect("answers the messages of a chunk in one write", () =>
    Effect.gen(function* () {
      const { say, socket, takeWrites } = yield* Connected.make()
      const fiber = yield* Effect.forkChild(echo(socket), { startImmediately: true })
      say([text, "'a'"], [text, "'b'"], [binary, "01"])
      yield* turns
      assert.deepStrictEqual(takeWrites(), ["81 01 61 81 01 62 82 01 01"])
      say([close, "03e8"])
      yield* Fiber.join(fiber)
    })
  )

  it.effect("answers before the Close frame of the same chunk is, and before a violation", () =>
    Effect.gen(function* () {
      const closing = yield* Connected.make()
      yield* Effect.forkChild(echo(closing.socket), { startImmediately: true })
      closing.say([text, "'a'"], [close, "03e8"])
      yield* closing.socket.closed
      assert.deepStrictEqual(closing.takeWrites(), ["81 01 61 88 02 03 e8"])
      const wrong = yield* Connected.make()
      const failed = yield* Effect.forkChild(reasonOf(echo(wrong.socket)), { startImmediately: true })
      wrong.say([text, "'a'"], [0x83])
      assert.strictEqual((yield* Fiber.join(failed))._tag, "ProtocolViolation")
      yield* turns
      assert.deepStrictEqual(wrong.takeWrites(), ["81 01 61 88 02 03 ea"])
    })
  )

  it.effect("waits for an effect that is not done at once, and keeps the order", () =>
    Effect.gen(function* () {
      const { say, socket, takeWrites } = yield* Connected.make()
      const fiber = yield* socket
        .runForEach((message) => Effect.andThen(Effect.sleep(message === "slow" ? 1000 : 1), socket.send(message)))
        .pipe(Effect.forkChild({ startImmediately: true }))
      say([text, "'slow'"], [text, "'b'"])
      yield* turns
      yield* TestClock.adjust(999)
      yield* turns
      assert.deepStrictEqual(takeWrites(), [])
      yield* TestClock.adjust(2)
      yield* turns
      assert.strictEqual(takeWrites().join(" "), "81 04 'slow' 81 01 62")
      say([close])
      yield* Fiber.join(fiber)
    })
  )

  it.effect("fails with the effect, leaves the WebSocket to its owner, and can be interrupted", () =>
    Effect.gen(function* () {
      const { say, socket } = yield* Connected.make()
      const failing = yield* Effect.forkChild(
        socket.runForEach(() => Effect.fail("mine")),
        { startImmediately: true }
      )
      say([text, "'a'"], [text, "'b'"])
      assert.strictEqual(yield* Effect.flip(Fiber.join(failing)), "mine")
      assert.isTrue(socket.isOpen)
      const waiting = yield* Effect.forkChild(echo(socket), { startImmediately: true })
      yield* Fiber.interrupt(waiting)
      assert.isTrue(socket.isOpen)
    })
  )
})

describe("what is received ahead", () => {
  it.effect("is bounded: then the peer is not read; a reader lets it go on", () =>
    Effect.gen(function* () {
      const { peer, say, socket, transport } = yield* Connected.make({ receiveBuffer: 1000, bufferBytes: 4096 })
      for (let count = 0; count < 100; count++) say([binary, new Uint8Array(484)])
      yield* turns
      assert.isBelow(transport.receivedBytes, 2000)
      assert.isAbove(peer.bufferedBytes, 0)
      for (let count = 0; count < 100; count++) assert.strictEqual((yield* socket.receive).length, 484)
      assert.strictEqual(peer.bufferedBytes, 0)
    })
  )

  it.effect("is bounded within a chunk, too", () =>
    Effect.gen(function* () {
      const { say, socket } = yield* Connected.make({ receiveBuffer: 1000 })
      say(...Array.from({ length: 20 }, () => [binary, new Uint8Array(484)] as const))
      yield* turns
      const sizes: Array<number> = []
      for (let left = 20; left > 0; left -= sizes.at(-1)!) sizes.push((yield* socket.receiveAll).length)
      assert.deepStrictEqual(sizes, [2, 2, 2, 2, 2, 2, 2, 2, 2, 2])
    })
  )

  it.effect("is bounded by what it is inflated to", () =>
    Effect.gen(function* () {
      const codec = NodeDeflate.make()
      const { say, socket } = yield* Connected.make({ codec })
      const message = new Uint8Array(100_000)
      const packed = codec.deflate(message, { bits: 15, dictionary: undefined }).subarray(0, -4)
      say(...Array.from({ length: 10 }, () => [binary | 0x40, packed] as const))
      yield* turns
      for (let count = 0; count < 10; count++) assert.strictEqual((yield* socket.receiveAll).length, 1)
    })
  )

  it.effect("does not keep the Close frame of a peer from being read once this side has closed", () =>
    Effect.gen(function* () {
      const { say, socket } = yield* Connected.make({ receiveBuffer: 1000, bufferBytes: 4096 })
      for (let count = 0; count < 100; count++) say([binary, new Uint8Array(484)])
      yield* turns
      const closing = yield* Effect.forkChild(socket.close(), { startImmediately: true })
      yield* turns
      say([close, "03e8"])
      yield* Fiber.join(closing)
      assert.deepStrictEqual(yield* socket.closed, { code: 1000, reason: "", clean: true })
      assert.strictEqual((yield* socket.receiveAll).length, 2)
      yield* isDone(socket.receive)
    })
  )
})

describe("send", () => {
  it.effect("what is sent in one turn leaves in one write", () =>
    Effect.gen(function* () {
      const { socket, takeWrites } = yield* Connected.make()
      yield* socket.send("a")
      yield* socket.send(Uint8Array.of(1))
      yield* socket.send(WebSocketPrepared.make("b"))
      yield* turns
      assert.deepStrictEqual(takeWrites(), ["81 01 61 82 01 01 81 01 62"])
    })
  )

  it.effect("suspends while more than the send buffer waits, and resumes when the peer reads", () =>
    Effect.gen(function* () {
      const { peer, socket } = yield* Connected.make({ peerReads: "never", bufferBytes: 4096, sendBuffer: 8192 })
      let sent = 0
      const fiber = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 40 }), () =>
          Effect.map(socket.send(new Uint8Array(1024)), () => {
            sent++
          })
        ),
        { startImmediately: true }
      )
      yield* turns
      assert.isFalse(isOver(fiber))
      assert.isAtMost(socket.bufferedBytes, 8192 + 1028)
      assert.isBelow(sent, 16)
      peer.resume()
      yield* Fiber.join(fiber)
      assert.strictEqual(sent, 40)
    })
  )

  it.effect("who is interrupted while it waits has sent nothing", () =>
    Effect.gen(function* () {
      const { heard, peer, socket } = yield* Connected.make({ peerReads: "never", bufferBytes: 100, sendBuffer: 1000 })
      yield* socket.send("a".repeat(2000))
      const waiting = yield* Effect.forkChild(socket.send("lost"), { startImmediately: true })
      const behind = yield* Effect.forkChild(socket.send("kept"), { startImmediately: true })
      yield* turns
      assert.isFalse(isOver(waiting))
      yield* Fiber.interrupt(waiting)
      peer.resume()
      yield* Fiber.join(behind)
      yield* turns
      assert.notInclude(heard.text, "lost")
      assert.include(heard.text, "kept")
    })
  )

  it.effect("two fibers that send again and again are both let in, until both are done", () =>
    Effect.gen(function* () {
      const { peer, socket, takeWrites } = yield* Connected.make({
        peerReads: "never",
        bufferBytes: 100,
        sendBuffer: 1000
      })
      yield* socket.send("a".repeat(2000))
      const fibers = yield* Effect.forEach(["b", "c"], (message) =>
        Effect.forkChild(
          Effect.forEach(Array(3), () => socket.send(message)),
          { startImmediately: true }
        )
      )
      peer.resume()
      yield* turns
      assert.deepStrictEqual(fibers.map(isOver), [true, true])
      assert.isTrue(takeWrites().join(" ").endsWith(" 81 01 62 81 01 63".repeat(3)))
    })
  )

  it.effect("who is interrupted by one that was let in before it has sent nothing", () =>
    Effect.gen(function* () {
      const { heard, peer, socket } = yield* Connected.make({ peerReads: "never", bufferBytes: 100, sendBuffer: 1000 })
      yield* socket.send("a".repeat(2000))
      let behind: Fiber.Fiber<void, unknown> | undefined
      const first = Effect.tap(socket.send("first"), () => Effect.sync(() => behind?.interruptUnsafe()))
      yield* Effect.forkChild(first, { startImmediately: true })
      behind = yield* Effect.forkChild(socket.send("lost"), { startImmediately: true })
      peer.resume()
      yield* turns
      assert.include(heard.text, "first")
      assert.notInclude(heard.text, "lost")
    })
  )

  it.effect("fails when the peer has closed, with its code", () =>
    Effect.gen(function* () {
      const { say, socket } = yield* Connected.make()
      say([close, "0fa0 'enough'"])
      yield* socket.closed
      assert.deepInclude(yield* reasonOf(socket.send("late")), { _tag: "Closed", closeCode: 4000, reason: "enough" })
    })
  )

  it.effect("fails when this side has closed, or the connection is lost", () =>
    Effect.gen(function* () {
      const closed = yield* Connected.make()
      yield* Effect.forkChild(closed.socket.close(), { startImmediately: true })
      assert.strictEqual((yield* reasonOf(closed.socket.send("late")))._tag, "SendAfterClose")
      const lost = yield* Connected.make()
      lost.peer.destroy()
      yield* lost.socket.closed
      assert.deepInclude(yield* reasonOf(lost.socket.send("late")), { _tag: "ConnectionLost", fault: "transport" })
    })
  )

  it.effect("who waits fails when the peer closes, or the connection is lost", () =>
    Effect.gen(function* () {
      const waitingOf = (socket: WebSocket) =>
        Effect.andThen(
          socket.send("a".repeat(2000)),
          Effect.forkChild(reasonOf(socket.send("b")), { startImmediately: true })
        )
      const options = { peerReads: "never", bufferBytes: 100, sendBuffer: 1000 } as const
      const closed = yield* Connected.make(options)
      const one = yield* waitingOf(closed.socket)
      closed.say([close, "03e8"])
      assert.deepInclude(yield* Fiber.join(one), { _tag: "Closed", closeCode: 1000 })
      const lost = yield* Connected.make(options)
      const other = yield* waitingOf(lost.socket)
      lost.peer.destroy()
      assert.strictEqual((yield* Fiber.join(other))._tag, "ConnectionLost")
    })
  )

  it.effect("a message larger than the send buffer goes", () =>
    Effect.gen(function* () {
      const { heard, socket } = yield* Connected.make()
      for (let count = 0; count < 8; count++) yield* socket.send(new Uint8Array(1_000_000))
      yield* heard.until(() => heard.receivedBytes === 8 * 1_000_010)
    })
  )
})

describe("a peer that takes nothing", () => {
  it.effect("is given up after writeTimeout, with SendStalled", () =>
    Effect.gen(function* () {
      const { socket, timers, transport } = yield* Connected.make({
        peerReads: "never",
        keepaliveIdle: "unbounded",
        bufferBytes: 1000
      })
      yield* socket.send("a".repeat(10_000))
      yield* turns
      yield* TestClock.adjust("29 seconds")
      yield* turns
      assert.strictEqual(transport.state, "open")
      yield* TestClock.adjust("9 seconds")
      yield* socket.closed
      assert.deepInclude(yield* reasonOf(socket.send("b")), { _tag: "SendStalled", limitMillis: 30_000 })
      assert.strictEqual((yield* reasonOf(socket.receive))._tag, "SendStalled")
      assert.strictEqual(timers.size(), 0)
    })
  )

  it.effect("one that reads slowly is not", () =>
    Effect.gen(function* () {
      const { heard, peer, socket, transport } = yield* Connected.make({
        peerReads: "never",
        keepaliveIdle: "unbounded",
        bufferBytes: 1000
      })
      yield* socket.send("a".repeat(5000))
      for (let bytes = 1000; bytes <= 5000; bytes += 1000) {
        yield* TestClock.adjust("20 seconds")
        peer.resume()
        yield* heard.until(() => heard.receivedBytes >= bytes)
        peer.pause()
        yield* turns
      }
      assert.strictEqual(transport.state, "open")
    })
  )
})

describe("offerUnsafe", () => {
  it.effect("sends, or says why not, and onWritable says when", () =>
    Effect.gen(function* () {
      const { peer, say, socket } = yield* Connected.make({ peerReads: "never", bufferBytes: 100, sendBuffer: 1000 })
      let told = 0
      socket.onWritable(() => told++)
      assert.strictEqual(told, 1)
      assert.strictEqual(socket.offerUnsafe("a".repeat(2000)), "sent")
      yield* turns
      assert.strictEqual(socket.offerUnsafe("b"), "full")
      socket.onWritable(() => {
        told++
        assert.strictEqual(socket.offerUnsafe("c"), "sent")
      })
      socket.onWritable(() => told++)()
      peer.resume()
      yield* turns
      assert.strictEqual(told, 2)
      say([close])
      yield* socket.closed
      assert.strictEqual(socket.offerUnsafe("d"), "closed")
      socket.onWritable(() => told++)
      assert.strictEqual(told, 3)
    })
  )

  it.effect("who waits to offer hears of the end, too", () =>
    Effect.gen(function* () {
      const { peer, socket } = yield* Connected.make({ peerReads: "never", bufferBytes: 100, sendBuffer: 1000 })
      socket.offerUnsafe("a".repeat(2000))
      yield* turns
      let answer = ""
      socket.onWritable(() => {
        answer = socket.offerUnsafe("b")
      })
      peer.destroy()
      yield* socket.closed
      assert.strictEqual(answer, "closed")
    })
  )
})

describe("ping", () => {
  it.effect("waits for its own Pong, or a later one", () =>
    Effect.gen(function* () {
      const { say, socket, takeWrites } = yield* Connected.make()
      const one = yield* Effect.forkChild(socket.ping(), { startImmediately: true })
      const two = yield* Effect.forkChild(socket.ping(Uint8Array.of(7)), { startImmediately: true })
      const three = yield* Effect.forkChild(socket.ping(), { startImmediately: true })
      yield* turns
      assert.strictEqual(takeWrites().join(" "), "89 04 00 00 00 01 89 01 07 89 04 00 00 00 02")
      say([pong, ""])
      yield* turns
      assert.isFalse(isOver(one))
      say([pong, "07"])
      yield* Fiber.join(one)
      yield* Fiber.join(two)
      assert.isFalse(isOver(three))
      say([close])
      assert.strictEqual((yield* reasonOf(Fiber.join(three)))._tag, "Closed")
      assert.strictEqual((yield* reasonOf(socket.ping()))._tag, "Closed")
    })
  )

  it.effect("of more than 125 bytes is a defect, and changes nothing", () =>
    Effect.gen(function* () {
      const { say, socket, takeWrites } = yield* Connected.make()
      const exit = yield* Effect.exit(socket.ping(new Uint8Array(126)))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      say([ping, "01"])
      yield* turns
      assert.deepStrictEqual(takeWrites(), ["8a 01 01"])
    })
  )
})

describe("the keepalive", () => {
  it.effect("asks after silence, and gives up a peer that does not answer", () =>
    Effect.gen(function* () {
      const { socket, takeWrites, timers } = yield* Connected.make()
      yield* TestClock.adjust("30 seconds")
      yield* turns
      assert.deepStrictEqual(takeWrites(), ["89 00"])
      yield* TestClock.adjust("20 seconds")
      assert.deepInclude(yield* reasonOf(socket.receive), { _tag: "KeepaliveTimeout", fault: "limit" })
      yield* socket.closed
      assert.strictEqual(timers.size(), 0)
    })
  )

  it.effect("does not give up a peer that is not read, because its messages wait for a slow handler", () =>
    Effect.gen(function* () {
      const { say, socket } = yield* Connected.make({ receiveBuffer: 1000, bufferBytes: 4096 })
      for (let count = 0; count < 100; count++) say([binary, new Uint8Array(484)])
      for (let count = 0; count < 10; count++) {
        yield* TestClock.adjust("20 seconds")
        yield* turns
        say([pong])
      }
      for (let count = 0; count < 100; count++) yield* socket.receive
      assert.isTrue(socket.isOpen)
    })
  )
})

describe("close", () => {
  it.effect("says Close, takes what was on its way, and waits for the peer's", () =>
    Effect.gen(function* () {
      const { say, socket, takeWrites } = yield* Connected.make()
      const closing = yield* Effect.forkChild(socket.close(4001, "done"), { startImmediately: true })
      yield* turns
      assert.deepStrictEqual(takeWrites(), ["88 06 0f a1 'done'"])
      assert.isFalse(socket.isOpen)
      say([text, "'last'"])
      assert.strictEqual(yield* socket.receive, "last")
      assert.isFalse(isOver(closing))
      say([close, "0fa1"])
      yield* Fiber.join(closing)
      yield* isDone(socket.receive)
      assert.deepStrictEqual(yield* socket.closed, { code: 4001, reason: "", clean: true })
      yield* socket.close()
    })
  )

  it.effect("gives up after closeTimeout, which is no failure", () =>
    Effect.gen(function* () {
      const { socket, timers, transport } = yield* Connected.make()
      const closing = yield* Effect.forkChild(socket.close(), { startImmediately: true })
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(closing)
      yield* isDone(socket.receive)
      assert.deepInclude(yield* socket.closed, { code: 1006, clean: false })
      assert.strictEqual(transport.state, "closed")
      assert.strictEqual(timers.size(), 0)
    })
  )

  it.effect("comes behind those who wait to send", () =>
    Effect.gen(function* () {
      const { heard, peer, socket } = yield* Connected.make({ peerReads: "never", bufferBytes: 100, sendBuffer: 1000 })
      yield* socket.send("a".repeat(2000))
      const waiting = yield* Effect.forkChild(socket.send("last"), { startImmediately: true })
      yield* Effect.forkChild(socket.close(), { startImmediately: true })
      yield* Fiber.join(waiting)
      peer.resume()
      yield* turns
      assert.isTrue(heard.text.indexOf("last") > 0)
    })
  )

  it.effect("with what may not be sent is a defect, and changes nothing", () =>
    Effect.gen(function* () {
      const { say, socket, takeWrites } = yield* Connected.make()
      const exit = yield* Effect.exit(socket.close(1005))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      assert.isTrue(socket.isOpen)
      say([ping, "01"])
      yield* turns
      assert.deepStrictEqual(takeWrites(), ["8a 01 01"])
    })
  )

  it.effect("abort gives the connection up at once, which is no failure here", () =>
    Effect.gen(function* () {
      const { heard, socket } = yield* Connected.make()
      yield* socket.abort
      yield* socket.closed
      yield* isDone(socket.receive)
      yield* heard.saw("close")
      assert.strictEqual((yield* reasonOf(socket.send("late")))._tag, "SendAfterClose")
    })
  )

  it.effect("observers hear of it once, at once when it is over, and can be forgotten", () =>
    Effect.gen(function* () {
      const { say, socket } = yield* Connected.make()
      const heard: Array<string> = []
      socket.observeClose(({ code }) => heard.push(`one ${code}`))
      socket.observeClose(() => heard.push("forgotten"))()
      say([close, "03e9"])
      yield* socket.closed
      socket.observeClose(({ code }) => heard.push(`late ${code}`))()
      assert.deepStrictEqual(heard, ["one 1001", "late 1001"])
    })
  )
})

describe("release", () => {
  const codes = [
    ["1000 after a success", Exit.void, "88 02 03 e8"],
    ["1001 after an interruption", Exit.interrupt(1), "88 02 03 e9"],
    ["1011 after a failure", Exit.fail("mine"), "88 02 03 f3"]
  ] as const
  for (const [rule, exit, frame] of codes) {
    it.effect(rule, () =>
      Effect.gen(function* () {
        const { say, socket, takeWrites } = yield* Connected.make()
        const releasing = yield* Effect.forkChild(socket.release(exit), { startImmediately: true })
        yield* turns
        assert.deepStrictEqual(takeWrites(), [frame])
        say([close])
        yield* Fiber.join(releasing)
      })
    )
  }
})

describe("drain", () => {
  it.effect("a reader that waits is told the end, and the peer 1001", () =>
    Effect.gen(function* () {
      const { say, socket, takeWrites, timers, transport } = yield* Connected.make()
      const reader = yield* Effect.forkChild(isDone(socket.receive), { startImmediately: true })
      socket.drain()
      yield* Fiber.join(reader)
      yield* turns
      assert.deepStrictEqual(takeWrites(), ["88 02 03 e9"])
      assert.deepInclude(yield* reasonOf(socket.send("late")), { _tag: "Closed", closeCode: 1001 })
      say([text, "'crossing'"], [close, "03e9"])
      yield* socket.closed
      assert.strictEqual(transport.state, "closed")
      assert.strictEqual(timers.size(), 0)
    })
  )

  it.effect("what is in flight is answered first", () =>
    Effect.gen(function* () {
      const { say, socket, takeWrites } = yield* Connected.make()
      const fiber = yield* socket
        .runForEach((message) => Effect.andThen(Effect.sleep(1000), socket.send(message)))
        .pipe(Effect.forkChild({ startImmediately: true }))
      say([text, "'a'"], [text, "'b'"])
      yield* turns
      socket.drain()
      yield* TestClock.adjust(1000)
      yield* turns
      assert.deepStrictEqual(takeWrites(), ["81 01 61"])
      yield* TestClock.adjust(1000)
      yield* Fiber.join(fiber)
      yield* turns
      assert.deepStrictEqual(takeWrites().join(" "), "81 01 62 88 02 03 e9")
    })
  )

  it.effect("a WebSocket that nobody reads is closed at once; one whose first messages wait, when they were read", () =>
    Effect.gen(function* () {
      const pushing = yield* Connected.make()
      pushing.socket.drain()
      yield* turns
      assert.deepStrictEqual(pushing.takeWrites(), ["88 02 03 e9"])
      const starting = yield* Connected.make()
      starting.say([text, "'a'"])
      yield* turns
      starting.socket.drain()
      yield* turns
      assert.deepStrictEqual(starting.takeWrites(), [])
      assert.strictEqual(yield* starting.socket.receive, "a")
      yield* isDone(starting.socket.receive)
      yield* turns
      assert.deepStrictEqual(starting.takeWrites(), ["88 02 03 e9"])
    })
  )

  it.effect("a peer that does not answer is given up after closeTimeout", () =>
    Effect.gen(function* () {
      const { socket } = yield* Connected.make()
      socket.drain()
      yield* TestClock.adjust("5 seconds")
      assert.deepInclude(yield* socket.closed, { code: 1006 })
    })
  )

  it.effect("cut lets go at once", () =>
    Effect.gen(function* () {
      const { socket } = yield* Connected.make()
      socket.cut()
      yield* socket.closed
      assert.deepInclude(yield* reasonOf(socket.send("late")), { _tag: "Closed", closeCode: 1001 })
    })
  )
})

describe("a client", () => {
  it.effect("masks, and waits for the server to end the connection", () =>
    Effect.gen(function* () {
      const { peer, say, socket, takeWrites, transport } = yield* Connected.make({ role: "client" })
      yield* socket.send("Hello")
      yield* turns
      assert.deepStrictEqual(takeWrites(), ["81 85 37 fa 21 3d 7f 9f 4d 51 58"])
      const closing = yield* Effect.forkChild(socket.close(), { startImmediately: true })
      say([close, "03e8"])
      yield* turns
      assert.strictEqual(transport.state, "open")
      peer.end()
      yield* Fiber.join(closing)
    })
  )
})
