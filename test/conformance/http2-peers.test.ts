/**
 * The server against other implementations of HTTP/2, over real sockets: curl,
 * and the tools of nghttp2. Each is asked in cleartext and over TLS for what
 * clients do, and in the ways in which they differ: windows, tables, padding.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as HttpTrailers from "@sluice/core/server/HttpTrailers"
import * as HttpHello from "@sluice/examples/http-hello"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { identity } from "../harness/Certificates.ts"
import { leaveNoHandles } from "../harness/NodeHandles.ts"
import { temporaryDirectory } from "../harness/NodeNet.ts"
import * as Tool from "../harness/Tool.ts"
import * as Served from "../node/web/Served.ts"

leaveNoHandles()

const mebibyte = new Uint8Array(1024 * 1024).map((_, index) => (index * 7) % 251)

/** Sends the trailers of the request back, as the body and as trailers. */
const trailers = Effect.gen(function* () {
  const { "x-sum": sum = "none" } = yield* HttpTrailers.received
  yield* HttpTrailers.send({ "x-sum": sum })
  return HttpServerResponse.text(`x-sum is ${sum}`)
})

/** What RFC 9113 §8.2.2 forbids, and programs for HTTP/1.1 may have. */
const older = { connection: "keep-alive", "keep-alive": "timeout=5", "proxy-connection": "keep-alive", upgrade: "h2c" }

const routes = Layer.mergeAll(
  HttpHello.routes,
  HttpRouter.add("POST", "/trailers", trailers),
  HttpRouter.add("GET", "/empty", HttpServerResponse.empty()),
  HttpRouter.add("GET", "/older", HttpServerResponse.text("older", { headers: older }))
)

/** The same server in cleartext and over TLS, and what tells a tool to speak HTTP/2 to it. */
const sides = [
  { name: "cleartext", scheme: "http", options: {}, curl: ["--http2-prior-knowledge"], nghttp: [] },
  {
    name: "TLS",
    scheme: "https",
    options: { tls: { certificates: identity("a") } },
    curl: ["--http2", "--insecure"],
    nghttp: ["--no-verify-peer"]
  }
] as const

type Side = (typeof sides)[number]

const serve = ({ options, scheme }: Side) =>
  Effect.map(Served.routes(routes, options), ({ port, server }) => ({ server, url: `${scheme}://127.0.0.1:${port}` }))

/** Files for the tools: a MiB to send, and a directory for what comes back. */
const files = Effect.map(temporaryDirectory, (directory) => {
  const upload = Path.join(directory, "mebibyte")
  Fs.writeFileSync(upload, mebibyte)
  return { directory, upload }
})

const ran = (name: string, args: ReadonlyArray<string>, stdin?: Uint8Array) =>
  Effect.map(Tool.run(name, args, stdin), ({ code, stderr, stdout }) => {
    assert.deepStrictEqual([code, stderr], [0, ""], [name, ...args].join(" "))
    return stdout
  })

const curl = Tool.missing("curl")

