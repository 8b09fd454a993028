import { assert, describe, it } from "vitest"
import type { Experiment, Sample } from "../../bench/src/Experiment.ts"
import * as Result from "../../bench/src/Result.ts"
import type { Contestant, Row } from "../../bench/src/Row.ts"

const subject: Contestant = { name: "subject", program: "servers/subject" }
const peer: Contestant = { name: "peer", program: "servers/peer" }

const rowOf = (better: Experiment["better"], target?: number): Row => ({
  group: "group",
  name: "row",
  title: "a row",
  subject,
  peers: [peer],
  targets: target === undefined ? {} : { peer: target },
  experiment: { unit: "things/s", better, lifetime: "kept", measure: () => Promise.reject(new Error("not measured")) }
})

const values = (...list: ReadonlyArray<number>): ReadonlyArray<Sample> => list.map((value) => ({ value }))

const both = (ofSubject: ReadonlyArray<Sample>, ofPeer: ReadonlyArray<Sample>) =>
  new Map([
    [subject, ofSubject],
    [peer, ofPeer]
  ])

it("a ratio is made of the samples of one round, not of the medians", () => {
  // The machine was half as fast in the second round, for both.
  const result = Result.make(rowOf("higher"), both(values(80, 45, 90), values(100, 50, 100)), [])
  assert.deepStrictEqual(result.ratios[0]?.perRound, [0.8, 0.9, 0.9])
  assert.deepStrictEqual(result.ratios[0]?.ratio, { median: 0.9, min: 0.8, max: 0.9 })
})

describe("verdicts", () => {
  const cases: ReadonlyArray<readonly [better: Experiment["better"], target: number | undefined, verdict: unknown]> = [
    ["higher", 0.8, "reached"],
    ["higher", 0.81, "short"],
    ["lower", 0.8, "reached"],
    ["lower", 0.79, "short"],
    ["higher", undefined, undefined]
  ]
  for (const [better, target, verdict] of cases) {
    it(`0.8 where ${better} is better and the target is ${target}: ${verdict}`, () => {
      const result = Result.make(rowOf(better, target), both(values(80), values(100)), [])
      assert.strictEqual(result.ratios[0]?.verdict, verdict)
    })
  }
})

describe("what limits a server", () => {
  const cases: ReadonlyArray<readonly [server: number | undefined, load: number, limit: unknown]> = [
    [99, 99, "server"],
    [90, 97, "server"],
    [89, 97, "load"],
    [89, 95, "waiting"],
    [undefined, 99, undefined]
  ]
  for (const [serverCpuPercent, loadCpuPercent, limit] of cases) {
    it(`server at ${serverCpuPercent} %, generator at ${loadCpuPercent} %: ${limit}`, () => {
      const samples = [{ value: 1, serverCpuPercent, loadCpuPercent }]
      const result = Result.make(rowOf("higher"), both(samples, values(1)), [])
      assert.strictEqual(result.scores[0]?.limitedBy, limit)
      assert.strictEqual(result.remarks.length, limit === "load" ? 1 : 0)
    })
  }
})

it("a client that is measured with its server limits it, which is no remark", () => {
  const samples = [{ value: 1, serverCpuPercent: 50, loadCpuPercent: 99, clientCpuMicros: 5 }]
  const result = Result.make(rowOf("higher"), both(samples, values(1)), [])
  assert.strictEqual(result.scores[0]?.limitedBy, "client")
  assert.deepStrictEqual(result.remarks, [])
})

it("without the subject there are figures and no ratios", () => {
  const result = Result.make(rowOf("higher", 1), new Map([[peer, values(1)]]), ["subject failed: why"])
  assert.deepStrictEqual(result.ratios, [])
  assert.deepStrictEqual(
    result.scores.map(({ name }) => name),
    ["peer"]
  )
  assert.deepStrictEqual(result.remarks, ["subject failed: why"])
})

describe("the drain of the subject", () => {
  const cases: ReadonlyArray<readonly [target: number | undefined, millis: number | undefined, verdict: unknown]> = [
    [5_000, 4_999, "reached"],
    [5_000, 5_000, "short"],
    [undefined, 1, undefined],
    [5_000, undefined, undefined]
  ]
  for (const [target, millis, verdict] of cases) {
    it(`${millis} ms where the target is ${target}: ${verdict}`, () => {
      const row: Row = { ...rowOf("lower"), drainTargetMillis: target }
      const result = Result.make(row, both([{ value: 1, drainMillis: millis }], [{ value: 1, drainMillis: 9_000 }]), [])
      assert.strictEqual(result.drain?.verdict, verdict)
    })
  }
})

it("errors are summed and remarked", () => {
  const samples = [
    { value: 1, errorCount: 2 },
    { value: 1, errorCount: 3 }
  ]
  const result = Result.make(rowOf("higher"), both(samples, values(1, 1)), [])
  assert.strictEqual(result.scores[0]?.errorCount, 5)
  assert.deepStrictEqual(result.remarks, ["subject: 5 errors"])
})
