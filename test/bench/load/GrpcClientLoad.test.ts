import { assert, it } from "vitest"
import { GrpcClientCounts } from "../../../bench/src/load/GrpcClientLoad.ts"

it("payloads are looked at", () => {
  const counts = new GrpcClientCounts({ method: "Unary", payloadBytes: 3 })
  counts.onPayload({ body: Buffer.from("xxx") })
  assert.deepStrictEqual([counts.messages.count, counts.errors.length], [1, 0])
  counts.onPayload({ body: Buffer.from("xx") })
  counts.onPayload({ body: Buffer.from("yxx") })
  assert.strictEqual(counts.errors.length, 2)
})

it("greetings are looked at", () => {
  const counts = new GrpcClientCounts({ method: "Hello", name: "Ada" })
  counts.onHello({ message: "Hello Ada" })
  assert.strictEqual(counts.errors.length, 0)
  counts.onHello({ message: "Hello Eve" })
  counts.onPayload({ body: Buffer.from("x") })
  assert.strictEqual(counts.errors.length, 2)
})

it("a call counts when it is over", () => {
  const counts = new GrpcClientCounts({ method: "Hello", name: "Ada" })
  counts.onHello({ message: "Hello Ada" })
  assert.strictEqual(counts.latencies.count, 0)
  counts.onEnd(performance.now() - 1_000)
  assert.isAtLeast(counts.latencies.quantile(0.5), 950_000)
})
