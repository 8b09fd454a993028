/** The loop against a socket that only remembers what was written to it. */
import type * as Net from "node:net"
import { assert, describe, it } from "vitest"
import { ClosedLoop } from "../../../bench/src/load/ClosedLoop.ts"
import { Histogram } from "../../../bench/src/load/Histogram.ts"

const replyBytes = 10

/** A loop of `inFlight` requests of one byte; `written` has the size of each write. */
const startLoop = (inFlight: number, burst: boolean) => {
  const written: Array<number> = []
  const errors: Array<Error> = []
  let destroyed = false
  const latencies = new Histogram()
  const loop = new ClosedLoop({
    requests: Array.from({ length: inFlight + 1 }, (_, count) => Buffer.alloc(count)),
    replyBytes,
    replyBegins: Buffer.alloc(0),
    burst,
    latencies,
    onError: (error) => errors.push(error)
  })
  const socket: Pick<Net.Socket, "destroy"> & { write(bytes: Buffer): boolean } = {
    write: (bytes) => written.push(bytes.length) > 0,
    destroy() {
      destroyed = true
      return this as Net.Socket
    }
  }
  loop.start(socket as Net.Socket)
  return { loop, written, errors, latencies, isDestroyed: () => destroyed }
}

describe("a window", () => {
  it("begins with all requests in one write", () => {
    assert.deepStrictEqual(startLoop(4, false).written, [4])
  })

  it("sends a request for each whole reply, however the bytes are cut", () => {
    const { loop, written, latencies } = startLoop(4, false)
    for (const bytes of [replyBytes - 1, 1, replyBytes * 2 + 3, replyBytes - 3]) loop.receive(bytes)
    assert.deepStrictEqual(written, [4, 1, 2, 1])
    assert.strictEqual(latencies.count, 4)
  })

  it("knows where replies begin", () => {
    const { loop } = startLoop(4, false)
    const between = [0, replyBytes + 1, replyBytes - 2, 1].map((bytes) => {
      loop.receive(bytes)
      return loop.isBetweenReplies
    })
    assert.deepStrictEqual(between, [true, false, false, true])
  })

  it("does not end", () => {
    const { loop, written, latencies } = startLoop(2, false)
    for (let reply = 0; reply < 1_000; reply++) loop.receive(replyBytes)
    assert.strictEqual(written.length, 1_001)
    assert.strictEqual(latencies.count, 1_000)
  })
})

describe("a burst", () => {
  it("sends the next one when all replies are in", () => {
    const { loop, written } = startLoop(3, true)
    loop.receive(replyBytes * 2)
    assert.deepStrictEqual(written, [3])
    loop.receive(replyBytes)
    assert.deepStrictEqual(written, [3, 3])
  })
})

it("more replies than requests are an error, and the connection is given up", () => {
  for (const burst of [false, true]) {
    const { loop, errors, written, isDestroyed } = startLoop(2, burst)
    loop.receive(replyBytes * 3)
    assert.strictEqual(errors.length, 1)
    assert.deepStrictEqual(written, [2])
    assert.isTrue(isDestroyed())
  }
})
