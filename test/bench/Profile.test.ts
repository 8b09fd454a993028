import { assert, describe, it } from "vitest"
import * as Profile from "../../bench/src/Profile.ts"

const frames: ReadonlyArray<readonly [functionName: string, url: string, scriptId?: string]> = [
  ["(idle)", ""],
  ["decode", "file:///a/packages/core/src/protocol/hpack/HpackDecoder.ts"],
  ["encode", "file:///a/packages/core/src/protocol/hpack/HpackEncoder.ts"],
  ["(garbage collector)", ""],
  ["", "", "7"],
  ["writeBuffer", "", "0"],
  ["write", "node:net"],
  ["run", "file:///a/node_modules/effect/dist/internal/core.js"]
]

/** Each sample is the frame's place in `frames`, and how long it took. */
const profile = (...samples: ReadonlyArray<readonly [frame: number, micros: number]>): Profile.CpuProfile => ({
  nodes: frames.map(([functionName, url, scriptId = "0"], id) => ({
    id,
    callFrame: { functionName, url, scriptId, lineNumber: 9 }
  })),
  samples: [...samples.map(([frame]) => frame), 0],
  timeDeltas: [0, ...samples.map(([, micros]) => micros)]
})

const shares = (list: ReadonlyArray<Profile.Share>) =>
  list.map(({ name, share }) => `${name} ${Math.round(share * 100)}`)

it("self time is summed up by category, file and function, without what is idle", () => {
  const summary = Profile.summarize(profile([1, 30], [0, 500], [2, 10], [1, 20], [3, 40]))
  assert.deepStrictEqual([summary.busyMicros, summary.idleMicros], [100, 500])
  assert.deepStrictEqual(shares(summary.categories), ["HPACK 60", "garbage collection 40"])
  assert.deepStrictEqual(shares(summary.files), [
    "core/src/protocol/hpack/HpackDecoder.ts 50",
    "- 40",
    "core/src/protocol/hpack/HpackEncoder.ts 10"
  ])
  assert.deepStrictEqual(shares(summary.functions)[0], "decode core/src/protocol/hpack/HpackDecoder.ts:10 50")
})

it("frames without a file have categories too", () => {
  const { categories } = Profile.summarize(profile([4, 40], [5, 30], [6, 20], [7, 10]))
  assert.deepStrictEqual(shares(categories), [
    "protobuf 40",
    "native functions 30",
    "node:net and streams 20",
    "Effect 10"
  ])
})

describe("only the last part counts", () => {
  it("before the process was idle for good", () => {
    const { categories } = Profile.summarize(profile([7, 1_000], [1, 50], [3, 50], [0, 9_000]), 100)
    assert.deepStrictEqual(shares(categories), ["garbage collection 50", "HPACK 50"])
  })

  it("with what is idle in it", () => {
    const summary = Profile.summarize(profile([7, 1_000], [0, 50], [3, 50], [0, 9_000]), 100)
    assert.deepStrictEqual([summary.busyMicros, summary.idleMicros], [50, 50])
  })
})

it("lines say the share, and what that is of one reply", () => {
  const summary = Profile.summarize(profile([1, 75], [3, 25]))
  const lines = Profile.render(summary, 8)
  assert.include(lines, "   75.0 %    6.000 µs  HPACK")
  assert.include(Profile.render(summary, undefined), "   75.0 %  HPACK")
})