describe.skipIf(curl !== undefined)(`curl${Tool.skipped(curl)}`, () => {
  const silent = ["--silent", "--show-error"]
  for (const side of sides) {
    const ask = (...args: ReadonlyArray<string>) => ran("curl", [...silent, ...side.curl, ...args])
    /** What it tells of a response, behind that. */
    const told = ["--write-out", "\n%{http_version} %{response_code}"]
    const answers: ReadonlyArray<readonly [what: string, path: string, args: ReadonlyArray<string>, output: string]> = [
      ["GET", "/", [], "hello world\n2 200"],
      ["a parameter of the path", "/users/a%20b", [], '{"id":"a b"}\n2 200'],
      ["no route", "/nowhere", [], "\n2 404"],
      ["204", "/empty", [], "\n2 204"],
      ["HEAD", "/json", ["--head", "--output", "/dev/null"], "\n2 200"],
      ["a query that does not fit", "/stream?chunks=0", [], "\n2 400"],
      ["what HTTP/1.1 has in its head", "/", ["--header", "Connection: keep-alive"], "hello world\n2 200"]
    ]
    for (const [what, path, args, output] of answers) {
      it.live(`${side.name}: ${what}`, () =>
        Effect.gen(function* () {
          const { url } = yield* serve(side)
          assert.strictEqual(String(yield* ask(...args, ...told, url + path)), output)
        })
      )
    }

    it.live(`${side.name}: HEAD has the fields of GET, and no body`, () =>
      Effect.gen(function* () {
        const { url } = yield* serve(side)
        const fields = String(yield* ask("--head", `${url}/`)).replace(/date: .*\r\n/, "")
        assert.strictEqual(fields, "HTTP/2 200 \r\ncontent-type: text/plain\r\ncontent-length: 11\r\n\r\n")
      })
    )

    it.live(`${side.name}: what a response has of HTTP/1.1 is left out`, () =>
      Effect.gen(function* () {
        const { url } = yield* serve(side)
        const fields = String(yield* ask("--include", `${url}/older`)).replace(/date: .*\r\n/, "")
        assert.strictEqual(fields, "HTTP/2 200 \r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nolder")
      })
    )

    const uploads: ReadonlyArray<readonly [what: string, args: ReadonlyArray<string>]> = [
      ["whose length it says", []],
      ["of a length that it does not know", ["--header", "Content-Length:"]],
      ["behind 100 Continue", ["--header", "Expect: 100-continue"]]
    ]
    for (const [what, args] of uploads) {
      it.live(`${side.name}: a MiB comes back, ${what}`, () =>
        Effect.gen(function* () {
          const { url } = yield* serve(side)
          const { upload } = yield* files
          const echoed = yield* ask("--data-binary", `@${upload}`, ...args, `${url}/echo`)
          assert.isTrue(echoed.equals(mebibyte))
        })
      )
    }

    it.live(`${side.name}: 5,000 KiB that are streamed`, () =>
      Effect.gen(function* () {
        const { url } = yield* serve(side)
        assert.strictEqual((yield* ask(`${url}/stream?chunks=5000`)).length, 5_120_000)
      })
    )
  }

  // Over TLS alone: in cleartext curl 7.88 fails at its second parallel request, also with node:http2.
  it.live("TLS: 500 requests, 100 of them at a time, each with its own answer", () =>
    Effect.gen(function* () {
      const { server, url } = yield* serve(sides[1])
      const { directory } = yield* files
      const parallel = ["--no-progress-meter", "--parallel", "--parallel-max", "100"]
      const out = ["--output", Path.join(directory, "user-#1")]
      yield* ran("curl", [...parallel, ...sides[1].curl, ...out, `${url}/users/[1-500]`])
      for (let id = 1; id <= 500; id++) {
        assert.strictEqual(Fs.readFileSync(Path.join(directory, `user-${id}`), "utf8"), `{"id":"${id}"}`)
      }
      assert.strictEqual((yield* server.stats).requests.completed, 500)
    })
  )

  const versions: ReadonlyArray<readonly [what: string, side: Side, flag: string]> = [
    ["Upgrade: h2c is ignored", sides[0], "--http2"],
    ["cleartext that begins with a request line", sides[0], "--http1.1"],
    ["ALPN without h2", sides[1], "--http1.1"]
  ]
  for (const [what, side, flag] of versions) {
    it.live(`${what}: HTTP/1.1`, () =>
      Effect.gen(function* () {
        const { url } = yield* serve(side)
        const format = ["--write-out", " %{http_version}"]
        const output = yield* ran("curl", [...silent, flag, "--insecure", ...format, `${url}/`])
        assert.strictEqual(String(output), "hello world 1.1")
      })
    )
  }
})

const nghttp = Tool.missing("nghttp")

