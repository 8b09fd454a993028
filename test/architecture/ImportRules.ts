/**
 * What may import what. The rules are tables; `Imports.test.ts` shows each of
 * them a file that breaks it, then all files of the packages.
 */
import * as Path from "node:path"
import * as SourceText from "./SourceText.ts"
import type { SourceFile } from "./SourceTree.ts"

export interface Violation {
  readonly rule: Rule
  readonly path: string
  readonly line: number
  readonly detail: string
}

export type Rule =
  | "package arrows"
  | "folder arrows"
  | "unknown folder"
  | "platform"
  | "globals"
  | "purity"
  | "escape"
  | "barrel"
  | "internal"

/** Checks one file of `packages/<name>/src`. */
export const check = (file: SourceFile): ReadonlyArray<Violation> => {
  const at = locate(file.path)
  const found: Array<Violation> = []
  const add = (rule: Rule, line: number, detail: string) => found.push({ rule, path: file.path, line, detail })
  if (at.packageName === "core" && at.folder !== "" && !(at.layer in arrows)) {
    add("unknown folder", 1, `${at.folder} is in no row of the table of arrows`)
  }
  if (at.packageName === "core") checkGlobals(file, at, add)
  if (isGeneratedBarrel(at)) return found
  for (const one of SourceText.importsOf(file.text)) {
    if (one.specifier.startsWith(".")) checkRelative(one, at, add)
    else checkPackage(one, at, add)
  }
  return found
}

/** A violation as one line of a failing test. */
export const show = (violation: Violation): string =>
  `${violation.path}:${violation.line} [${violation.rule}] ${violation.detail}`

/**
 * The folders of core, each with the ones right below it. A folder may import
 * all that can be reached from it, and files of its own.
 */
export const arrows: Readonly<Record<string, ReadonlyArray<string>>> = {
  bytes: [],
  codec: ["bytes"],
  protocol: ["bytes"],
  "protocol/http": ["protocol"],
  "protocol/http1": ["protocol/http"],
  "protocol/hpack": ["bytes"],
  "protocol/http2": ["protocol/http", "protocol/hpack"],
  "protocol/websocket": ["protocol/http"],
  "protocol/grpc": ["protocol/http"],
  "protocol/proxy": ["bytes"],
  protobuf: ["bytes"],
  transport: ["bytes"],
  session: [
    "codec",
    "protocol/http1",
    "protocol/http2",
    "protocol/websocket",
    "protocol/grpc",
    "protocol/proxy",
    "protobuf",
    "transport"
  ],
  service: [],
  pool: ["session", "service"],
  balance: ["service"],
  server: ["session", "service"],
  client: ["session", "pool", "balance"],
  middleware: ["server"],
  hub: ["session", "service"],
  grpc: ["session", "service"],
  "grpc/generated": [],
  "grpc/server": ["grpc", "grpc/generated", "server"],
  "grpc/client": ["grpc", "grpc/generated", "client"],
  simulation: ["transport"]
}

/** What a package may import by name, besides its own files. */
const packages: Readonly<Record<string, ReadonlyArray<RegExp>>> = {
  core: [/^effect(\/|$)/],
  node: [/^effect(\/|$)/, /^@sluice\/core(\/|$)/, /^@effect\/platform-node(\/|$)/, /^node:/],
  examples: [
    /^effect(\/|$)/,
    /^@sluice\/(core|node)(\/|$)/,
    /^@effect\/platform-node(\/|$)/,
    /^@bufbuild\/protobuf(\/|$)/,
    /^node:/
  ]
}

/** The protobuf runtime belongs to gRPC: files with its name, its folder, the codec of messages, and generated ones. */
const protobuf = /^@bufbuild\/protobuf(\/|$)/
const grpcFile = /(?:^|\/)(?:grpc\/.*|protobuf\/.*|Grpc\w*\.ts|\w+_pb\.ts)$/

/** Layers without an Effect runtime, and the values of `effect` that they may use: data and words, no fibers. */
const pureLayers = /^(?:bytes|codec|protocol|protobuf)(?:\/|$)/
const pureValues = /^effect\/(?:Data|Option|Result|ByteSize|Duration|net\/\w+)$/

