/** What the packages may import, and which globals they may name. The rules are in `ImportRules.ts`. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { assert, describe, it } from "vitest"
import * as ImportRules from "./ImportRules.ts"
import * as SourceTree from "./SourceTree.ts"

const rulesOf = (path: string, text: string): ReadonlyArray<string> =>
  ImportRules.check({ path: `packages/${path}`, text }).map((one) => one.rule)

describe("each rule is seen to fail", () => {
  const cases: ReadonlyArray<readonly [rule: ImportRules.Rule, why: string, path: string, text: string]> = [
    ["package arrows", "core does not know node", "core/src/server/A.ts", 'import * as B from "@sluice/node/B"'],
    ["package arrows", "node does not know examples", "node/src/A.ts", 'import * as B from "@sluice/examples/B"'],
    ["package arrows", "core has no other dependency", "core/src/server/A.ts", 'import * as B from "fastify"'],
    [
      "package arrows",
      "not even in types",
      "core/src/server/A.ts",
      'import type * as B from "@effect/platform-node/B"'
    ],
    [
      "package arrows",
      "protobuf is for gRPC",
      "core/src/client/HttpClient.ts",
      'import { a } from "@bufbuild/protobuf"'
    ],
    ["folder arrows", "upward", "core/src/bytes/A.ts", 'import { B } from "../codec/B.ts"'],
    ["folder arrows", "types count too", "core/src/transport/A.ts", 'import type { B } from "../session/B.ts"'],
    ["folder arrows", "siblings", "core/src/protocol/grpc/A.ts", 'import { B } from "../http2/B.ts"'],
    ["folder arrows", "proxy knows bytes only", "core/src/protocol/proxy/A.ts", 'import { B } from "../Engine.ts"'],
    ["folder arrows", "hpack does not know http2", "core/src/protocol/hpack/A.ts", 'import { B } from "../http2/B.ts"'],
    ["folder arrows", "a policy knows no bytes", "core/src/service/A.ts", 'import { B } from "../bytes/B.ts"'],
    ["folder arrows", "server and client are apart", "core/src/server/A.ts", 'import { B } from "../client/B.ts"'],
    [
      "folder arrows",
      "generated files know none of ours",
      "core/src/grpc/generated/a/b/C.ts",
      'import "../../../D.ts"'
    ],
    ["folder arrows", "nobody imports the simulation", "core/src/session/A.ts", 'export * from "../simulation/B.ts"'],
    ["unknown folder", "a new folder needs its row", "core/src/misc/A.ts", ""],
    ["platform", "node: in core", "core/src/transport/A.ts", 'import * as Net from "node:net"'],
    ["globals", "process", "core/src/server/A.ts", "const a = process.env.A"],
    ["globals", "a bare Buffer, even in bytes", "core/src/bytes/A.ts", "const a = Buffer.from(b)"],
    ["globals", "globalThis.Buffer outside of bytes", "core/src/codec/A.ts", "const a = globalThis.Buffer"],
    ["globals", "setTimeout", "core/src/session/A.ts", "const a = setTimeout(b, 1)"],
    ["globals", "setInterval through globalThis", "core/src/session/A.ts", "globalThis.setInterval(b, 1)"],
    ["globals", "a cast of globalThis", "core/src/session/A.ts", "const a = (globalThis as { b: C }).b"],
    ["globals", "performance", "core/src/session/A.ts", "const a = () => performance.now()"],
    ["globals", "console", "core/src/server/A.ts", 'console.log("a")'],
    ["globals", "in a template's expression", "core/src/server/A.ts", `const a = \`\${process.pid}\``],
    ["globals", "Date.now", "core/src/session/A.ts", "const a = Date.now()"],
    ["globals", "new Date of now", "core/src/server/A.ts", "const a = new Date()"],
    ["globals", "Math.random", "core/src/balance/A.ts", "const a = Math.random()"],
    ["purity", "an Effect runtime", "core/src/codec/A.ts", 'import * as Effect from "effect/Effect"'],
    ["purity", "a value among types", "core/src/protocol/http/A.ts", 'import { type A, b } from "effect/Stream"'],
    ["purity", "randomness", "core/src/protocol/websocket/A.ts", "crypto.getRandomValues(a)"],
    ["escape", "a path out of the package", "node/src/A.ts", 'import { B } from "../../core/src/bytes/B.ts"'],
    ["barrel", "a folder's index", "core/src/server/A.ts", 'import { B } from "../session/index.ts"'],
    ["barrel", "a package's index", "node/src/A.ts", 'import { B } from "@sluice/core"'],
    ["barrel", "a package's folder", "node/src/A.ts", 'import { B } from "@sluice/core/bytes/index"'],
    ["barrel", "Effect's index", "core/src/server/A.ts", 'import { Effect } from "effect"'],
    ["internal", "another folder's", "core/src/protocol/http2/A.ts", 'import { b } from "../hpack/internal/B.ts"'],
    ["internal", "another package's", "node/src/A.ts", 'import { b } from "@sluice/core/bytes/internal/B"']
  ]
  for (const [rule, why, path, text] of cases) {
    it(`${rule}: ${why}`, () => assert.deepStrictEqual(rulesOf(path, text), [rule]))
  }
  it("no rule is without such a row", () => {
    const all: Record<ImportRules.Rule, true> = {
      "package arrows": true,
      "folder arrows": true,
      "unknown folder": true,
      platform: true,
      globals: true,
      purity: true,
      escape: true,
      barrel: true,
      internal: true
    }
    assert.sameMembers([...new Set(cases.map(([rule]) => rule))], Object.keys(all))
  })
})

describe("what is allowed passes", () => {
  const cases: ReadonlyArray<readonly [why: string, path: string, text: string]> = [
    ["downward, through a layer", "core/src/server/A.ts", 'import { B } from "../bytes/B.ts"'],
    ["the own folder", "core/src/protocol/http2/A.ts", 'import { B } from "./B.ts"'],
    ["the contract of the engines", "core/src/protocol/http1/A.ts", 'import { Output } from "../Engine.ts"'],
    ["an own table", "core/src/protocol/hpack/A.ts", 'import { b } from "./internal/B.ts"'],
    ["a table's owner", "core/src/protocol/hpack/internal/B.ts", 'import type { A } from "../A.ts"'],
    ["types of Effect in a pure layer", "core/src/codec/A.ts", 'import type * as Schema from "effect/Schema"'],
    ["data in a pure layer", "core/src/codec/A.ts", 'import * as Data from "effect/Data"'],
    ["addresses in a pure layer", "core/src/protocol/proxy/A.ts", 'import * as B from "effect/net/NetAddress"'],
    ["protobuf in gRPC", "core/src/server/GrpcServer.ts", 'import { a } from "@bufbuild/protobuf/wire"'],
    ["protobuf in the codec of messages", "core/src/protobuf/A.ts", 'import { a } from "@bufbuild/protobuf/wire"'],
    ["generated files of one another", "core/src/grpc/generated/a/A_pb.ts", 'import { b } from "../b/c/B_pb.ts"'],
    ["globalThis.Buffer in bytes", "core/src/bytes/A.ts", "const a = globalThis.Buffer"],
    ["members that are called like globals", "core/src/server/A.ts", "const a = { process: 1, console: b.process }"],
    ["a date of a given time", "core/src/protocol/http/A.ts", "const a = new Date(millis)"],
    ["node: in node", "node/src/A.ts", 'import * as Net from "node:net"\nprocess.exit(0)'],
    ["modules by name", "examples/src/a.ts", 'import * as A from "@sluice/core/server/A"'],
    ["words in comments and strings", "core/src/server/A.ts", "// process\nconst a = \"import 'node:net'\""],
    ["generated barrels", "core/src/index.ts", 'export * from "./bytes/index.ts"']
  ]
  for (const [why, path, text] of cases) {
    it(why, () => assert.deepStrictEqual(rulesOf(path, text), []))
  }
})

describe("the packages keep the rules", () => {
  for (const name of ["core", "node", "examples"]) {
    it(name, () => {
      const files = SourceTree.filesBelow(`packages/${name}/src`)
      assert.deepStrictEqual(files.flatMap(ImportRules.check).map(ImportRules.show), [])
    })
  }
  it("the sources were found", () => {
    const paths = SourceTree.filesBelow("packages/core/src").map((file) => file.path)
    assert.include(paths, "packages/core/src/protocol/Engine.ts")
  })
  it("every row of the table of arrows names rows", () => {
    for (const below of Object.values(ImportRules.arrows))
      assert.containsAllKeys(ImportRules.arrows, [...below, "bytes"])
  })
  it("no folder can be reached from itself", () => {
    const walk = (folder: string, path: ReadonlyArray<string>): void => {
      assert.notInclude(path, folder)
      for (const below of ImportRules.arrows[folder] ?? []) walk(below, [...path, folder])
    }
    for (const folder of Object.keys(ImportRules.arrows)) walk(folder, [])
  })
})

describe("internal folders are closed to consumers", () => {
  /** Node takes one `*` in a key: each folder needs a key of its own. */
  const openFolders = (
    paths: ReadonlyArray<string>,
    exports: Readonly<Record<string, unknown>>
  ): ReadonlyArray<string> => {
    const folders = paths.flatMap((path) => /\/src\/((?:.*\/)?internal)\//.exec(path)?.[1] ?? [])
    return [...new Set(folders)].filter((folder) => exports[`./${folder}/*`] !== null)
  }
  it("a folder without its key is seen", () => {
    const paths = ["packages/core/src/a/internal/B.ts", "packages/core/src/internal/C.ts", "packages/core/src/D.ts"]
    assert.deepStrictEqual(openFolders(paths, { "./*/internal/*": null, "./internal/*": null }), ["a/internal"])
  })
  for (const name of ["core", "node", "examples"]) {
    it(name, () => {
      const manifest = Path.join(SourceTree.root, "packages", name, "package.json")
      const { exports } = JSON.parse(Fs.readFileSync(manifest, "utf8"))
      const paths = SourceTree.filesBelow(`packages/${name}/src`).map((file) => file.path)
      assert.deepStrictEqual(openFolders(paths, exports), [])
    })
  }
})
