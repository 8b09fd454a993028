/** The programs of docs/guide for gRPC do what they say. */
import { execFile } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { promisify } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import {
  type Dialer,
  GrpcChannel,
  GrpcClient,
  GrpcError,
  GrpcMetrics,
  GrpcServer,
  GrpcStatus,
  MemoryNetwork,
  WebServer
} from "@sluice/core"
import { Health, HealthCheckResponse_ServingStatus } from "@sluice/core/grpc/generated/grpc/health/v1/health_pb"
import { ServerReflection } from "@sluice/core/grpc/generated/grpc/reflection/v1/reflection_pb"
import { Greeter } from "@sluice/examples/generated/hello_pb"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { greet } from "../../docs/guide/grpc-client.ts"
import { conversation } from "../../docs/guide/grpc-in-memory.ts"
import * as Metrics from "../../docs/guide/grpc-metrics.ts"
import * as Mounted from "../../docs/guide/grpc-mounted.ts"
import { GreeterClient, serviceConfig } from "../../docs/guide/grpc-resilience.ts"
import { Services } from "../../docs/guide/grpc-server.ts"
import { temporaryDirectory } from "../harness/NodeNet.ts"
import { turns } from "../harness/TransportContract.ts"
import { converse, greeter, messages } from "./GrpcInMemory.ts"
import { ask, routes } from "./WebInMemory.ts"

const root = Path.resolve(import.meta.dirname, "../..")

describe("grpc-server and grpc-client", () => {
  it.effect("greets, is well, and says what it has", () =>
    converse(
      GrpcServer.serve(Services),
      Effect.gen(function* () {
        assert.strictEqual(yield* greet("Ada"), "Hello Ada")
        const health = yield* GrpcClient.make(Health)
        const { status } = yield* health.check({ service: "hello.Greeter" })
        assert.strictEqual(status, HealthCheckResponse_ServingStatus.SERVING)
        const reflection = yield* GrpcClient.make(ServerReflection)
        const asked = Stream.make({ messageRequest: { case: "listServices" as const, value: "" } })
        const [answer] = yield* Stream.runCollect(reflection.serverReflectionInfo(asked))
        assert.deepStrictEqual(
          answer!.messageResponse.case === "listServicesResponse" &&
            answer!.messageResponse.value.service.map(({ name }) => name).sort(),
          [
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection",
            "hello.Greeter"
          ]
        )
      })
    )
  )

  it.effect("a method without a handler is UNIMPLEMENTED; what is no gRPC is 415 and 404", () =>
    converse(
      GrpcServer.serve(Services),
      Effect.gen(function* () {
        const error = yield* Effect.flip(messages((yield* greeter).streamHellos({ name: "Ada" })))
        assert.strictEqual(error.reason._tag, "Unimplemented")
        const posted = yield* ask("POST", "/hello.Greeter/SayHello", { body: "{}" })
        assert.strictEqual(posted.status, 415)
        assert.strictEqual((yield* ask("GET", "/")).status, 404)
      })
    )
  )
})

describe("a greeter in ten minutes", () => {
  /** The block of a language in the guide. */
  const block = (language: string): string => {
    const text = Fs.readFileSync(Path.join(root, "docs/grpc.md"), "utf8")
    return new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "m").exec(text)?.[1] ?? ""
  }

  const descriptorIn = (path: string): string | undefined =>
    /fileDesc\(\s*"([^"]+)"/.exec(Fs.readFileSync(path, "utf8"))?.[1]

  it.live("its .proto and its buf.gen.yaml make the greeter's descriptor", () =>
    Effect.gen(function* () {
      const cwd = yield* temporaryDirectory
      Fs.mkdirSync(Path.join(cwd, "proto"))
      Fs.writeFileSync(Path.join(cwd, "proto/hello.proto"), block("proto"))
      Fs.writeFileSync(Path.join(cwd, "buf.gen.yaml"), block("yaml"))
      const binaries = Path.join(root, "node_modules/.bin")
      const env = { ...process.env, PATH: `${binaries}${Path.delimiter}${process.env.PATH}` }
      yield* Effect.promise(() => promisify(execFile)("buf", ["generate"], { cwd, env }))
      const made = Path.join(cwd, "generated/hello_pb.ts")
      assert.isDefined(descriptorIn(made))
      assert.strictEqual(
        descriptorIn(made),
        descriptorIn(Path.join(root, "packages/examples/src/generated/hello_pb.ts"))
      )
    })
  )
})

