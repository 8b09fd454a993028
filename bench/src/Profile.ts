/**
 * Where the CPU time of a process went, by what V8's profiler wrote
 * (`--cpu-prof`): self time, summed up by category, by file and by function.
 */

/** As much of a profile as is read. */
export interface CpuProfile {
  readonly nodes: ReadonlyArray<{
    readonly id: number
    readonly callFrame: {
      readonly functionName: string
      readonly scriptId: string | number
      readonly url: string
      readonly lineNumber: number
    }
  }>
  readonly samples?: ReadonlyArray<number> | undefined
  /** In microseconds, from the sample before. */
  readonly timeDeltas?: ReadonlyArray<number> | undefined
}

export interface Share {
  readonly name: string
  /** Of the time that the process was busy. */
  readonly share: number
}

export interface Summary {
  readonly busyMicros: number
  readonly idleMicros: number
  /** The largest first, in each of these. */
  readonly categories: ReadonlyArray<Share>
  readonly files: ReadonlyArray<Share>
  readonly functions: ReadonlyArray<Share>
}

type Frame = CpuProfile["nodes"][number]["callFrame"]

/** Of the frames that are written in no file. */
const named: Readonly<Record<string, string>> = {
  "(garbage collector)": "garbage collection",
  "(program)": "V8, C++ and system calls"
}

/** The first that fits. */
const categories: ReadonlyArray<readonly [file: RegExp, category: string]> = [
  [/\/core\/src\/protocol\/hpack\//, "HPACK"],
  [/\/core\/src\/protocol\/http/, "HTTP/2 engine"],
  [/\/core\/src\/protocol\/grpc\//, "gRPC framing"],
  [/\/core\/src\/(?:grpc)\//, "gRPC calls"],
  [/\/core\/src\/protobuf\/|@bufbuild\/protobuf/, "protobuf"],
  [/\/core\/src\/session\//, "sessions"],
  [/\/core\/src\/(?:server|client)\//, "server"],
  [/\/core\/src\//, "other parts of Sluice"],
  [/\/packages\/node\/src\//, "transport on Node"],
  [/\/node_modules\/effect\//, "Effect"],
  [/\/node_modules\/@grpc\/grpc-js\//, "grpc-js"],
  [/\/node_modules\/protobufjs\//, "protobuf"],
  [/\/bench\/src\//, "the program"],
  [/^node:(?:internal\/modules|internal\/bootstrap|internal\/vm)/, "loading"],
  [/^node:(?:internal\/)?http2/, "node:http2"],
  [/^node:(?:net|internal\/stream_base_commons|internal\/streams|stream)/, "node:net and streams"],
  [/^node:/, "other parts of Node"]
]

const idle = "(idle)"

/** Of the samples in the last `lastMicros` before the process was idle for good; all, by default. */
export const summarize = (profile: CpuProfile, lastMicros: number = Number.POSITIVE_INFINITY): Summary => {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]))
  const samples = profile.samples ?? []
  const deltas = profile.timeDeltas ?? []
  const byCategory = new Map<string, number>()
  const byFile = new Map<string, number>()
  const byFunction = new Map<string, number>()
  let busyMicros = 0
  let idleMicros = 0
  let at = samples.length - 1
  while (at > 0 && frames.get(samples[at]!)!.functionName === idle) at--
  for (; at >= 0 && busyMicros + idleMicros < lastMicros; at--) {
    const frame = frames.get(samples[at]!)!
    // A sample stands for the time up to the next one.
    const micros = Math.max(0, deltas[at + 1] ?? 0)
    if (frame.functionName === idle) {
      idleMicros += micros
      continue
    }
    busyMicros += micros
    add(byCategory, categoryOf(frame), micros)
    add(byFile, fileOf(frame), micros)
    add(byFunction, `${frame.functionName || "(anonymous)"} ${fileOf(frame)}:${frame.lineNumber + 1}`, micros)
  }
  const sorted = (map: ReadonlyMap<string, number>): ReadonlyArray<Share> =>
    Array.from(map, ([name, micros]) => ({ name, share: micros / busyMicros })).sort((a, b) => b.share - a.share)
  return {
    busyMicros,
    idleMicros,
    categories: sorted(byCategory),
    files: sorted(byFile),
    functions: sorted(byFunction)
  }
}

/** Lines of text. `eachMicros`: what a call costs in all, if that is known. */
export const render = (summary: Summary, eachMicros: number | undefined): ReadonlyArray<string> => {
  const line = ({ name, share }: Share): string => {
    const each = eachMicros === undefined ? "" : `${(share * eachMicros).toFixed(3).padStart(9)} µs`
    return `  ${(share * 100).toFixed(1).padStart(5)} %${each}  ${name}`
  }
  const part = (title: string, shares: ReadonlyArray<Share>, count: number): ReadonlyArray<string> => [
    "",
    title,
    ...shares.slice(0, count).map(line)
  ]
  return [
    ...part("self time by category", summary.categories, 30),
    ...part("by file", summary.files, 25),
    ...part("by function", summary.functions, 40)
  ]
}

const add = (map: Map<string, number>, name: string, micros: number): void => {
  map.set(name, (map.get(name) ?? 0) + micros)
}

const categoryOf = ({ functionName, url, scriptId }: Frame): string => {
  if (url === "") return named[functionName] ?? (Number(scriptId) === 0 ? "native functions" : "protobuf")
  return categories.find(([file]) => file.test(url))?.[1] ?? "other packages"
}

/** Short, and still one of a kind. */
const fileOf = ({ functionName, url, scriptId }: Frame): string => {
  if (url === "") return functionName in named ? "-" : Number(scriptId) === 0 ? "native" : "code made of text"
  return url.replace(/^.*\/(?:node_modules|packages)\//, "").replace(/^file:\/\/.*\/bench\//, "bench/")
}
