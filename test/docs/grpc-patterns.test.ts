/** The programs of docs/patterns for gRPC do what they say. */
import { assert, describe, it } from "@effect/vitest"
import {
  type Dialer,
  GrpcChannel,
  GrpcClient,
  GrpcDeadline,
  GrpcError,
  GrpcMetadata,
  GrpcServer,
  type GrpcServerCall,
  Http2Session,
  MemoryNetwork,
  TcpClient,
  WebServer,
  WebSocketClient
} from "@sluice/core"
import { Health, HealthCheckResponse_ServingStatus } from "@sluice/core/grpc/generated/grpc/health/v1/health_pb"
import * as GrpcMessageWriter from "@sluice/core/protocol/grpc/GrpcMessageWriter"
import { Greeter } from "@sluice/examples/generated/hello_pb"
import { NodeTransport } from "@sluice/node"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Redacted from "effect/Redacted"
import * as RpcClient from "effect/rpc/RpcClient"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { GreeterLive, Manners } from "../../docs/patterns/36-grpc-service.ts"
import { authorized, greet, logged, Relay } from "../../docs/patterns/37-grpc-client.ts"
import * as Middleware from "../../docs/patterns/38-grpc-middleware.ts"
import { Server, violations } from "../../docs/patterns/39-grpc-companions.ts"
import * as ManyDoors from "../../docs/patterns/40-many-doors.ts"
import { authority, identity, trusting } from "../harness/Certificates.ts"
import { LogRecorder } from "../harness/LogRecorder.ts"
import { SpanRecorder } from "../harness/SpanRecorder.ts"
import { turns } from "../harness/TransportContract.ts"
import * as Served from "../node/web/Served.ts"
import { converse, greeter, messages } from "./GrpcInMemory.ts"
import { onListener } from "./OnLoopback.ts"
import { ask, target } from "./WebInMemory.ts"

describe("36 gRPC service", () => {
  const served = GrpcServer.serve(GreeterLive).pipe(Layer.provide(Manners.layer))
  const named = (...names: ReadonlyArray<string>) => Stream.fromIterable(names.map((name) => ({ name })))

  it.effect("one request, one reply; and a status of its own", () =>
    converse(
      served,
      Effect.gen(function* () {
        const { sayHello } = yield* greeter
        assert.strictEqual((yield* sayHello({ name: "Ada" })).message, "Hello Ada")
        const { reason } = yield* Effect.flip(sayHello({}))
        assert.deepStrictEqual([reason._tag, reason.message], ["InvalidArgument", "who is it?"])
      })
    )
  )

  it.effect("a stream of replies, as they come; who leaves it early ends it", () =>
    converse(
      served,
      Effect.gen(function* () {
        const { streamHellos } = yield* greeter
        const heard: Array<string> = []
        const listening = yield* Effect.forkChild(
          Stream.runForEach(Stream.take(streamHellos({ name: "Ada" }), 3), ({ message }) =>
            Effect.sync(() => heard.push(message))
          ),
          { startImmediately: true }
        )
        yield* turns
        yield* TestClock.adjust("1 second")
        yield* turns
        assert.deepStrictEqual(heard, ["Hello Ada #1"])
        yield* TestClock.adjust("1 second")
        yield* turns
        assert.deepStrictEqual(heard, ["Hello Ada #1", "Hello Ada #2"])
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(listening)
        assert.deepStrictEqual(heard.length, 3)
      })
    )
  )

  it.effect("a stream of requests, of which ten are taken; and both at a time", () =>
    converse(
      served,
      Effect.gen(function* () {
        const { chatHellos, collectHellos } = yield* greeter
        assert.strictEqual((yield* collectHellos(named("Ann", "Bob"))).message, "Hello Ann and Bob")
        const endless = yield* collectHellos(Stream.map(Stream.range(1, 1_000), (index) => ({ name: `${index}` })))
        assert.strictEqual(endless.message, "Hello 1 and 2 and 3 and 4 and 5 and 6 and 7 and 8 and 9 and 10")
        assert.deepStrictEqual(yield* messages(chatHellos(named("Ann", "Bob"))), ["Hello Ann", "Hello Bob"])
      })
    )
  )
})

