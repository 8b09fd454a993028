import * as Path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Effect from "effect/Effect"
import { temporaryDirectory, tlsFile, tlsText } from "../harness/NodeNet.ts"
import * as Program from "./support/Program.ts"
import * as Started from "./support/Started.ts"

/** SIGTERM, to which the client's connection ends. */
const stop = Effect.fnUntraced(function* (program: Program.Program, client?: Started.Talk) {
  yield* program.signal("SIGTERM")
  if (client !== undefined) yield* client.bye
  const { code, stderr } = yield* program.ended
  assert.deepStrictEqual([code, stderr], [0, []])
})

const exchanges: ReadonlyArray<readonly [name: string, sent: string, answer: string]> = [
  ["tcp-echo", "x\n", "x"],
  ["line-server", "HELLO\n", "WORLD"],
  ["chat", "/who\n", "* welcome, guest-1: you are alone here; /help helps"]
]

const names = [
  "chat",
  "tcp-echo",
  "line-server",
  "tcp-proxy",
  "rpc-greeter",
  "rpc-greeter-client",
  "grpc-greeter",
  "grpc-client",
  "http-hello",
  "http-rest",
  "static-files",
  "websocket-echo",
  "websocket-broadcast"
]

describe("the command line", () => {
  for (const [name, sent, answer] of exchanges) {
    it.live(`${name} says where it listens, serves, and ends with 0 on SIGTERM`, () =>
      Effect.gen(function* () {
        const program = yield* Program.serve(name, [name, "--port", "0"])
        const client = yield* Started.talk(program.address)
        yield* client.say(sent)
        assert.strictEqual(yield* client.line, answer)
        yield* stop(program, client)
      }).pipe(Effect.provide(NodeTransport.layerDialer()))
    )
  }

  it.live("without a name it is the chat: it says how to join, and farewell on SIGINT", () =>
    Effect.gen(function* () {
      const program = yield* Program.serve("chat", ["--port", "0"])
      assert.strictEqual(yield* program.line, `join: nc ${program.where.replace(":", " ")}`)
      const client = yield* Started.talk(program.address)
      yield* client.line
      yield* program.signal("SIGINT")
      assert.strictEqual(yield* client.line, "* the server is going down: farewell")
      yield* client.bye
      assert.strictEqual((yield* program.ended).code, 0)
    }).pipe(Effect.provide(NodeTransport.layerDialer()))
  )

  it.live("a Unix socket", () =>
    Effect.gen(function* () {
      const path = Path.join(yield* temporaryDirectory, "echo.sock")
      const program = yield* Program.serve("tcp-echo", ["tcp-echo", "--unix", path])
      assert.strictEqual(program.where, `unix://${path}`)
      const client = yield* Started.talk(program.address)
      yield* client.say("x\n")
      assert.strictEqual(yield* client.line, "x")
      yield* stop(program, client)
    }).pipe(Effect.provide(NodeTransport.layerDialer()))
  )

  it.live("TLS from certificate files", () =>
    Effect.gen(function* () {
      const files = ["--cert", tlsFile("a.pem"), "--key", tlsFile("a.key")]
      const program = yield* Program.serve("line-server", ["line-server", "--port", "0", ...files])
      const client = yield* Started.talk(program.address, { tls: { authorities: tlsText("ca.pem") } })
      yield* client.say("HELLO\n")
      assert.strictEqual(yield* client.line, "WORLD")
      yield* stop(program, client)
    }).pipe(Effect.provide(NodeTransport.layerDialer()))
  )

  it.live("tcp-proxy forwards to another program", () =>
    Effect.gen(function* () {
      const backend = yield* Program.serve("line-server", ["line-server", "--port", "0"])
      const proxy = yield* Program.serve("tcp-proxy", ["tcp-proxy", "--port", "0", "--to", backend.where])
      const client = yield* Started.talk(proxy.address)
      yield* client.say("HELLO\n")
      assert.strictEqual(yield* client.line, "WORLD")
      yield* stop(proxy, client)
      yield* stop(backend)
    }).pipe(Effect.provide(NodeTransport.layerDialer()))
  )

  it.live("rpc-greeter-client greets through rpc-greeter, over TLS", () =>
    Effect.gen(function* () {
      const files = ["--cert", tlsFile("a.pem"), "--key", tlsFile("a.key")]
      const server = yield* Program.serve("rpc-greeter", ["rpc-greeter", "--port", "0", "--web-port", "0", ...files])
      const client = yield* Program.start([
        "rpc-greeter-client",
        "Ann",
        "--to",
        server.where,
        "--ca",
        tlsFile("ca.pem")
      ])
      const { code, stdout, stderr } = yield* client.ended
      assert.deepStrictEqual(stderr, [])
      assert.deepStrictEqual(stdout, ["Hello Ann", "Hello #1", "Hello #2", "Hello #3", "Hello #4", "Hello #5"])
      assert.strictEqual(code, 0)
      yield* stop(server)
    })
  )

  it.live("a port in use is one line that names it, and exit code 1", () =>
    Effect.gen(function* () {
      const first = yield* Program.serve("tcp-echo", ["tcp-echo", "--port", "0"])
      const second = yield* Program.start(["line-server", "--port", first.where.split(":")[1]!])
      const { code, stdout, stderr } = yield* second.ended
      assert.strictEqual(code, 1)
      assert.deepStrictEqual(stdout, [])
      assert.lengthOf(stderr, 1)
      assert.include(stderr[0]!, first.where)
    })
  )

  it.live("nobody at the other end is one line that names it, and exit code 1", () =>
    Effect.gen(function* () {
      const client = yield* Program.start(["rpc-greeter-client", "--to", "127.0.0.1:1"])
      const { code, stderr } = yield* client.ended
      assert.strictEqual(code, 1)
      assert.lengthOf(stderr, 1)
      assert.include(stderr[0]!, "127.0.0.1:1")
    })
  )

  it.live("--help lists every program", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* (yield* Program.start(["--help"])).ended
      assert.strictEqual(code, 0)
      for (const name of names) {
        assert.isTrue(
          stdout.some((line) => new RegExp(`^ +${name} `).test(line)),
          name
        )
      }
    })
  )

  const mistakes: ReadonlyArray<readonly [why: string, args: ReadonlyArray<string>, told: string]> = [
    ["a program that is not there", ["tcp-ecko"], "tcp-ecko"],
    ["a port that is none", ["tcp-echo", "--port", "65536"], "65536"],
    ["a proxy without a backend", ["tcp-proxy"], "--to"],
    ["a backend that is none", ["tcp-proxy", "--to", "nowhere"], "nowhere"],
    ["a trusted network that is none", ["tcp-proxy", "--to", "a:1", "--trust", "10.0.0.0/99"], "10.0.0.0/99"],
    [
      "a certificate file that is not there",
      ["tcp-echo", "--port", "0", "--cert", tlsFile("missing.pem"), "--key", tlsFile("a.key")],
      "missing.pem"
    ],
    ["a certificate without its key", ["tcp-echo", "--cert", tlsFile("a.pem")], "--key"],
    ["a certificate without its key, for the chat", ["--cert", tlsFile("a.pem")], "--key"]
  ]
  for (const [why, args, told] of mistakes) {
    it.live(`${why} is told, and exit code 1`, () =>
      Effect.gen(function* () {
        const { code, stderr } = yield* (yield* Program.start(args)).ended
        assert.strictEqual(code, 1)
        assert.include(stderr.join("\n"), told)
        assert.notInclude(stderr.join("\n"), "    at ")
      })
    )
  }
})
