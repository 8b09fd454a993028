import { assert, describe, it } from "@effect/vitest"
import { EnginePair, type Options } from "./EnginePair.ts"
import { ToyEngine } from "./ToyEngine.ts"

const pairOf = (options?: Options & { readonly idleMillis?: number }) => {
  const idleMillis = options?.idleMillis ?? 10_000
  const client = new ToyEngine({ answers: false, idleMillis })
  const server = new ToyEngine({ answers: true, idleMillis })
  return { client, server, pair: new EnginePair(client, server, options) }
}

describe("settle", () => {
  it("holds a conversation in the time that its bytes travel", () => {
    const { client, pair } = pairOf({ latencyMillis: { toRight: 30, toLeft: 12 } })
    client.sendLine("hello")
    pair.settle()
    assert.deepStrictEqual(client.calls, [["line", "hello"]])
    assert.strictEqual(pair.nowMillis, 42)
  })
  it("cuts what arrives as it is told", () => {
    const received: Array<number> = []
    const { client, server, pair } = pairOf({ cut: (bytes) => Array.from(bytes, (byte) => Uint8Array.of(byte)) })
    const receive = server.receive.bind(server)
    server.receive = (bytes, nowMillis) => {
      received.push(bytes.length)
      receive(bytes, nowMillis)
    }
    client.sendLine("abc")
    pair.settle()
    assert.deepStrictEqual(received, [1, 1, 1, 1])
    assert.deepStrictEqual(client.calls, [["line", "abc"]])
  })
  it("closes both transports when both sides have ended", () => {
    const { client, server, pair } = pairOf({ latencyMillis: 5 })
    client.sendLine("quit")
    pair.settle()
    assert.deepStrictEqual(client.calls, [["line", "bye"], ["end"], ["close"]])
    assert.deepStrictEqual(server.calls, [["line", "quit"], ["end"], ["close"]])
    assert.deepStrictEqual(pair.transports, { left: "closed", right: "closed" })
    assert.strictEqual(pair.nowMillis, 15)
  })
  it("does not fire deadlines that nothing travels towards", () => {
    const { pair } = pairOf()
    pair.settle()
    assert.strictEqual(pair.nowMillis, 0)
    assert.deepStrictEqual(pair.transports, { left: "open", right: "open" })
  })
  it("throws when two engines talk for ever", () => {
    const left = new ToyEngine({ answers: true, idleMillis: 1_000 })
    const right = new ToyEngine({ answers: true, idleMillis: 1_000 })
    left.sendLine("again")
    assert.throws(() => new EnginePair(left, right, { maxSteps: 50 }).settle(), /no rest after 50 steps/)
  })
})

describe("advance", () => {
  it("fires a deadline at its time and not before, and tells the other side", () => {
    const { client, server, pair } = pairOf({ idleMillis: 1_000, latencyMillis: 10 })
    client.deadlineMillis = Number.POSITIVE_INFINITY
    pair.advance(999)
    assert.deepStrictEqual(pair.transports, { left: "open", right: "open" })
    pair.advance(1)
    assert.deepStrictEqual(pair.transports, { left: "open", right: "closed" })
    assert.deepStrictEqual(server.calls, [["close"]])
    pair.advance(10)
    assert.deepStrictEqual(client.calls, [["close"]])
  })
  it("delivers what arrives until then, and no more", () => {
    const { client, server, pair } = pairOf({ latencyMillis: 10 })
    client.sendLine("a")
    pair.advance(9)
    assert.deepStrictEqual(server.calls, [])
    pair.advance(1)
    assert.deepStrictEqual(server.calls, [["line", "a"]])
    assert.deepStrictEqual(client.calls, [])
  })
  it("throws for a deadline that is not served", () => {
    class Stuck extends ToyEngine {
      override advance(): void {}
    }
    const stuck = new Stuck({ answers: true, idleMillis: 1 })
    const pair = new EnginePair(stuck, new ToyEngine({ answers: true, idleMillis: 5_000 }))
    assert.throws(() => pair.advance(2), /not served/)
  })
})