describe("37 gRPC client", () => {
  /** A greeter that keeps the calls that it gets, and answers them as `answer` says. */
  const back = (
    calls: Array<GrpcServerCall.GrpcServerCall>,
    answer: () => Effect.Effect<string, GrpcError.GrpcError>
  ) =>
    GrpcServer.layer(Greeter, {
      sayHello: (_, call) =>
        Effect.suspend(() => {
          calls.push(call)
          return call.addMetadata(GrpcMetadata.make({ "x-served-by": "back" }))
        }).pipe(
          Effect.andThen(Effect.suspend(answer)),
          Effect.map((message) => ({ message }))
        )
    })

  const token = Redacted.make("secret")
  const interceptors = [logged, authorized(token)]

  it.effect("sends metadata and a token, and reads the server's", () => {
    const calls: Array<GrpcServerCall.GrpcServerCall> = []
    return converse(
      GrpcServer.serve(back(calls, () => Effect.succeed("Hello"))),
      Effect.gen(function* () {
        assert.strictEqual(yield* greet("Ada"), "Hello, by back")
        const [{ metadata }] = calls as [GrpcServerCall.GrpcServerCall]
        assert.deepStrictEqual([metadata.get("authorization"), metadata.get("x-tenant")], ["Bearer secret", "acme"])
      }),
      { interceptors }
    )
  })

  it.effect("the deadline crosses the relay, and ends the call at both", () => {
    const calls: Array<GrpcServerCall.GrpcServerCall> = []
    let interruptedCount = 0
    const slow = Effect.onInterrupt(Effect.never, () => Effect.sync(() => void interruptedCount++))
    const relayAt = { host: "relay.test", port: 80 }
    return converse(
      GrpcServer.serve(back(calls, () => slow)),
      Effect.gen(function* () {
        // The current channel is to the greeter, and has ten seconds for a call.
        yield* GrpcServer.serve(Relay).pipe(
          Layer.provide(WebServer.layer()),
          Layer.provide(MemoryNetwork.layerListener(relayAt)),
          Layer.build
        )
        const relay = yield* GrpcChannel.make(relayAt)
        const calling = yield* greet("Ada").pipe(
          Effect.provideService(GrpcChannel.GrpcChannel, relay),
          Effect.forkChild({ startImmediately: true })
        )
        yield* turns
        yield* turns
        assert.strictEqual(calls.length, 1)
        const [call] = calls as [GrpcServerCall.GrpcServerCall]
        assert.strictEqual(call.metadata.get("authorization"), "Bearer secret")
        assert.strictEqual(call.metadata.get("x-tenant"), "acme")
        assert.strictEqual(Duration.toMillis((yield* call.remaining)!), 2_000)
        yield* TestClock.adjust("2 seconds")
        yield* turns
        assert.strictEqual(yield* Fiber.join(calling), "they take their time")
        assert.strictEqual(interruptedCount, 1)
      }),
      { interceptors, timeout: "10 seconds" }
    ).pipe(new LogRecorder().listen)
  })

  it.effect("nobody is there", () =>
    Effect.gen(function* () {
      const log = new LogRecorder()
      const said = yield* converse(
        GrpcServer.serve(back([], () => GrpcError.unavailable("closed for today"))),
        greet("Ada"),
        { interceptors }
      ).pipe(log.listen)
      assert.strictEqual(said, "nobody is there: closed for today")
      assert.deepInclude(
        log.entries.map(({ message }) => message),
        "/hello.Greeter/SayHello: UNAVAILABLE: closed for today"
      )
    })
  )

  it.effect("outside of a call there is no deadline", () =>
    Effect.gen(function* () {
      assert.isUndefined(yield* GrpcDeadline.remaining)
    })
  )
})

