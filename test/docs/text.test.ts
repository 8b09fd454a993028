/** What the documents say is what the repository has. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import {
  ConnectionOptions,
  GrpcRetryPolicy,
  Http1Options,
  Http2AbuseGuard,
  Http2Options,
  HubOptions,
  WebSocketSessionOptions
} from "@sluice/core"
import * as FrameLimit from "@sluice/core/codec/FrameLimit"
import * as GrpcChannelOptions from "@sluice/core/grpc/client/GrpcChannelOptions"
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
  it("the README begins with the two commands, then the echo and the line server, HTTP, a WebSocket and gRPC", () => {
    const readme = read("README.md")
    const firstCode = /^```\w+\n([\s\S]*?)^```$/m.exec(readme)?.[1] ?? ""
    const commands = firstCode.trim().split("\n")
    assert.deepStrictEqual(
      commands.map((line) => line.split("#")[0]!.trim()),
      ["npm ci && npm start", "npm ci && npm test"]
    )
    assert.deepStrictEqual(
      blocksOf(readme).map(({ path }) => path),
      [
        "docs/patterns/01-echo-server.ts",
        "docs/patterns/02-line-server.ts",
        "docs/guide/web-server.ts",
        "docs/guide/websocket-echo.ts",
        "docs/guide/grpc-server.ts"
      ]
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

describe("the tables of limits", () => {
  type Row = readonly [limit: string, value: string, option: string]
  const cells = /^\| ([^|]+) \| ([^|]+) \| `(\w+)`[^|]* \| [^|]* \|$/gm
  const sections = read("docs/limits.md")
    .split(/^## /m)
    .slice(1)
    .map((section) => ({
      name: section.slice(0, section.indexOf("\n")),
      rows: [...section.matchAll(cells)].map(([, limit, value, option]): Row => [limit!, value!, option!])
    }))
  const rowsOf = (name: string): ReadonlyArray<Row> => sections.find((section) => section.name === name)?.rows ?? []

  const seconds = (millis: number) => {
    if (millis >= 60_000 && millis % 60_000 === 0) return `${millis / 60_000} minutes`
    return millis === 1_000 ? "1 second" : `${millis / 1_000} seconds`
  }
  const size = (bytes: number) => (bytes < 1 << 20 ? `${bytes >> 10} KiB` : `${bytes >> 20} MiB`)
  const count = (value: number) => value.toLocaleString("en-US")

  /** What the comment of an option says behind "Default", up to the end of that sentence. */
  const documented = (path: string, option: string): string => {
    const end = read(path).indexOf(`  readonly ${option}?:`)
    assert.isAtLeast(end, 0, `${path} has no option ${option}`)
    const comment = read(path)
      .slice(0, end)
      .split("/**")
      .at(-1)!
      .replace(/\s+\*?\s*/g, " ")
    return /\bDefault:? (.+?)(?=[.,:;] )/.exec(comment)?.[1]?.replace(/[`"]/g, "") ?? "not documented"
  }
  const core = (path: string) => (option: string) => documented(`packages/core/src/${path}`, option)
  const node = (path: string) => (option: string) => documented(`packages/node/src/${path}`, option)

  const tcp = ConnectionOptions.resolve()
  const http = Http1Options.resolve()
  const http2 = Http2Options.resolve("server")
  const webSocket = WebSocketSessionOptions.resolve()
  const hub = HubOptions.resolve()
  const channel = GrpcChannelOptions.resolve({})
  const grpcServer = core("grpc/server/GrpcServer.ts")
  const grpcChannel = core("grpc/client/GrpcChannelOptions.ts")
  const limits = core("server/ConnectionLimits.ts")
  const [proxyTime, proxySize] = ["timeout", "maxPayloadBytes"].map(node("NodeProxyHeader.ts"))

  /** Row by row, what the code has: of the options themselves where they are exported, else of their comments. */
  const expected: Readonly<Record<string, ReadonlyArray<readonly [option: string, value: string]>>> = {
    "Servers and listeners": [
      ["maxConnections", limits("maxConnections")],
      ["maxConnectionsPerAddress", limits("maxConnectionsPerAddress")],
      ["maxWaiting", limits("maxWaiting")],
      ["waitTimeout", core("server/AcceptLoop.ts")("waitTimeout")],
      ["maxOpening", node("NodeListener.ts")("maxOpening")],
      ["maxConnections", node("NodeListener.ts")("maxConnections")],
      ["backlog", node("NodeListener.ts")("backlog")],
      ["handshakeTimeout", core("transport/Tls.ts")("handshakeTimeout")],
      ["proxyProtocol", `${proxyTime}, ${proxySize} bytes`],
      ["drainTimeout", core("server/Drain.ts")("drainTimeout")]
    ],
    "TCP connections": [
      ["idleTimeout", seconds(tcp.idleMillis)],
      ["idleTimeout", "unbounded"],
      ["readTimeout", seconds(tcp.readMillis)],
      ["writeTimeout", seconds(tcp.writeMillis)],
      ["closeTimeout", seconds(tcp.closeMillis)],
      ["receiveBuffer", `${size(tcp.receiveBytes)} a connection`],
      ["sendBuffer", `${size(tcp.sendBytes)} a connection`],
      ["maxFrameSize", size(FrameLimit.defaultFrameBytes)],
      ["maxLineSize", core("codec/Lines.ts")("maxLineSize")],
      ["maxLineSize", core("codec/JsonLines.ts")("maxLineSize")],
      ["connectTimeout", node("NodeDialer.ts")("connectTimeout")],
      ["sessionTimeout", core("client/ReconnectingClient.ts")("sessionTimeout")]
    ],
    HTTP: [
      ["maxStartLineSize", size(http.startLineBytes)],
      ["maxHeaderSize", size(http.headerBytes)],
      ["maxFieldCount", count(http.fieldCount)],
      ["maxTrailerSize", size(http.trailerBytes)],
      ["maxChunkExtensionSize", size(http.chunkExtensionBytes)],
      ["headTimeout", seconds(http.headMillis)],
      ["bodyTimeout", seconds(http.bodyMillis)],
      ["maxBufferedBody", core("server/WebServer.ts")("maxBufferedBody")],
      ["maxBodySize", http.bodyBytes === Number.POSITIVE_INFINITY ? "unbounded" : size(http.bodyBytes)],
      ["multipart", "100 parts, 1 MiB a field, 1 GiB a file"],
      ["maxWaitingSize", size(http.waitingBytes)],
      ["maxDiscardSize", size(http.discardBytes)],
      ["idleTimeout", seconds(http.idleMillis)],
      ["sendTimeout", seconds(http.sendMillis)],
      ["closeTimeout", seconds(http.closeMillis)],
      ["maxConnectionAge", core("server/ConnectionAge.ts")("maxConnectionAge")],
      ["maxConnectionAgeGrace", core("server/ConnectionAge.ts")("maxConnectionAgeGrace")]
    ],
    "HTTP/2": [
      ["maxConcurrentStreams", count(http2.streamCount)],
      ["streamWindow", size(http2.streamWindowBytes)],
      ["connectionWindow", size(http2.connectionWindowBytes)],
      ["maxFrameSize", size(http2.frameBytes)],
      ["maxHeaderSize", size(http2.headerBytes)],
      ["maxFieldCount", count(http2.fieldCount)],
      ["headerTableSize", `${count(http2.headerTableBytes)} bytes`],
      ["maxBodySize", http2.bodyBytes === Number.POSITIVE_INFINITY ? "unbounded" : size(http2.bodyBytes)],
      ["sendBufferSize", size(http2.sendBufferBytes)],
      ["headTimeout", seconds(http2.headMillis)],
      ["bodyTimeout", seconds(http2.bodyMillis)],
      ["idleTimeout", seconds(http2.idleMillis)],
      ["sendTimeout", seconds(http2.sendMillis)],
      ["settingsTimeout", seconds(http2.settingsMillis)],
      ["pingInterval", seconds(http2.pingIntervalMillis)],
      ["pingTimeout", seconds(http2.pingTimeoutMillis)],
      ["closeTimeout", seconds(http2.closeMillis)],
      ["maxWaiting", core("client/Http2Session.ts")("maxWaiting")],
      ["waitTimeout", core("client/Http2Session.ts")("waitTimeout")],
      ["responseTimeout", core("client/Http2Session.ts")("responseTimeout")],
      ["drainTimeout", core("client/Http2Session.ts")("drainTimeout")]
    ],
    gRPC: [
      ["maxReceiveMessageSize", grpcServer("maxReceiveMessageSize")],
      ["maxSendMessageSize", grpcServer("maxSendMessageSize")],
      ["maxConcurrentCalls", grpcServer("maxConcurrentCalls")],
      ["callTimeout", grpcServer("callTimeout")],
      ["timeout", grpcChannel("timeout")],
      ["maxReceiveMessageSize", grpcChannel("maxReceiveMessageSize")],
      ["maxSendMessageSize", grpcChannel("maxSendMessageSize")],
      ["connectTimeout", seconds(channel.connectMillis)],
      ["maxConnections", count(channel.connectionCount)],
      ["maxWaiting", count(channel.waiting.waitingCount)],
      ["waitTimeout", seconds(channel.waiting.waitingMillis)],
      ["drainTimeout", seconds(channel.drainMillis)],
      ["idleTimeout", seconds(channel.limits.idleMillis)],
      ["sendTimeout", seconds(channel.limits.sendMillis)],
      ["connectionWindow", channel.limits.connectionWindowBytes === 2 ** 31 - 1 ? "2 GiB - 1" : "less"],
      ["pingInterval", seconds(channel.limits.pingIntervalMillis)],
      ["bodyTimeout", channel.limits.bodyMillis === Number.POSITIVE_INFINITY ? "unbounded" : "limited"],
      ["maxAttempts", count(GrpcRetryPolicy.maxAttemptsLimit)]
    ],
    WebSocket: [
      ["maxMessageSize", size(webSocket.engine.maxMessageBytes)],
      ["maxFrameSize", "maxMessageSize"],
      ["maxFragments", count(webSocket.engine.maxFragmentCount)],
      ["maxControlFrames", count(webSocket.engine.maxControlFrameCount)],
      ["maxTinyFragments", count(webSocket.engine.maxTinyFragmentCount)],
      ["floodWindow", seconds(webSocket.engine.floodWindowMillis)],
      ["keepaliveIdle", seconds(webSocket.engine.keepaliveIdleMillis)],
      ["keepaliveTimeout", seconds(webSocket.engine.keepaliveTimeoutMillis)],
      ["closeTimeout", seconds(webSocket.engine.closeMillis)],
      ["receiveBuffer", `${size(webSocket.receiveBytes)} a connection`],
      ["sendBuffer", `${size(webSocket.sendBytes)} a connection`],
      ["writeTimeout", seconds(webSocket.stall.writeMillis)],
      ["connectTimeout", core("client/WebSocketClient.ts")("connectTimeout")]
    ],
    Rooms: [
      ["maxRooms", count(hub.maxRoomCount)],
      ["maxMembersPerRoom", count(hub.maxMemberCount)],
      ["maxRoomNameLength", count(hub.maxNameLength)],
      ["maxQueuedChanges", count(hub.maxChangeCount)],
      ["maxQueuedMessages", count(hub.slowConsumer.maxQueuedCount)],
      ["maxQueuedSize", size(hub.slowConsumer.maxQueuedBytes)],
      ["backplaneQueue", `${count(hub.backplaneQueue.maxQueuedCount)} messages`]
    ],
    Middleware: [
      ["timeout", core("middleware/RequestTimeout.ts")("timeout")],
      ["maxBody", core("middleware/BodyLimit.ts")("maxBody")],
      ["maxConcurrent", core("middleware/RequestConcurrency.ts")("maxConcurrent")],
      ["maxWaiting", core("middleware/RequestConcurrency.ts")("maxWaiting")],
      ["maxWait", core("middleware/RequestConcurrency.ts")("maxWait")],
      ["limit", "none"],
      ["maxKeys", "65,536"],
      ["maxTokenLength", core("middleware/BearerAuth.ts")("maxTokenLength")],
      ["maxCredentialsLength", core("middleware/BasicAuth.ts")("maxCredentialsLength")],
      ["maxBody", core("middleware/DynamicEtag.ts")("maxBody")],
      ["checkTimeout", core("middleware/Health.ts")("checkTimeout")]
    ]
  }
  it("have the sections that are compared here", () =>
    assert.deepStrictEqual(
      sections.map(({ name }) => name),
      Object.keys(expected)
    ))
  for (const [name, cases] of Object.entries(expected)) {
    it(`${name}: every row is what the code has`, () => {
      // Behind the default a row may say more: "20 seconds, and 1 to clean up".
      const shown = rowsOf(name).map(([, value, option], row) => {
        const exact = cases[row]?.[1] ?? ""
        return [option, value === exact ? value : value.split(/[,:] /)[0]]
      })
      assert.deepStrictEqual(shown, cases as unknown)
    })
  }
  for (const document of ["README.md", "docs/grpc.md"]) {
    it(`${document} shows rows of these`, () => {
      const section = /^## Limits\n([\s\S]*?)^## /m.exec(read(document))?.[1] ?? ""
      const shown = [...section.matchAll(cells)].map(([row]) => row)
      assert.isNotEmpty(shown)
      for (const row of shown) assert.include(read("docs/limits.md").split("\n"), row)
    })
  }
})

describe("the table of budgets", () => {
  const shown = [...read("docs/http2.md").matchAll(/^\| `(\w+)` \| ([\d,]+) \| ([\d,]+) \|/gm)]
  it("is that of Http2AbuseGuard", () =>
    assert.deepStrictEqual(
      shown.map(([, name, burst, perSecond]) => [name, burst, perSecond]),
      Object.values(Http2AbuseGuard.budgets).map(({ burst, name, perSecond }) => [
        name,
        burst.toLocaleString("en-US"),
        perSecond.toLocaleString("en-US")
      ])
    ))
})