describe("backpressure", () => {
  it.effect("who leaves a stream unread for 30 seconds loses the call; who reads a little keeps it", () => {
    let made = 0
    const message = "x".repeat(64 * 1024)
    const endless = Stream.map(Stream.rechunk(Stream.range(1, 100_000), 1), () => {
      made++
      return { message }
    })
    return converse(
      GrpcServer.serve(GrpcServer.layer(Greeter, { streamHellos: () => endless })),
      Effect.gen(function* () {
        const replies = yield* Stream.toPull((yield* greeter).streamHellos({}))
        for (let read = 0; read < 10; read++) {
          // A window is given back by halves.
          for (let reply = 0; reply < 4; reply++) yield* replies
          yield* turns
          yield* TestClock.adjust("20 seconds")
        }
        assert.isBelow(made, 100)
        yield* TestClock.adjust("40 seconds")
        yield* turns
        const error = yield* Effect.flip(Effect.forever(replies))
        assert.strictEqual(error._tag === "GrpcError" && error.reason._tag, "Cancelled")
      })
    )
  })
})

describe("grpc-mounted", () => {
  const page = { origin: "https://app.example" }
  const json = { ...page, "content-type": "application/json" }

  it.effect("calls and the application on one port, and pages that call", () =>
    converse(
      routes(Mounted.Routes),
      Effect.gen(function* () {
        assert.strictEqual((yield* (yield* greeter).sayHello({ name: "Ada" })).message, "Hello Ada")
        assert.strictEqual((yield* ask("GET", "/")).body, "the application")
        const called = yield* ask("POST", "/hello.Greeter/SayHello", { headers: json, body: `{"name":"Ada"}` })
        assert.deepStrictEqual(
          [called.status, called.body, called.headers["access-control-allow-origin"]],
          [200, `{"message":"Hello Ada"}`, "https://app.example"]
        )
        const frame = "\0\0\0\0\u0005\n\u0003Ada"
        const web = { ...page, "content-type": "application/grpc-web+proto" }
        const framed = yield* ask("POST", "/hello.Greeter/SayHello", { headers: web, body: frame })
        assert.include(framed.body, "Hello Ada")
        assert.match(framed.body, /grpc-status: ?0/)
        const preflight = yield* ask("OPTIONS", "/hello.Greeter/SayHello", {
          headers: { origin: "https://other.example", "access-control-request-method": "POST" }
        })
        assert.isUndefined(preflight.headers["access-control-allow-origin"])
      })
    )
  )
})

describe("grpc-in-memory", () => {
  it.live("an hour passes at once", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* conversation, { message: "Hello Ada", count: 9, end: "DeadlineExceeded" })
    })
  )
})

describe("grpc-metrics", () => {
  it.effect("calls are counted by method and status, and have a line each", () => {
    const lines: Array<string> = []
    return converse(
      routes(Metrics.Routes),
      Effect.gen(function* () {
        yield* (yield* greeter).sayHello({ name: "Ada" })
        yield* Effect.flip((yield* greeter).collectHellos(Stream.empty))
        const { body } = yield* ask("GET", "/metrics")
        assert.match(body, /rpc_server_call_duration_count\{[^}]*rpc_method="hello.Greeter\/SayHello"[^}]*\} 1/)
        assert.include(body, `rpc_response_status_code="UNIMPLEMENTED"`)
        assert.deepStrictEqual(lines, [
          "/hello.Greeter/SayHello OK in 0 ms",
          "/hello.Greeter/CollectHellos UNIMPLEMENTED in 0 ms"
        ])
        assert.match(body, /rpc_client_call_duration_count\{[^}]*rpc_method="hello.Greeter\/SayHello"[^}]*\} 1/)
      }),
      { observers: [GrpcMetrics.client] }
    ).pipe(Effect.provideService(Console.Console, { log: (line: string) => lines.push(line) } as never))
  })
})

