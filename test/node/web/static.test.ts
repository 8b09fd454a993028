/** Effect's `HttpStaticServer`, and what is left of the files that it opens. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as HttpRouter from "effect/http/HttpRouter"
import * as HttpStaticServer from "effect/http/HttpStaticServer"
import type * as Layer from "effect/Layer"
import { LogRecorder } from "../../harness/LogRecorder.ts"
import { leaveNoHandles } from "../../harness/NodeHandles.ts"
import { temporaryDirectory } from "../../harness/NodeNet.ts"
import * as HttpWire from "./HttpWire.ts"
import * as Served from "./Served.ts"

leaveNoHandles()

const large = 8_000_000

const serve = Effect.gen(function* () {
  const root = yield* temporaryDirectory
  Fs.writeFileSync(Path.join(root, "index.html"), "<h1>home</h1>")
  Fs.writeFileSync(Path.join(root, "digits.txt"), "0123456789")
  Fs.writeFileSync(Path.join(root, "empty.txt"), "")
  Fs.writeFileSync(Path.join(root, "large.bin"), new Uint8Array(large).fill(7))
  const served = yield* Served.routes(
    HttpStaticServer.layer({ root }) as Layer.Layer<never, unknown, HttpRouter.HttpRouter>
  )
  return { ...served, root }
})

/** Files below `root` that this process has open. */
const openFiles = (root: string): ReadonlyArray<string> =>
  Fs.readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const path = Fs.readlinkSync(`/proc/self/fd/${fd}`)
      return path.startsWith(root) ? [path] : []
    } catch {
      return []
    }
  })

const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))

/** Waits until all files are closed; a test that waits in vain times out. */
const filesClosed = (root: string) =>
  Effect.repeat(turn, { while: () => Effect.sync(() => openFiles(root).length > 0) })

describe.skipIf(process.platform !== "linux")("static files (open files are read from /proc, which Linux has)", () => {
  const answers: ReadonlyArray<
    readonly [path: string, range: string | undefined, status: number, body: string, contentRange?: string]
  > = [
    ["/", undefined, 200, "<h1>home</h1>"],
    ["/digits.txt", undefined, 200, "0123456789"],
    ["/digits.txt", "bytes=2-4", 206, "234", "bytes 2-4/10"],
    ["/digits.txt", "bytes=7-", 206, "789", "bytes 7-9/10"],
    ["/digits.txt", "bytes=-2", 206, "89", "bytes 8-9/10"],
    ["/digits.txt", "bytes=9-100", 206, "9", "bytes 9-9/10"],
    ["/digits.txt", "bytes=10-", 416, "", "bytes */10"],
    ["/empty.txt", undefined, 200, ""],
    ["/missing.txt", undefined, 404, ""]
  ]
  for (const [path, range, status, body, contentRange] of answers) {
    it.live(`${path}${range === undefined ? "" : ` of ${range}`}: ${status}, by GET and HEAD`, () =>
      Effect.gen(function* () {
        const { root, wire } = yield* serve
        const client = yield* wire
        const fields = range === undefined ? [] : [`Range: ${range}`]
        const got = yield* client.get(path, ...fields)
        assert.deepStrictEqual([got.status, got.body], [status, body])
        assert.strictEqual(got.headers.get("content-range")?.[0], contentRange)
        client.send(HttpWire.get(path, ...fields).replace("GET", "HEAD"))
        const head = yield* client.response("HEAD")
        // RFC 9110 §14.2: a range is for GET alone.
        const whole = range === undefined ? body : "0123456789"
        assert.strictEqual(head.status, range === undefined ? status : 200)
        if (status !== 404) assert.deepStrictEqual(head.headers.get("content-length"), [`${whole.length}`])
        assert.strictEqual((yield* client.get("/")).body, "<h1>home</h1>")
        yield* filesClosed(root)
      })
    )
  }

  it.live("what the client has is a 304 without a body", () =>
    Effect.gen(function* () {
      const { root, wire } = yield* serve
      const client = yield* wire
      const first = yield* client.get("/digits.txt")
      const again = yield* client.get("/digits.txt", `If-None-Match: ${first.headers.get("etag")![0]}`)
      assert.deepStrictEqual([again.status, again.body], [304, ""])
      const since = yield* client.get("/digits.txt", `If-Modified-Since: ${first.headers.get("last-modified")![0]}`)
      assert.strictEqual(since.status, 304)
      assert.strictEqual((yield* client.get("/")).status, 200)
      yield* filesClosed(root)
    })
  )

  it.live("a file larger than any buffer comes whole, and is closed", () =>
    Effect.gen(function* () {
      const { ask, root } = yield* serve
      const answer = yield* ask("/large.bin")
      assert.strictEqual(answer.bytes.length, large)
      assert.isTrue(answer.bytes.every((byte) => byte === 7))
      yield* filesClosed(root)
    })
  )

  it.live("a download that is broken off closes its file", () =>
    Effect.gen(function* () {
      const { root, server, wire } = yield* serve
      const client = yield* wire
      client.send(HttpWire.get("/large.bin"))
      yield* Effect.callback<void>((resume) => {
        client.socket.once("data", () => {
          client.socket.pause()
          resume(Effect.void)
        })
      })
      assert.lengthOf(openFiles(root), 1)
      client.socket.resetAndDestroy()
      yield* filesClosed(root)
      assert.deepInclude((yield* server.stats).requests, { completed: 0, aborted: 1 })
    })
  )

  it.live("a download that the server's end breaks off closes its file", () =>
    Effect.gen(function* () {
      const root = yield* temporaryDirectory
      Fs.writeFileSync(Path.join(root, "large.bin"), new Uint8Array(large))
      const layer = HttpStaticServer.layer({ root }) as Layer.Layer<never, unknown, HttpRouter.HttpRouter>
      const { close, wire } = yield* Served.routes(layer, { drainTimeout: "50 millis" })
      const client = yield* wire
      client.send(HttpWire.get("/large.bin"))
      yield* Effect.callback<void>((resume) => {
        client.socket.once("data", () => {
          client.socket.pause()
          resume(Effect.void)
        })
      })
      yield* close
      yield* filesClosed(root)
    }).pipe(new LogRecorder().listen)
  )

  it.live("nothing outside of the root is served", () =>
    Effect.gen(function* () {
      const { wire } = yield* serve
      const client = yield* wire
      for (const path of [
        "/../etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/x%00y"
      ]) {
        const response = yield* client.get(path)
        assert.oneOf(response.status, [400, 403, 404], path)
      }
    })
  )
})
