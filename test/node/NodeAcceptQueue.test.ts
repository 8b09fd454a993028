import { assert, describe, it } from "@effect/vitest"
import * as MemoryTransport from "@sluice/core/transport/MemoryTransport"
import type { Transport } from "@sluice/core/transport/Transport"
import * as TransportError from "@sluice/core/transport/TransportError"
import { NodeAcceptQueue } from "@sluice/node/NodeAcceptQueue"

const transport = () => MemoryTransport.pair()[0]

/** What an acceptor was given. */
const acceptor = () => {
  const transports: Array<Transport> = []
  const refusals: Array<string> = []
  return {
    transports,
    refusals,
    onTransport: (each: Transport) => void transports.push(each),
    onRefused: (error: TransportError.TransportError) => void refusals.push(error.reason._tag)
  }
}

describe("NodeAcceptQueue", () => {
  it("those that came before anyone accepts are handed over in their order, if they are still there", () => {
    const queue = new NodeAcceptQueue(3)
    const [first, gone, last] = [transport(), transport(), transport()]
    for (const each of [first, gone, last]) queue.offer(each)
    gone.destroy()
    const accepted = acceptor()
    queue.accept(accepted)
    assert.deepStrictEqual(accepted.transports, [first, last])
  })

  it("above its limit they are destroyed, and the acceptor is told when it comes", () => {
    const queue = new NodeAcceptQueue(1)
    const [first, second] = [transport(), transport()]
    queue.offer(first)
    queue.offer(second)
    assert.deepStrictEqual([first.state, second.state], ["open", "closed"])
    const accepted = acceptor()
    queue.accept(accepted)
    assert.deepStrictEqual([accepted.transports, accepted.refusals], [[first], ["TooManyConnections"]])
  })

  it("one that is gone takes no place", () => {
    const queue = new NodeAcceptQueue(1)
    const [gone, next] = [transport(), transport()]
    queue.offer(gone)
    gone.destroy()
    queue.offer(next)
    const accepted = acceptor()
    queue.accept(accepted)
    assert.deepStrictEqual([accepted.transports, accepted.refusals], [[next], []])
  })

  it("of refusals before anyone accepts, no more are kept than may wait, and each is told once", () => {
    const queue = new NodeAcceptQueue(2)
    for (let count = 0; count < 3; count++) {
      queue.refuse(TransportError.make(new TransportError.ResourceExhausted("EMFILE")), undefined)
    }
    const [first, second] = [acceptor(), acceptor()]
    queue.accept(first)
    queue.accept(second)
    assert.deepStrictEqual([first.refusals.length, second.refusals.length], [2, 0])
  })

  it("a new acceptor takes the place of the one before", () => {
    const queue = new NodeAcceptQueue(1)
    const [before, after] = [acceptor(), acceptor()]
    queue.accept(before)
    queue.accept(after)
    const each = transport()
    queue.offer(each)
    queue.refuse(TransportError.make(new TransportError.ResourceExhausted("EMFILE")), undefined)
    assert.deepStrictEqual([before.transports, before.refusals], [[], []])
    assert.deepStrictEqual([after.transports, after.refusals], [[each], ["ResourceExhausted"]])
  })

  it("closing destroys what waits, and whatever comes later", () => {
    const queue = new NodeAcceptQueue(2)
    const [waiting, late] = [transport(), transport()]
    queue.offer(waiting)
    queue.close()
    queue.offer(late)
    const accepted = acceptor()
    queue.accept(accepted)
    assert.deepStrictEqual([waiting.state, late.state, accepted.transports.length], ["closed", "closed", 0])
  })
})