describe("grpc-resilience", () => {
  /** Two servers of one service, each of which counts its calls. */
  const world = Effect.gen(function* () {
    const counts: Record<string, number> = { one: 0, two: 0 }
    const failing = new Set<string>()
    const serve = (name: "one" | "two") =>
      GrpcServer.serve(
        GrpcServer.layer(Greeter, {
          sayHello: (_, call) =>
            Effect.suspend(() => {
              counts[name]!++
              const message = `${name}, attempt ${call.previousAttempts + 1}`
              return failing.has(name) ? GrpcError.unavailable("not now") : Effect.succeed({ message })
            }),
          streamHellos: () => (failing.has(name) ? Stream.never : Stream.make({ message: name }))
        })
      ).pipe(
        Layer.provide(WebServer.layer()),
        Layer.provide(MemoryNetwork.layerListener({ host: `${name}.test`, port: 50051 }))
      )
    const servers = Layer.mergeAll(serve("one"), serve("two"))
    const channel = GrpcChannel.layer(
      ["one", "two"].map((name): Dialer.Target => ({ host: `${name}.test`, port: 50051 })),
      { balancing: "round_robin", serviceConfig }
    )
    return {
      counts,
      failing,
      layer: GreeterClient.layer.pipe(
        Layer.provide(channel),
        Layer.provideMerge(servers),
        Layer.provide(MemoryNetwork.layerDialer),
        Layer.provide(MemoryNetwork.layer())
      )
    }
  })

  const living = <A, E>(
    run: (counts: Readonly<Record<string, number>>, failing: Set<string>) => Effect.Effect<A, E, GreeterClient>
  ) => Effect.flatMap(world, ({ counts, failing, layer }) => Effect.provide(run(counts, failing), layer))

  /** A call of less than two seconds. */
  const whileTimePasses = Effect.fnUntraced(function* <A, E>(call: Effect.Effect<A, E>) {
    const calling = yield* Effect.forkChild(call, { startImmediately: true })
    for (let step = 0; step < 6; step++) {
      yield* turns
      yield* TestClock.adjust("300 millis")
    }
    return yield* Fiber.join(calling)
  })

  /** Until both are connected, all calls go to the one that is. */
  const bothConnected = Effect.fnUntraced(function* (counts: Readonly<Record<string, number>>) {
    const client = yield* GreeterClient
    for (let call = 0; call < 10 && Object.values(counts).includes(0); call++) {
      yield* client.sayHello({})
      yield* turns
    }
    assert.notInclude(Object.values(counts), 0)
  })

  it.effect("each server has its turn", () =>
    living((counts) =>
      Effect.gen(function* () {
        const client = yield* GreeterClient
        yield* bothConnected(counts)
        const before = { ...counts }
        for (let call = 0; call < 10; call++) yield* client.sayHello({})
        assert.deepStrictEqual(counts, { one: before.one! + 5, two: before.two! + 5 })
      })
    )
  )

  it.effect("a call that one server refuses succeeds at the other; where all do, it fails after three attempts", () =>
    living((counts, failing) =>
      Effect.gen(function* () {
        const client = yield* GreeterClient
        yield* bothConnected(counts)
        failing.add("one")
        const first = yield* whileTimePasses(client.sayHello({}))
        const second = yield* whileTimePasses(client.sayHello({}))
        assert.include([first.message, second.message], "two, attempt 2")
        failing.add("two")
        const before = counts.one! + counts.two!
        const error = yield* whileTimePasses(Effect.flip(client.sayHello({})))
        assert.strictEqual(error.reason.code, GrpcStatus.Unavailable)
        assert.strictEqual(counts.one! + counts.two!, before + 3)
      })
    )
  )

  it.effect("where a server does not answer, another is asked beside it", () =>
    living((counts, failing) =>
      Effect.gen(function* () {
        const client = yield* GreeterClient
        yield* bothConnected(counts)
        failing.add("one")
        for (let call = 0; call < 2; call++) {
          assert.deepStrictEqual(yield* whileTimePasses(messages(client.streamHellos({}))), ["two"])
        }
      })
    )
  )

  it("has the policies of both methods", () => {
    const [sayHello, streamHellos] = ["SayHello", "StreamHellos"].map((name) =>
      serviceConfig.methodOf({ service: Greeter.typeName, name } as never)
    )
    assert.deepInclude(sayHello, { timeoutMillis: 2000, hedging: undefined })
    assert.deepInclude(streamHellos, { retry: undefined })
    assert.deepStrictEqual(streamHellos!.hedging?.delayMillis, 50)
  })
})
