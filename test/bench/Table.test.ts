import { assert, it } from "vitest"
import * as Result from "../../bench/src/Result.ts"
import type { Contestant, Row } from "../../bench/src/Row.ts"
import * as Table from "../../bench/src/Table.ts"

const subject: Contestant = { name: "Sluice", program: "servers/subject" }
const peer: Contestant = { name: "node:net", program: "servers/peer" }

const row: Row = {
  group: "tcp",
  name: "echo",
  title: "TCP echo",
  subject,
  peers: [peer],
  targets: { "node:net": 0.8 },
  experiment: {
    unit: "replies/s",
    better: "higher",
    lifetime: "kept",
    measure: () => Promise.reject(new Error("not measured"))
  }
}

it("columns are aligned, and those without a figure are left out", () => {
  const samples = new Map([
    [subject, [{ value: 90_000, p99Micros: 1_310 }]],
    [peer, [{ value: 100_000, p99Micros: 712 }]]
  ])
  assert.strictEqual(
    Table.render(Result.make(row, samples, ["hyper failed: not installed"])),
    [
      "tcp/echo: TCP echo (1 rounds)",
      "",
      "             replies/s           min–max       p99",
      "  Sluice        90,000     90,000–90,000   1.31 ms",
      "  node:net     100,000   100,000–100,000    712 µs",
      "",
      "  Sluice /   ratio     min–max   target   verdict",
      "  node:net    0.90   0.90–0.90   ≥ 0.80   reached",
      "",
      "  ! hyper failed: not installed"
    ].join("\n")
  )
})

it("the drain has its target and verdict", () => {
  const samples = new Map([[subject, [{ value: 1, drainMillis: 1_250 }]]])
  const lines = Table.render(Result.make({ ...row, drainTargetMillis: 5_000 }, samples, [])).split("\n")
  assert.strictEqual(lines.at(-1), "  Sluice, SIGTERM to exit: 1.25 s, target < 5.00 s, reached")
})

it("a row of which everything failed has its remarks", () => {
  assert.strictEqual(
    Table.render(Result.make(row, new Map(), ["Sluice failed: no"])),
    "tcp/echo: TCP echo (0 rounds)\n\n  ! Sluice failed: no"
  )
})