describe.skipIf(nghttp !== undefined)(`nghttp${Tool.skipped(nghttp)}`, () => {
  for (const side of sides) {
    const flags: ReadonlyArray<readonly [what: string, flags: ReadonlyArray<string>, status?: number]> = [
      ["priorities of RFC 7540", []],
      ["no priorities", ["--no-dep"]],
      ["each a hundred times", ["--no-dep", "--multiply=100"]],
      ["padding", ["--padding=255"]],
      ["a window of 15 bytes a stream", ["--window-bits=4"]],
      ["small windows of both kinds", ["--window-bits=8", "--connection-window-bits=8"]],
      ["large windows of both kinds", ["--window-bits=30", "--connection-window-bits=30"]],
      ["a decoder without a table", ["--header-table-size=0"]],
      ["a decoder whose table shrinks, and grows again", ["--header-table-size=0", "--header-table-size=4096"]],
      ["an encoder without a table", ["--encoder-header-table-size=0"]],
      ["a head above the limit, in CONTINUATIONs", ["--continuation"], 431],
      ["HEAD", ["--header=:method: HEAD"]]
    ]
    for (const [what, args, status = 200] of flags) {
      it.live(`${side.name}: three URIs, ${what}`, () =>
        Effect.gen(function* () {
          const { url } = yield* serve(side)
          const uris = [`${url}/`, `${url}/json`, `${url}/stream?chunks=20`]
          const log = String(yield* ran("nghttp", ["--verbose", "--null-out", ...side.nghttp, ...args, ...uris]))
          const count = 3 * Number(/\d+$/.exec(args.find((arg) => arg.startsWith("--multiply")) ?? "1")![0])
          assert.deepStrictEqual(statuses(log), Array(count).fill(status), log.slice(-2000))
          assert.notMatch(log, /RST_STREAM|error_code=(?!NO_ERROR)/)
        })
      )
    }

    const uploads: ReadonlyArray<readonly [what: string, flags: ReadonlyArray<string>]> = [
      ["whose length it says", []],
      ["of a length that it does not say", ["--no-content-length"]],
      ["behind 100 Continue", ["--expect-continue"]],
      ["with padding", ["--padding=255"]],
      ["through small windows", ["--window-bits=10", "--connection-window-bits=10"]],
      ["with trailers, of which nobody asks", ["--trailer=x-sum: 7"]]
    ]
    for (const [what, args] of uploads) {
      it.live(`${side.name}: a MiB comes back, ${what}`, () =>
        Effect.gen(function* () {
          const { url } = yield* serve(side)
          const { upload } = yield* files
          const echoed = yield* ran("nghttp", [...side.nghttp, `--data=${upload}`, ...args, `${url}/echo`])
          assert.isTrue(echoed.equals(mebibyte))
        })
      )
    }

    it.live(`${side.name}: trailers in both directions`, () =>
      Effect.gen(function* () {
        const { url } = yield* serve(side)
        const { upload } = yield* files
        const args = ["--verbose", ...side.nghttp, `--data=${upload}`, "--trailer=x-sum: 7", `${url}/trailers`]
        const log = String(yield* ran("nghttp", args))
        assert.include(log, "x-sum is 7")
        // Behind the body: the second block of the response.
        assert.match(log, /:status: 200[\s\S]*recv DATA[\s\S]*x-sum: 7\n[\s\S]*recv HEADERS.*flags=0x05/)
      })
    )
  }
})

const statuses = (log: string): ReadonlyArray<number> =>
  [...log.matchAll(/recv \(stream_id=\d+\) :status: (\d+)/g)].map(([, status]) => Number(status))

const h2load = Tool.missing("h2load")

describe.skipIf(h2load !== undefined)(`h2load${Tool.skipped(h2load)}`, () => {
  const loads: ReadonlyArray<readonly [what: string, path: string, flags: ReadonlyArray<string>]> = [
    ["GET", "/", []],
    ["GET through windows of 1,023 bytes", "/", ["--window-bits=10"]],
    ["GET through small windows of both kinds", "/json", ["--window-bits=10", "--connection-window-bits=10"]],
    ["POST of 100 bytes", "/echo", ["--data"]]
  ]
  for (const side of sides) {
    for (const [what, path, flags] of loads) {
      it.live(`${side.name}: 20,000 requests on 4 connections, 32 at a time: ${what}`, () =>
        Effect.gen(function* () {
          const { server, url } = yield* serve(side)
          const { directory } = yield* files
          const small = Path.join(directory, "small")
          Fs.writeFileSync(small, "x".repeat(100))
          const args = flags.map((flag) => (flag === "--data" ? `--data=${small}` : flag))
          const output = String(yield* ran("h2load", ["-n20000", "-c4", "-m32", ...args, url + path]))
          assert.include(output, "20000 succeeded, 0 failed, 0 errored, 0 timeout")
          assert.include(output, "status codes: 20000 2xx")
          assert.deepInclude((yield* server.stats).requests, { completed: 20_000, aborted: 0, cut: 0 })
        })
      )
    }
  }
})
