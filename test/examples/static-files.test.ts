import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Zlib from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import * as StaticFiles from "@sluice/examples/static-files"
import * as Effect from "effect/Effect"
import { temporaryDirectory } from "../harness/NodeNet.ts"
import * as Fetched from "./support/Fetched.ts"
import * as Program from "./support/Program.ts"

const script = "export const answer = 42\n".repeat(100)

/** A site whose script was compressed when it was built; the page was not. */
const serve = Effect.gen(function* () {
  const directory = Path.join(yield* temporaryDirectory, "site")
  const write = (name: string, content: string | Uint8Array) => {
    const path = Path.join(directory, name)
    Fs.mkdirSync(Path.dirname(path), { recursive: true })
    Fs.writeFileSync(path, content)
  }
  write("index.html", "<h1>home</h1>")
  write("app.js", script)
  write("app.js.br", Zlib.brotliCompressSync(script))
  write("app.js.gz", Zlib.gzipSync(script))
  write("only.css", "a{}")
  write("only.css.gz", Zlib.gzipSync("a{}"))
  write("deep/index.html", "<h1>deep</h1>")
  write("deep/index.html.br", Zlib.brotliCompressSync("<h1>deep</h1>"))
  write("large.bin", new Uint8Array(3_000_000).fill(7))
  write(".env", "SECRET=1")
  write("deep/.git/config", "x")
  write(".well-known/security.txt", "Contact: x")
  write("../outside.txt", "outside")
  return yield* Fetched.serve(StaticFiles.server(directory))
})

describe("static-files", () => {
  const answers: ReadonlyArray<readonly [path: string, status: number, type: string | null, body?: string]> = [
    ["/", 200, "text/html; charset=utf-8", "<h1>home</h1>"],
    ["/app.js", 200, "text/javascript; charset=utf-8", script],
    ["/app.js?version=2", 200, "text/javascript; charset=utf-8", script],
    ["/deep/", 200, "text/html; charset=utf-8", "<h1>deep</h1>"],
    ["/.well-known/security.txt", 200, "text/plain; charset=utf-8", "Contact: x"],
    ["/missing.txt", 404, null],
    ["/.env", 404, null],
    ["/%2eenv", 404, null],
    ["/deep%2f.git%2fconfig", 404, null],
    ["/deep/.git/config", 404, null],
    ["/..%2foutside.txt", 404, null],
    ["/%2e%2e/outside.txt", 404, null],
    ["/%zz", 404, null]
  ]
  for (const accepted of ["identity", "br", "gzip"]) {
    for (const [path, status, type, body] of answers) {
      it.live(`GET ${path} is answered with ${status} to who accepts ${accepted}`, () =>
        Effect.gen(function* () {
          const { ask } = yield* serve
          const answer = yield* ask(path, { headers: { "accept-encoding": accepted } })
          assert.strictEqual(answer.status, status)
          if (body === undefined) return
          assert.strictEqual(answer.text, body)
          assert.strictEqual(answer.headers.get("content-type"), type)
        })
      )
    }
  }

  const encodings: ReadonlyArray<readonly [path: string, accepted: string, encoding: string | null]> = [
    ["/app.js", "gzip, deflate, br", "br"],
    ["/app.js", "gzip", "gzip"],
    ["/app.js", "br;q=0, GZIP;q=0.5", "gzip"],
    ["/app.js", "identity", null],
    ["/only.css", "br, gzip", "gzip"],
    ["/only.css", "br", null],
    ["/deep/", "br", "br"],
    ["/", "br", null]
  ]
  for (const [path, accepted, encoding] of encodings) {
    it.live(`${path} comes in ${encoding ?? "no"} coding to who accepts ${accepted}`, () =>
      Effect.gen(function* () {
        const { ask } = yield* serve
        const answer = yield* ask(path, { headers: { "accept-encoding": accepted } })
        assert.strictEqual(answer.headers.get("content-encoding"), encoding)
        assert.strictEqual(answer.headers.get("vary"), "accept-encoding")
      })
    )
  }

  it.live("what the client has already is not sent again, in either coding", () =>
    Effect.gen(function* () {
      const { ask } = yield* serve
      const tags = new Set<string>()
      for (const accepted of ["br", "identity"]) {
        const tag = (yield* ask("/app.js", { headers: { "accept-encoding": accepted } })).headers.get("etag")!
        tags.add(tag)
        const again = yield* ask("/app.js", { headers: { "accept-encoding": accepted, "if-none-match": tag } })
        assert.deepStrictEqual([again.status, again.text], [304, ""])
      }
      assert.strictEqual(tags.size, 2)
    })
  )

  it.live("a range, a file larger than any buffer, and HEAD", () =>
    Effect.gen(function* () {
      const { ask } = yield* serve
      const range = yield* ask("/app.js", { headers: { range: "bytes=7-11", "accept-encoding": "identity" } })
      assert.deepStrictEqual([range.status, range.text], [206, "const"])
      const large = yield* ask("/large.bin")
      assert.strictEqual(large.bytes.length, 3_000_000)
      assert.isTrue(large.bytes.every((byte) => byte === 7))
      const head = yield* ask("/large.bin", { method: "HEAD" })
      assert.deepStrictEqual([head.status, head.headers.get("content-length"), head.text], [200, "3000000", ""])
    })
  )
})

describe("static-files as a process", () => {
  it.live("serves the directory that it is given, and ends with 0 on SIGTERM", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      Fs.writeFileSync(Path.join(directory, "a.txt"), "a")
      const program = yield* Program.serve("static-files", ["static-files", directory, "--port", "0"])
      assert.strictEqual((yield* Fetched.fetched(`http://${program.where}/a.txt`)).text, "a")
      yield* program.signal("SIGTERM")
      const ended = yield* program.ended
      assert.deepStrictEqual([ended.code, ended.stderr], [0, []])
    })
  )

  it.live("a directory that is not there is told, and exit code 1", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* (yield* Program.start(["static-files", "/nowhere"])).ended
      assert.strictEqual(code, 1)
      assert.include(stderr.join("\n"), "/nowhere")
    })
  )
})
