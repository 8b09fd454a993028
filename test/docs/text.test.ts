/** What the documents say is what the repository has. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { ConnectionOptions } from "@sluice/core"
import * as FrameLimit from "@sluice/core/codec/FrameLimit"
import { assert, describe, it } from "vitest"

const root = Path.resolve(import.meta.dirname, "../..")
const read = (path: string): string => Fs.readFileSync(Path.join(root, path), "utf8")

const below = (folder: string, ending: string): ReadonlyArray<string> =>
  Fs.readdirSync(Path.join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending))
    .map((name) => `${folder}/${name.split(Path.sep).join("/")}`)
    .sort()

const documents = ["README.md", "ARCHITECTURE.md", ...below("docs", ".md")]
const programs = below("docs", ".ts")

/** The code blocks of a document, each with the comment in the line before it. */
const blocksOf = (text: string) =>
  [...text.matchAll(/(?:<!-- (\S+) -->\n)?^```ts\n([\s\S]*?)^```$/gm)].map(([, path, code]) => ({ path, code: code! }))

describe("code in documents", () => {
  it("is seen where it stands", () => {
    const fence = "```"
    assert.deepStrictEqual(blocksOf(`a\n<!-- a.ts -->\n${fence}ts\nb\n${fence}\n\n${fence}ts\nc\n${fence}\n`), [
      { path: "a.ts", code: "b\n" },
      { path: undefined, code: "c\n" }
    ])
  })
  for (const document of documents) {
    for (const { code, path } of blocksOf(read(document))) {
      it(`${document}: ${path} is the file of that name`, () => {
        assert.isDefined(path, `a block in ${document} names no file`)
        assert.strictEqual(code, read(path!))
      })
    }
  }
  it("the README begins with the two commands, then the echo and the line server", () => {
    const readme = read("README.md")
    const firstCode = /^```\w+\n([\s\S]*?)^```$/m.exec(readme)?.[1] ?? ""
    const commands = firstCode.trim().split("\n")
    assert.deepStrictEqual(
      commands.map((line) => line.split("#")[0]!.trim()),
      ["npm ci && npm start", "npm ci && npm test"]
    )
    assert.deepStrictEqual(
      blocksOf(readme).map(({ path }) => path),
      ["docs/patterns/01-echo-server.ts", "docs/patterns/02-line-server.ts"]
    )
    for (const { code } of blocksOf(readme)) assert.isAtMost(code.trim().split("\n").length, 22)
  })
})

describe("links", () => {
  const anchor = (heading: string): string =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-")
  const anchorsOf = (text: string) => [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchor(heading!))
  for (const document of documents) {
    it(`of ${document} lead somewhere`, () => {
      for (const [, link] of read(document).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(link!)) continue
        const [path, fragment] = link!.split("#") as [string, string | undefined]
        const target = path === "" ? document : Path.posix.join(Path.posix.dirname(document), path)
        assert.isTrue(Fs.existsSync(Path.join(root, target)), `${document} links to ${link}`)
        if (fragment !== undefined) assert.include(anchorsOf(read(target)), fragment, `${document} links to ${link}`)
      }
    })
  }
})

describe("programs", () => {
  const tests = below("test/docs", ".test.ts").map(read).join("\n")
  const texts = documents.map(read).join("\n")
  for (const path of programs) {
    it(`${path} is tested, named by a document, and runs when it is started`, () => {
      const name = Path.basename(path)
      assert.include(tests, `/${path}"`)
      assert.include(texts, `${name})`)
      assert.include(read(path), "if (import.meta.main)")
    })
  }
  it("each pattern has its text, of up to 40 lines", () => {
    for (const path of programs.filter((path) => path.startsWith("docs/patterns/"))) {
      assert.isAtMost(read(path.replace(/\.ts$/, ".md")).trim().split("\n").length, 40, path)
    }
  })
  it("the index has every pattern from 1 to 48", () => {
    const rows = [...read("docs/patterns/README.md").matchAll(/^\| (\d+) \|.*\| (.*) \|$/gm)]
    assert.deepStrictEqual(
      rows.map(([, number]) => Number(number)),
      Array.from({ length: 48 }, (_, index) => index + 1)
    )
    for (const [, number, program] of rows) assert.match(program!, /planned|\.ts\)/, `row ${number}`)
  })
})