describe("38 gRPC middleware", () => {
  const { channel, Server: server, web } = Middleware
  const tls = trusting("a.test", { identity: identity("client") })
  const certificates = { resolve: () => identity("a") }

  const serving = Effect.gen(function* () {
    const context = yield* Layer.build(Layer.provideMerge(server, web(0, certificates, authority)))
    const { address } = Context.get(context, WebServer.WebServer)
    return NetAddress.isInetAddress(address) ? address.port : 0
  })

  it.live("the certificate says who calls; spans are one trace", () => {
    const recorder = new SpanRecorder()
    return Effect.gen(function* () {
      const port = yield* serving
      const { message } = yield* Effect.flatMap(greeter, ({ sayHello }) => sayHello({ name: "Ada" })).pipe(
        Effect.provide(channel(port, tls))
      )
      assert.strictEqual(message, "Hello Ada, says CN=client.test. ".repeat(100))
      const spans = recorder.named("hello.Greeter/SayHello")
      assert.deepStrictEqual(spans.map(({ kind }) => kind).sort(), ["client", "server"])
      assert.strictEqual(spans[0]!.traceId, spans[1]!.traceId)
    }).pipe(recorder.record, Effect.scoped)
  })

  it.live("who may not: PERMISSION_DENIED; without a certificate there is no connection", () =>
    Effect.gen(function* () {
      const port = yield* serving
      const denied = yield* Effect.flip(
        Effect.flatMap(greeter, ({ collectHellos }) => collectHellos(Stream.empty)).pipe(
          Effect.provide(channel(port, tls))
        )
      )
      assert.strictEqual(denied.message, "PERMISSION_DENIED: not for CN=client.test")
      const nobody = yield* Effect.flip(
        Effect.flatMap(greeter, ({ sayHello }) => sayHello({})).pipe(Effect.provide(channel(port, trusting("a.test"))))
      )
      assert.strictEqual(nobody.reason._tag, "Unavailable")
    }).pipe(Effect.scoped)
  )

  it.effect("replies are compressed for who takes it", () =>
    converse(
      GrpcServer.serve(Middleware.GreeterLive, Middleware.options),
      Effect.gen(function* () {
        const session = yield* Http2Session.connect(target)
        const response = yield* session.request({
          method: "POST",
          path: "/hello.Greeter/SayHello",
          headers: { "content-type": "application/grpc", te: "trailers", "grpc-accept-encoding": "identity,gzip" },
          body: GrpcMessageWriter.join(new Uint8Array(0), "plain")
        })
        assert.strictEqual(response.headers["grpc-encoding"], "gzip")
        const bytes = yield* response.bytes({ maxSize: "1 MiB" })
        assert.strictEqual(bytes[0], 1)
        assert.isBelow(bytes.length, 200)
      })
    )
  )

  it.effect("no call takes longer than five seconds", () =>
    converse(
      GrpcServer.serve(Middleware.GreeterLive, Middleware.options),
      Effect.gen(function* () {
        let count = 0
        const listening = yield* (yield* greeter).streamHellos({ name: "Ada" }).pipe(
          Stream.runForEach(() => Effect.sync(() => void count++)),
          Effect.flip,
          Effect.forkChild({ startImmediately: true })
        )
        yield* turns
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual((yield* Fiber.join(listening)).reason._tag, "DeadlineExceeded")
        assert.strictEqual(count, 3)
      })
    )
  )

  it.effect("in cleartext nobody has a certificate: UNAUTHENTICATED", () =>
    converse(
      server,
      Effect.gen(function* () {
        const error = yield* Effect.flip((yield* greeter).sayHello({}))
        assert.strictEqual(error.reason._tag, "Unauthenticated")
      })
    )
  )
})

