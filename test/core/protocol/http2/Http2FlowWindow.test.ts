import { assert, describe, it } from "@effect/vitest"
import { Http2FlowWindow } from "@sluice/core/protocol/http2/Http2FlowWindow"

const largest = 2 ** 31 - 1

describe("sending", () => {
  it("RFC 9113 §6.9.1: a window of 2^31 - 1 is the largest", () => {
    const window = new Http2FlowWindow(65_535, 10)
    assert.isTrue(window.increase(largest - 65_535))
    assert.strictEqual(window.sendBytes, largest)
    assert.isFalse(window.increase(1))
  })

  it("RFC 9113 §6.9.2: a window may be below 0, and comes back", () => {
    const window = new Http2FlowWindow(100, 10)
    assert.isTrue(window.increase(-150))
    assert.strictEqual(window.sendBytes, -50)
    assert.isTrue(window.increase(60))
    assert.strictEqual(window.sendBytes, 10)
  })
})

describe("receiving", () => {
  it("RFC 9113 §6.9.1: no more than the window", () => {
    const window = new Http2FlowWindow(0, 100)
    assert.isTrue(window.receive(60))
    assert.isTrue(window.receive(40))
    assert.strictEqual(window.receiveBytes, 0)
    assert.isTrue(window.receive(0))
    assert.isFalse(window.receive(1))
  })

  it("what was used up is announced when it is half of the window", () => {
    const window = new Http2FlowWindow(0, 100)
    window.receive(100)
    const steps: ReadonlyArray<readonly [byteCount: number, increment: number, receiveBytes: number]> = [
      [0, 0, 0],
      [49, 0, 0],
      [1, 50, 50],
      [10, 0, 50],
      [40, 50, 100]
    ]
    for (const [byteCount, increment, receiveBytes] of steps) {
      assert.deepStrictEqual([window.credit(byteCount), window.receiveBytes], [increment, receiveBytes])
    }
  })

  it("a window of one byte is announced each time", () => {
    const window = new Http2FlowWindow(0, 1)
    window.receive(1)
    assert.strictEqual(window.credit(1), 1)
    assert.isTrue(window.receive(1))
  })

  it("all that was received comes back, however it is used up", () => {
    for (const stepBytes of [1, 7, 33, 50, 99, 100]) {
      const window = new Http2FlowWindow(0, 100)
      let unreadBytes = 0
      let announcedBytes = 100
      for (let turn = 0; turn < 1000; turn++) {
        const byteCount = Math.min(stepBytes, window.receiveBytes)
        assert.isTrue(window.receive(byteCount))
        announcedBytes -= byteCount
        unreadBytes += byteCount
        announcedBytes += window.credit(unreadBytes)
        unreadBytes = 0
        assert.strictEqual(window.receiveBytes, announcedBytes)
        assert.isAbove(window.receiveBytes, 50)
      }
    }
  })

  it("RFC 9113 §6.9.2: another size moves the window by the difference, also below 0", () => {
    const window = new Http2FlowWindow(0, 100)
    window.receive(80)
    window.resize(50)
    assert.strictEqual(window.receiveBytes, -30)
    window.resize(200)
    assert.strictEqual(window.receiveBytes, 120)
    // Half of the new size.
    assert.strictEqual(window.credit(80), 0)
    assert.strictEqual(window.credit(20), 100)
  })
})