const platformGlobals = [
  "process",
  "Buffer",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "performance",
  "console",
  "Bun",
  "Deno",
  "navigator",
  "XMLHttpRequest"
]
const globalName = new RegExp(
  String.raw`(?:\bglobalThis\s*\??\.\s*|(?<![.\w$#]))(${platformGlobals.join("|")})\b(?!\s*\??:(?!:))`,
  "g"
)
/** A cast would hide which global is read. */
const castGlobal = /\bglobalThis\b(?!\s*\??\.)/g
/** Clocks and randomness, which come as arguments or through Effect's services. */
const ambientCall = /\b(?:Date\s*\.\s*now|Math\s*\.\s*random|new\s+Date\s*\(\s*\)|new\s+Date\b(?!\s*\())/g
/** What the platform-free layers above may use, and a pure one may not. */
const impureGlobal = /(?:\bglobalThis\s*\??\.\s*|(?<![.\w$#]))(?:crypto|queueMicrotask|fetch)\b(?!\s*\??:(?!:))/g

interface Location {
  readonly packageName: string
  /** The folder below `src`; "" for a file right in it. */
  readonly folder: string
  /** The folder without a closing `internal`, and up to `generated`: the folders below are those of the protos. */
  readonly layer: string
  readonly fileName: string
}

type Add = (rule: Rule, line: number, detail: string) => void

const locate = (path: string): Location => {
  const match = /^packages\/([^/]+)\/src\/(?:(.+)\/)?([^/]+)$/.exec(path)
  if (match === null) throw new RangeError(`${path} is no source of a package`)
  const folder = match[2] ?? ""
  return {
    packageName: match[1]!,
    folder,
    layer: folder.replace(/(?:^|\/)internal$|(?<=(?:^|\/)generated)\/.*$/, ""),
    fileName: match[3]!
  }
}

const isGeneratedBarrel = (at: Location): boolean => at.fileName === "index.ts" && at.packageName !== "examples"

const reachable = (layer: string, seen: ReadonlySet<string> = new Set()): ReadonlySet<string> => {
  const all = new Set(seen).add(layer)
  for (const below of arrows[layer] ?? []) for (const one of reachable(below, all)) all.add(one)
  return all
}

const checkRelative = (one: SourceText.Import, at: Location, add: Add): void => {
  const source = `packages/${at.packageName}/src/`
  const path = Path.posix.join(source, at.folder, one.specifier)
  if (!path.startsWith(source)) {
    add("escape", one.line, `${one.specifier} leaves the package's sources`)
    return
  }
  const target = locate(path)
  if (target.fileName === "index.ts" || !target.fileName.endsWith(".ts")) {
    add("barrel", one.line, `${one.specifier}: import the file itself`)
  }
  if (/(?:^|\/)internal$/.test(target.folder) && target.layer !== at.layer) {
    add("internal", one.line, `${one.specifier} belongs to ${target.layer}`)
  }
  if (at.packageName === "core" && !reachable(at.layer).has(target.layer)) {
    add("folder arrows", one.line, `${at.layer} may not import ${target.layer} (${one.specifier})`)
  }
}

const checkPackage = (one: SourceText.Import, at: Location, add: Add): void => {
  const { specifier } = one
  const grpcImport = protobuf.test(specifier) && grpcFile.test(`${at.folder}/${at.fileName}`)
  if (specifier.startsWith("node:") && at.packageName === "core") {
    add("platform", one.line, `${specifier}: core names no platform`)
  } else if (!grpcImport && !(packages[at.packageName] ?? []).some((allowed) => allowed.test(specifier))) {
    add("package arrows", one.line, `${at.packageName} may not import ${specifier}`)
  }
  if (/^@sluice\/[^/]+(?:\/index|\/.*\/index)?$/.test(specifier) || specifier === "effect") {
    add("barrel", one.line, `${specifier}: import the module itself`)
  }
  if (/^@sluice\/.*\/internal\//.test(specifier)) add("internal", one.line, `${specifier} is closed`)
  if (at.packageName !== "core" || !pureLayers.test(at.layer) || one.kind === "type") return
  if (specifier.startsWith("effect") && !pureValues.test(specifier)) {
    add("purity", one.line, `${at.layer} may import only types from ${specifier}`)
  }
}

const checkGlobals = (file: SourceFile, at: Location, add: Add): void => {
  const code = SourceText.codeOnly(file.text)
  const lineAt = (index: number) => code.slice(0, index).split("\n").length
  for (const match of code.matchAll(globalName)) {
    if (match[0] === "globalThis.Buffer" && at.layer === "bytes") continue
    add("globals", lineAt(match.index), `${match[0]}: core names no platform`)
  }
  if (at.layer !== "bytes") {
    for (const match of code.matchAll(castGlobal)) add("globals", lineAt(match.index), "globalThis: name what is read")
  }
  for (const match of code.matchAll(ambientCall)) {
    add("globals", lineAt(match.index), `${match[0]}: take it as an argument or from Effect's service`)
  }
  if (!pureLayers.test(at.layer)) return
  for (const match of code.matchAll(impureGlobal)) add("purity", lineAt(match.index), `${match[0]} in ${at.layer}`)
}