describe("39 gRPC companions", () => {
  const long = "Ada, Countess of Lovelace"

  it.effect("health, from not serving to serving", () =>
    converse(
      Server,
      Effect.gen(function* () {
        const health = yield* GrpcClient.make(Health)
        const statuses: Array<HealthCheckResponse_ServingStatus> = []
        const watching = yield* Effect.forkChild(
          Stream.runForEach(Stream.take(health.watch({ service: "hello.Greeter" }), 2), ({ status }) =>
            Effect.sync(() => statuses.push(status))
          ),
          { startImmediately: true }
        )
        yield* turns
        yield* TestClock.adjust("5 seconds")
        yield* Fiber.join(watching)
        const { NOT_SERVING, SERVING } = HealthCheckResponse_ServingStatus
        assert.deepStrictEqual(statuses, [NOT_SERVING, SERVING])
      })
    )
  )

  it.effect("details of an error, over gRPC and Connect", () =>
    converse(
      Server,
      Effect.gen(function* () {
        const error = yield* Effect.flip((yield* greeter).sayHello({ name: long }))
        assert.deepStrictEqual(violations(error), ["name: at most 20 letters"])
        assert.strictEqual(error.reason.details[1]?._tag, "ErrorInfo")
        const connect = yield* ask("POST", "/hello.Greeter/SayHello", {
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ name: long })
        })
        assert.strictEqual(connect.status, 400)
        const { code, details, message } = JSON.parse(connect.body)
        assert.deepStrictEqual([code, message], ["invalid_argument", "the name is too long"])
        assert.deepStrictEqual(
          details.map(({ type }: { readonly type: string }) => type),
          ["google.rpc.BadRequest", "google.rpc.ErrorInfo"]
        )
      })
    )
  )
})

describe("40 many doors", () => {
  const { GreeterRpcs, Greetings, Tcp, Web } = ManyDoors
  const five = [1, 2, 3, 4, 5].map((index) => `Hello Ada #${index}`)

  const byRpc = Effect.gen(function* () {
    const client = yield* RpcClient.make(GreeterRpcs)
    assert.strictEqual((yield* client.SayHello({ name: "Ada" })).message, "Hello Ada")
    assert.deepStrictEqual(yield* messages(client.StreamHellos({ name: "Ada" })), five)
    assert.strictEqual((yield* Effect.flip(client.SayHello({ name: "" })))._tag, "Unknown")
  })

  const roads = (address: Dialer.Target, url: string) => ({
    TCP: RpcClient.layerProtocolSocket().pipe(Layer.provide(TcpClient.layerSocket(address))),
    WebSocket: RpcClient.layerProtocolSocket().pipe(
      Layer.provide(WebSocketClient.layerSocket(`${url.replace("http", "ws")}/rpc`))
    ),
    HTTP: RpcClient.layerProtocolHttp({ url: `${url}/rpc` }).pipe(Layer.provide(Served.fetchClient))
  })

  for (const road of ["TCP", "WebSocket", "HTTP"] as const) {
    it.live(`${road}: as effect/rpc`, () =>
      Effect.gen(function* () {
        const listener = NodeTransport.layerListener({ host: "127.0.0.1", port: 0 })
        const address = yield* onListener(Layer.provide(Tcp, Greetings.layer), listener)
        const { url } = yield* Served.routes(Layer.provide(Web, Greetings.layer))
        yield* byRpc.pipe(
          Effect.provide(
            roads(address, url)[road].pipe(
              Layer.provide(RpcSerialization.layerNdjson),
              Layer.provide(NodeTransport.layerDialer())
            )
          ),
          Effect.scoped
        )
      })
    )
  }

  it.live("gRPC, on the port of WebSocket and HTTP", () =>
    Effect.gen(function* () {
      const { port } = yield* Served.routes(Layer.provide(Web, Greetings.layer))
      yield* Effect.gen(function* () {
        const { collectHellos, sayHello, streamHellos } = yield* greeter
        assert.strictEqual((yield* sayHello({ name: "Ada" })).message, "Hello Ada")
        assert.deepStrictEqual(yield* messages(streamHellos({ name: "Ada" })), five)
        const errors = [yield* Effect.flip(sayHello({})), yield* Effect.flip(collectHellos(Stream.empty))]
        assert.deepStrictEqual(
          errors.map(({ reason }) => reason._tag),
          ["InvalidArgument", "Unimplemented"]
        )
      }).pipe(
        Effect.provide(GrpcChannel.layer({ host: "127.0.0.1", port })),
        Effect.provide(NodeTransport.layerDialer())
      )
    })
  )
})
