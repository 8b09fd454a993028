import { assert, describe, it } from "@effect/vitest"
import * as GrpcServer from "@sluice/core/grpc/server/GrpcServer"
import * as GrpcServerTracing from "@sluice/core/grpc/server/GrpcServerTracing"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as World from "../../../harness/GrpcServerWorld.ts"
import { Greeter } from "../../../harness/protobuf/hello_pb.ts"
import * as Spans from "../../../harness/SpanRecorder.ts"

const Greetings = GrpcServer.layer(Greeter, {
  sayHello: ({ name }) => {
    if (name === "slow") return Effect.never
    return name === "fail" ? Effect.fail(GrpcError.notFound("")) : Effect.withSpan(Effect.succeed({}), "handler")
  },
  streamHellos: () => Stream.make({}, {}).pipe(Stream.tap(() => Effect.withSpan(Effect.void, "item")))
})

const serving = (options?: GrpcServerTracing.Options) =>
  Effect.gen(function* () {
    const recorder = new Spans.SpanRecorder()
    const world = yield* recorder.record(World.make(Greetings, { interceptors: [GrpcServerTracing.make(options)] }))
    return { recorder, world }
  })

const say = "/hello.Greeter/SayHello"
const traceId = "0af7651916cd43dd8448eb211c80319c"
const spanId = "b7ad6b7169203331"

describe("GrpcServerTracing", () => {
  it.effect("a span around the handler, with who asked whom", () =>
    Effect.gen(function* () {
      const { recorder, world } = yield* serving()
      assert.strictEqual((yield* World.call(world, say, World.text("a"))).code, "0")
      const [span] = recorder.named("hello.Greeter/SayHello")
      assert.deepStrictEqual([span!.kind, Spans.outcome(span!), Spans.parent(span!)], ["server", "ok", undefined])
      const { "client.port": port, ...rest } = Spans.attributes(span!)
      assert.isNumber(port)
      assert.deepStrictEqual(rest, {
        "rpc.system.name": "grpc",
        "rpc.method": "hello.Greeter/SayHello",
        "server.address": "server.test",
        "server.port": 7,
        "client.address": "127.0.0.1",
        "rpc.response.status_code": "OK"
      })
      assert.strictEqual(Spans.parent(recorder.named("handler")[0]!), `${span!.traceId}/${span!.spanId}`)
    })
  )

  it.effect("also around the replies of a stream", () =>
    Effect.gen(function* () {
      const { recorder, world } = yield* serving()
      yield* World.call(world, "/hello.Greeter/StreamHellos", World.text("a"))
      const [span] = recorder.named("hello.Greeter/StreamHellos")
      const parents = recorder.named("item").map(Spans.parent)
      assert.deepStrictEqual(parents, Array(2).fill(`${span!.traceId}/${span!.spanId}`))
      assert.strictEqual(Spans.outcome(span!), "ok")
    })
  )

  const parents: ReadonlyArray<readonly [what: string, headers: Readonly<Record<string, string>>]> = [
    ["traceparent", { traceparent: `00-${traceId}-${spanId}-01` }],
    ["b3", { b3: `${traceId}-${spanId}-1` }],
    ["x-b3", { "x-b3-traceid": traceId, "x-b3-spanid": spanId, "x-b3-sampled": "1" }]
  ]
  for (const [what, headers] of parents) {
    it.effect(`its parent is the client's span: ${what}`, () =>
      Effect.gen(function* () {
        const { recorder, world } = yield* serving()
        yield* World.call(world, say, World.text("a"), headers)
        const [span] = recorder.named("hello.Greeter/SayHello")
        assert.deepStrictEqual([Spans.parent(span!), span!.traceId], [`${traceId}/${spanId}`, traceId])
      })
    )
  }
  it.effect("what is no span is none, and one that is not sampled has a child that is not", () =>
    Effect.gen(function* () {
      const { recorder, world } = yield* serving()
      yield* World.call(world, say, World.text("a"), { traceparent: "00-nonsense" })
      yield* World.call(world, say, World.text("a"), { traceparent: `00-${traceId}-${spanId}-00` })
      const [first, second] = recorder.named("hello.Greeter/SayHello")
      assert.deepStrictEqual([Spans.parent(first!), first!.sampled, second!.sampled], [undefined, true, false])
    })
  )
  it.effect("the client's span is ignored where that is asked for", () =>
    Effect.gen(function* () {
      const { recorder, world } = yield* serving({ propagation: "off" })
      yield* World.call(world, say, World.text("a"), { traceparent: `00-${traceId}-${spanId}-01` })
      assert.isUndefined(Spans.parent(recorder.named("hello.Greeter/SayHello")[0]!))
    })
  )

  it.effect("a handler that fails, and one whose deadline is over", () =>
    Effect.gen(function* () {
      const { recorder, world } = yield* serving()
      yield* World.call(world, say, World.text("fail"))
      const slow = yield* Effect.forkChild(World.call(world, say, World.text("slow"), { "grpc-timeout": "2S" }))
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* Fiber.join(slow)).code, "4")
      const codes = recorder
        .named("hello.Greeter/SayHello")
        .map((span) => [span.attributes.get("rpc.response.status_code"), span.attributes.get("error.type")])
      assert.deepStrictEqual(codes, [
        ["NOT_FOUND", undefined],
        ["DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED"]
      ])
    })
  )
  it.effect("calls that are left out have none", () =>
    Effect.gen(function* () {
      const { recorder, world } = yield* serving({ isTraced: ({ method }) => method.name !== "SayHello" })
      yield* World.call(world, say, World.text("a"))
      yield* World.call(world, "/hello.Greeter/StreamHellos", World.text("a"))
      assert.lengthOf(recorder.named("hello.Greeter/SayHello"), 0)
      assert.lengthOf(recorder.named("hello.Greeter/StreamHellos"), 1)
    })
  )
  const authorities: ReadonlyArray<readonly [authority: string, address: string, port: number | undefined]> = [
    ["greeter.internal", "greeter.internal", undefined],
    ["greeter.internal:443", "greeter.internal", 443],
    ["[::1]:443", "::1", 443],
    ["[::1]", "::1", undefined]
  ]
  for (const [authority, address, port] of authorities) {
    it.effect(`the server of ${authority}`, () =>
      Effect.gen(function* () {
        const { recorder, world } = yield* serving()
        yield* World.call(world, say, World.text("a"), { host: authority })
        const { "server.address": host, "server.port": found } = Spans.attributes(recorder.spans[0]!)
        assert.deepStrictEqual([host, found], [address, port])
      })
    )
  }
})