describe("the README's table of limits", () => {
  const rows = [...read("README.md").matchAll(/^\| [^|]+ \| ([^|]+) \| `(\w+)`[^|]* \| [^|]+ \|$/gm)]
  const shown = (option: string) => rows.filter(([, , name]) => name === option).map(([, value]) => value!)
  const seconds = (millis: number) => (millis < 60_000 ? `${millis / 1000} seconds` : `${millis / 60_000} minutes`)
  const size = (bytes: number) => (bytes < 1 << 20 ? `${bytes >> 10} KiB` : `${bytes >> 20} MiB`)
  const limits = ConnectionOptions.resolve()
  const cases = [
    ["idleTimeout", seconds(limits.idleMillis)],
    ["readTimeout", seconds(limits.readMillis)],
    ["writeTimeout", seconds(limits.writeMillis)],
    ["closeTimeout", seconds(limits.closeMillis)],
    ["receiveBuffer", `${size(limits.receiveBytes)} a connection`],
    ["sendBuffer", `${size(limits.sendBytes)} a connection`],
    ["maxFrameSize", size(FrameLimit.defaultFrameBytes)]
  ] as const
  for (const [option, value] of cases) {
    it(`${option} is ${value}`, () => assert.strictEqual(shown(option)[0], value))
  }

  /** What the comment of an option says behind "Default", up to the end of that sentence. */
  const documented = (path: string, option: string): string => {
    const end = read(path).indexOf(`  readonly ${option}?:`)
    assert.isAtLeast(end, 0, `${path} has no option ${option}`)
    const comment = read(path)
      .slice(0, end)
      .split("/**")
      .at(-1)!
      .replace(/\s+\*?\s*/g, " ")
    return /\bDefault:? (.+?)(?=[.:;] )/.exec(comment)?.[1]?.replace(/[`"]/g, "") ?? "not documented"
  }
  const sources = [
    ["maxConnections", 0, "core/src/server/ConnectionLimits.ts"],
    ["maxConnections", 1, "node/src/NodeListener.ts"],
    ["maxConnectionsPerAddress", 0, "core/src/server/ConnectionLimits.ts"],
    ["maxWaiting", 0, "core/src/server/ConnectionLimits.ts"],
    ["waitTimeout", 0, "core/src/server/AcceptLoop.ts"],
    ["maxOpening", 0, "node/src/NodeListener.ts"],
    ["backlog", 0, "node/src/NodeListener.ts"],
    ["handshakeTimeout", 0, "core/src/transport/Tls.ts"],
    ["drainTimeout", 0, "core/src/server/Drain.ts"],
    ["maxLineSize", 0, "core/src/codec/Lines.ts"],
    ["maxLineSize", 1, "core/src/codec/JsonLines.ts"],
    ["connectTimeout", 0, "node/src/NodeDialer.ts"],
    ["sessionTimeout", 0, "core/src/client/ReconnectingClient.ts"]
  ] as const
  for (const [option, row, path] of sources) {
    const value = documented(`packages/${path}`, option)
    // Behind the default a row may say more: "20 seconds, and 1 to clean up".
    it(`${option} of ${path} is ${value}`, () => assert.strictEqual(shown(option)[row]?.split(/[,:] /)[0], value))
  }
  it("the PROXY header's time and size", () => {
    const [time, size] = ["timeout", "maxPayloadBytes"].map((option) =>
      documented("packages/node/src/NodeProxyHeader.ts", option)
    )
    assert.deepStrictEqual(shown("proxyProtocol"), [`${time}, ${size} bytes`])
  })
  it("no row is left unchecked, but those without a server's default", () => {
    const checked = new Set<string>([...cases, ...sources].map(([option]) => option))
    const options = rows.map(([, , option]) => option!)
    assert.deepStrictEqual(
      options.filter((option) => !checked.has(option)),
      ["proxyProtocol"]
    )
  })
})
