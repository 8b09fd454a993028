import { create } from "@bufbuild/protobuf"
import { assert, describe, it } from "@effect/vitest"
import * as Http2Session from "@sluice/core/client/Http2Session"
import * as GrpcDeadline from "@sluice/core/grpc/GrpcDeadline"
import type { GrpcCallRecord } from "@sluice/core/grpc/GrpcObserver"
import * as GrpcServer from "@sluice/core/grpc/server/GrpcServer"
import type { GrpcServerInterceptor } from "@sluice/core/grpc/server/GrpcServerInterceptor"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as GrpcMetadata from "@sluice/core/protocol/grpc/GrpcMetadata"
import * as WebServer from "@sluice/core/server/WebServer"
import * as MemoryNetwork from "@sluice/core/transport/MemoryNetwork"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as World from "../../../harness/GrpcServerWorld.ts"
import { LogRecorder } from "../../../harness/LogRecorder.ts"
import * as MemoryWorld from "../../../harness/MemoryWorld.ts"
import { Greeter, HelloReplySchema } from "../../../harness/protobuf/hello_pb.ts"

/** A method of each kind. */
const Greetings = GrpcServer.layer(Greeter, {
  sayHello: (request) => Effect.succeed({ message: `Hello ${request.name}` }),
  streamHellos: ({ name }) => Stream.range(1, 5).pipe(Stream.map((count) => ({ message: `${name} #${count}` }))),
  collectHellos: (requests) =>
    Effect.map(Stream.runCollect(requests), (all) => ({ message: all.map(({ name }) => name).join(",") })),
  chatHellos: (requests) => Stream.map(requests, ({ name }) => ({ message: `Hello ${name}` }))
})

const unreadable = {
  toString: () => {
    throw new Error("no text")
  }
}

const say = "/hello.Greeter/SayHello"

describe("GrpcServer", () => {
  const kinds: ReadonlyArray<readonly [path: string, sent: ReadonlyArray<string>, came: ReadonlyArray<string>]> = [
    ["SayHello", ["Ada"], ["Hello Ada"]],
    ["StreamHellos", ["A"], ["A #1", "A #2", "A #3", "A #4", "A #5"]],
    ["CollectHellos", ["A", "B", "C"], ["A,B,C"]],
    ["CollectHellos", [], [""]],
    ["ChatHellos", ["A", "B"], ["Hello A", "Hello B"]],
    ["ChatHellos", [], []]
  ]
  for (const [path, sent, came] of kinds) {
    it.effect(`serves ${path} of ${sent.length}`, () =>
      MemoryWorld.leavesNothing((keep) =>
        Effect.gen(function* () {
          const world = yield* World.make(Greetings)
          keep(world)
          const body = World.join(...sent.map((name) => World.text(name)))
          const whole = yield* World.call(world, `/hello.Greeter/${path}`, body)
          assert.deepStrictEqual(
            [whole.status, whole.code, whole.headers["content-type"]],
            [200, "0", "application/grpc"]
          )
          assert.deepStrictEqual(
            World.texts(whole.body).map(String),
            came.map((text) => text)
          )
          const cut = Stream.fromIterable([...body].map((byte) => Uint8Array.of(byte)))
          const slow = yield* World.call(world, `/hello.Greeter/${path}`, Stream.rechunk(cut, 1))
          assert.deepStrictEqual([slow.code, World.texts(slow.body)], ["0", came])
        })
      )
    )
  }

  it.effect("serves a handler that has its answer at once, later, or from its services", () =>
    Effect.gen(function* () {
      class Prefix extends Context.Service<Prefix, string>()("Prefix") {}
      const Services = GrpcServer.layer(Greeter, {
        sayHello: ({ name }) =>
          Effect.gen(function* () {
            yield* Effect.yieldNow
            return { message: `${yield* Prefix} ${name}` }
          })
      }).pipe(Layer.provide(Layer.succeed(Prefix, "Good day")))
      const world = yield* World.make(Services)
      const answer = yield* World.call(world, say, World.text("Ada"))
      assert.deepStrictEqual([answer.code, World.texts(answer.body)], ["0", ["Good day Ada"]])
    })
  )

  it.effect("tells the client what a handler failed with, and of a defect that there was one", () =>
    Effect.gen(function* () {
      const logs = new LogRecorder()
      const failing = GrpcServer.layer(Greeter, {
        sayHello: ({ name }, call) =>
          Effect.gen(function* () {
            yield* call.addTrailers(GrpcMetadata.make({ "x-trailing": "t" }))
            if (name === "fail")
              return yield* GrpcError.notFound("no Ada", { metadata: GrpcMetadata.make({ "x-a": "b" }) })
            if (name === "die") return yield* Effect.die(new Error("secret"))
            if (name === "type") return { message: unreadable as never }
            return yield* Effect.interrupt
          }),
        streamHellos: () => {
          throw new Error("secret")
        }
      })
      const world = yield* logs.listen(World.make(failing))
      const failed = yield* World.call(world, say, World.text("fail"))
      assert.deepStrictEqual([failed.code, failed.message, failed.headers["x-a"]], ["5", "no Ada", "b"])
      assert.strictEqual(failed.headers["x-trailing"], "t")
      const died = yield* World.call(world, say, World.text("die"))
      assert.deepStrictEqual([died.code, died.message], ["2", undefined])
      const mistyped = yield* World.call(world, say, World.text("type"))
      assert.deepStrictEqual([mistyped.code, mistyped.message], ["13", "the message cannot be encoded"])
      const interrupted = yield* World.call(world, say, World.text(""))
      assert.deepStrictEqual([interrupted.code, interrupted.message], ["1", "the handler was interrupted"])
      const thrown = yield* World.call(world, "/hello.Greeter/StreamHellos", World.text(""))
      assert.deepStrictEqual([thrown.code, thrown.message], ["2", undefined])
      assert.strictEqual(logs.entries.length, 3)
    })
  )

  it.effect("sends metadata in front of the reply and behind it, and takes that of the client", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const Services = GrpcServer.layer(Greeter, {
        streamHellos: (_, call) =>
          Stream.fromEffect(
            Effect.gen(function* () {
              seen.push(call.metadata.getAll("x-in"), call.metadata.getBinary("x-in-bin"), call.authority)
              seen.push(call.previousAttempts, call.method.name, call.peer._tag)
              yield* call.addMetadata(GrpcMetadata.make({ "x-front": "1" }))
              yield* call.sendMetadata
              yield* call.addTrailers(GrpcMetadata.make({ "x-behind-bin": Uint8Array.of(1) }))
              const late = yield* Effect.exit(call.addMetadata(GrpcMetadata.make({ "x-late": "1" })))
              seen.push(late._tag)
              return { message: "a" }
            })
          )
      })
      const world = yield* World.make(Services)
      const answer = yield* World.call(world, "/hello.Greeter/StreamHellos", World.text("A"), {
        "x-in": "a",
        "x-in-bin": "AQI",
        "grpc-previous-rpc-attempts": "2"
      })
      assert.deepStrictEqual([answer.headers["x-front"], answer.trailers["x-behind-bin"]], ["1", "AQ"])
      const authority = "server.test:7"
      assert.deepStrictEqual(seen, [["a"], Uint8Array.of(1, 2), authority, 2, "StreamHellos", seen[5], "Failure"])
    })
  )

  it.effect("ends a call at its deadline, which its handler sees, and interrupts that", () =>
    MemoryWorld.leavesNothing((keep) =>
      Effect.gen(function* () {
        const seen: Array<unknown> = []
        const interrupted = yield* Deferred.make<void>()
        const Services = GrpcServer.layer(Greeter, {
          sayHello: (_, call) =>
            Effect.gen(function* () {
              seen.push(yield* call.remaining, yield* GrpcDeadline.remaining)
              return yield* Effect.never
            }).pipe(Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined)))
        })
        const world = yield* World.make(Services, { callTimeout: "2 seconds" })
        keep(world)
        for (const [sent, endsMillis] of [
          ["1S", 1_000],
          ["1H", 2_000],
          [undefined, 2_000]
        ] as const) {
          const calling = yield* Effect.forkChild(World.call(world, say, World.text("A"), { "grpc-timeout": sent }), {
            startImmediately: true
          })
          yield* TestClock.adjust(endsMillis - 1)
          assert.isUndefined(calling.pollUnsafe())
          yield* TestClock.adjust(1)
          const { code } = yield* Fiber.join(calling)
          assert.strictEqual(code, "4")
        }
        yield* Deferred.await(interrupted)
        assert.deepStrictEqual(
          seen.map((left) => (left as { readonly value: { readonly millis: number } }).value.millis),
          [1_000, 1_000, 2_000, 2_000, 2_000, 2_000]
        )
        const { code } = yield* World.call(world, say, World.text("A"), { "grpc-timeout": "0m" })
        assert.strictEqual(code, "4")
      })
    )
  )

  it.effect("interrupts the handler of a client that cancels", () =>
    MemoryWorld.leavesNothing((keep) =>
      Effect.gen(function* () {
        const began = yield* Deferred.make<void>()
        const interrupted = yield* Deferred.make<void>()
        const Services = GrpcServer.layer(Greeter, {
          chatHellos: () =>
            Stream.fromEffect(Effect.andThen(Deferred.succeed(began, undefined), Effect.never)).pipe(
              Stream.ensuring(Deferred.succeed(interrupted, undefined))
            )
        })
        const world = yield* World.make(Services)
        keep(world)
        const calling = yield* Effect.forkChild(World.call(world, "/hello.Greeter/ChatHellos", Stream.never), {
          startImmediately: true
        })
        yield* Deferred.await(began)
        yield* Fiber.interrupt(calling)
        yield* Deferred.await(interrupted)
      })
    )
  )

  it.effect("limits calls at a time and the size of messages", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const Services = GrpcServer.layer(Greeter, {
        sayHello: ({ name }) =>
          name === "wait"
            ? Effect.as(Deferred.await(gate), { message: "" })
            : Effect.succeed({ message: "x".repeat(20) })
      })
      const world = yield* World.make(Services, {
        maxConcurrentCalls: 1,
        maxReceiveMessageSize: 10,
        maxSendMessageSize: 20
      })
      const waiting = yield* Effect.forkChild(World.call(world, say, World.text("wait")), { startImmediately: true })
      yield* Effect.yieldNow
      const refused = yield* World.call(world, say, World.text("A"))
      assert.deepStrictEqual([refused.code, refused.message], ["8", "the server serves 1 calls already"])
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual((yield* Fiber.join(waiting)).code, "0")
      const large = yield* World.call(world, say, World.text("123456789"))
      assert.deepStrictEqual(
        [large.code, large.message],
        ["8", "a message of 11 bytes or more is above the limit of 10"]
      )
      const reply = yield* World.call(world, say, World.text("A"))
      assert.deepStrictEqual(
        [reply.code, reply.message],
        ["8", "a message of 22 bytes or more is above the limit of 20"]
      )
    })
  )

  it.effect("runs interceptors in reading order, the server's around those of the service", () =>
    Effect.gen(function* () {
      const steps: Array<string> = []
      const named =
        (name: string): GrpcServerInterceptor =>
        (call, handled) =>
          Effect.suspend(() => {
            steps.push(`${name} ${call.method.name}`)
            if (call.metadata.get("x-refuse") === name) return GrpcError.unauthenticated(`by ${name}`)
            return Effect.ensuring(
              handled,
              Effect.sync(() => steps.push(`/${name}`))
            )
          })
      const Services = GrpcServer.layer(
        Greeter,
        { sayHello: ({ name }) => Effect.sync(() => ({ message: `${name}${steps.push("handler")}` })) },
        { interceptors: [named("c")] }
      )
      const world = yield* World.make(Services, { interceptors: [named("a"), named("b")] })
      assert.strictEqual((yield* World.call(world, say, World.text("A"))).code, "0")
      assert.deepStrictEqual(steps, ["a SayHello", "b SayHello", "c SayHello", "handler", "/c", "/b", "/a"])
      const refused = yield* World.call(world, say, World.text("A"), { "x-refuse": "b" })
      assert.deepStrictEqual([refused.code, refused.message], ["16", "by b"])
    })
  )

  it.effect("tells observers of each call once", () =>
    Effect.gen(function* () {
      const records: Array<GrpcCallRecord> = []
      let started = 0
      const observer = Effect.succeed({
        onStart: () => void started++,
        onEnd: (record: GrpcCallRecord) => void records.push(record)
      })
      const world = yield* World.make(Greetings, { observers: [observer] })
      yield* World.call(world, say, World.text("A"))
      yield* World.call(world, "/hello.Greeter/StreamHellos", World.text("A"))
      yield* World.call(world, "/hello.Greeter/Nothing", World.text("A"))
      yield* World.call(world, say, World.text("A"), { "grpc-timeout": "soon" })
      yield* World.call(world, say, undefined)
      assert.strictEqual(started, 5)
      assert.deepStrictEqual(
        records.map(({ code, method, replyCount, requestCount }) => [method?.name, code, requestCount, replyCount]),
        [
          ["SayHello", 0, 1, 1],
          ["StreamHellos", 0, 1, 5],
          [undefined, 12, 0, 0],
          ["SayHello", 13, 0, 0],
          ["SayHello", 12, 0, 0]
        ]
      )
    })
  )

  it.effect("is mounted beside an HTTP application, which gets all other requests", () =>
    Effect.gen(function* () {
      const network = MemoryNetwork.make()
      const Routes = HttpRouter.add("GET", "/", HttpServerResponse.text("page"))
      const Main = HttpRouter.serve(Layer.mergeAll(Routes, GrpcServer.mount(Greetings)), {
        disableListenLog: true,
        disableLogger: true
      }).pipe(
        Layer.provideMerge(WebServer.layer()),
        Layer.provide(MemoryNetwork.layerListener(MemoryWorld.target)),
        Layer.provideMerge(MemoryNetwork.layerDialer),
        Layer.provide(Layer.succeed(MemoryNetwork.MemoryNetwork, network))
      )
      const context = yield* Layer.build(Main)
      const session = yield* Effect.provide(Http2Session.connect(MemoryWorld.target), context)
      const page = yield* session.request({ path: "/" })
      assert.strictEqual(yield* page.text(), "page")
      const world = { network, session, server: Context.get(context, WebServer.WebServer), stop: Effect.void }
      assert.deepStrictEqual(World.texts((yield* World.call(world, say, World.text("Ada"))).body), ["Hello Ada"])
    })
  )

  it.effect("is a service of each server that it is given to", () =>
    Effect.gen(function* () {
      const network = MemoryNetwork.make()
      const on = (port: number) =>
        GrpcServer.serve(Greetings).pipe(
          Layer.provide(Layer.fresh(WebServer.layer())),
          Layer.provide(Layer.fresh(MemoryNetwork.layerListener({ host: "server.test", port }))),
          Layer.provide(Layer.succeed(MemoryNetwork.MemoryNetwork, network))
        )
      yield* Layer.build(Layer.merge(on(7), on(8)))
      for (const port of [7, 8]) {
        const session = yield* Http2Session.connect({ host: "server.test", port }).pipe(
          Effect.provide(
            MemoryNetwork.layerDialer.pipe(Layer.provide(Layer.succeed(MemoryNetwork.MemoryNetwork, network)))
          )
        )
        const world = { network, session, server: undefined as never, stop: Effect.void }
        assert.strictEqual((yield* World.call(world, say, World.text("A"))).code, "0")
      }
    })
  )

  it.effect("answers what is no call with 404 or 415, and is told of two services of one name", () =>
    Effect.gen(function* () {
      const world = yield* World.make(Greetings)
      const posted = yield* World.call(world, say, World.text("A"), { "content-type": "text/plain" })
      assert.strictEqual(posted.status, 415)
      const asked = yield* world.session.request({ path: "/" })
      assert.strictEqual(asked.status, 404)
      const twice = yield* Effect.exit(World.make(Layer.merge(Greetings, GrpcServer.layer(Greeter, {}))))
      assert.include(String(twice._tag === "Failure" && twice.cause), "hello.Greeter already")
      const wrong = yield* Effect.exit(World.make(Greetings, { compression: ["lzma"] }))
      assert.include(String(wrong._tag === "Failure" && wrong.cause), "lzma")
    })
  )

  it.effect("drains: calls on their way finish, and who is late is told UNAVAILABLE", () =>
    MemoryWorld.leavesNothing((keep) =>
      Effect.gen(function* () {
        const gate = yield* Deferred.make<void>()
        const Services = GrpcServer.layer(Greeter, {
          sayHello: ({ name }) =>
            Effect.as(name === "short" ? Deferred.await(gate) : Effect.never, { message: "whole" })
        })
        const world = yield* World.make(Services, {}, { drainTimeout: "5 seconds" })
        keep(world)
        const start = (name: string) =>
          Effect.forkChild(World.call(world, say, World.text(name)), { startImmediately: true })
        const [short, long] = [yield* start("short"), yield* start("long")]
        yield* Effect.yieldNow
        const stopping = yield* Effect.forkChild(world.stop, { startImmediately: true })
        yield* Deferred.succeed(gate, undefined)
        assert.deepStrictEqual(World.texts((yield* Fiber.join(short)).body), ["whole"])
        yield* TestClock.adjust("5 seconds")
        const late = yield* Fiber.join(long)
        assert.deepStrictEqual([late.code, late.message], ["14", "the server is shutting down"])
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(stopping)
      })
    )
  )

  it("needs what its handlers need, also those that may be left out, but no scope", () => {
    class Db extends Context.Service<Db, { readonly row: string }>()("Db") {}
    const sayHello = () => Effect.map(Db, ({ row }) => ({ message: row }))
    type Needs<L> = L extends Layer.Layer<never, never, infer R> ? R : "no layer"
    type Same<A, B> = [A, B] extends [B, A] ? "same" : readonly [A, B]
    const optional = GrpcServer.layer(Greeter, { ...(Math.random() < 2 ? { sayHello } : {}) })
    const either = GrpcServer.layer(Greeter, {
      sayHello: () => (Math.random() < 2 ? sayHello() : Effect.succeed({ message: "" })),
      streamHellos: () => Stream.fromEffect(Effect.as(Effect.scope, { message: "" }))
    })
    const needs: readonly [
      Same<Needs<typeof optional>, Db | GrpcServer.GrpcServer>,
      Same<Needs<typeof either>, Db | GrpcServer.GrpcServer>
    ] = ["same", "same"]
    assert.deepStrictEqual(needs, ["same", "same"])
  })

  it("takes no handler that is not in the descriptor, and no reply that is not", () => {
    const message = "Hello"
    class Mine extends Error {}
    const right = GrpcServer.layer(Greeter, {
      sayHello: ({ name }) => (name === "" ? GrpcError.notFound("nobody") : Effect.succeed({ message: name })),
      streamHellos: () => Stream.make({ message }, {}, create(HelloReplySchema, { message }))
    })
    const wrong = [
      // @ts-expect-error `sayHelo` is no method
      GrpcServer.layer(Greeter, { sayHelo: () => Effect.succeed({ message }) }),
      // @ts-expect-error `SayHello` neither, beside one that is
      GrpcServer.layer(Greeter, { sayHello: () => Effect.succeed({}), SayHello: () => Effect.succeed({}) }),
      // @ts-expect-error `mesage` is no field
      GrpcServer.layer(Greeter, { sayHello: () => Effect.succeed({ mesage: message }) }),
      // @ts-expect-error `extra` neither, beside one that is
      GrpcServer.layer(Greeter, { sayHello: () => Effect.succeed({ message, extra: 1 }) }),
      // @ts-expect-error nor in one of two replies
      GrpcServer.layer(Greeter, { streamHellos: () => Stream.make({ message }, { message, extra: 1 }) }),
      // @ts-expect-error a number is no message
      GrpcServer.layer(Greeter, { sayHello: () => Effect.succeed({ message: 1 }) }),
      // @ts-expect-error one reply, where there are many
      GrpcServer.layer(Greeter, { streamHellos: () => Effect.succeed({ message }) }),
      // @ts-expect-error an error without a status
      GrpcServer.layer(Greeter, { sayHello: () => Effect.fail(new Mine()) }),
      // @ts-expect-error a promise
      GrpcServer.layer(Greeter, { sayHello: async () => ({ message }) })
    ]
    for (const layer of [right, ...wrong]) assert.isTrue(Layer.isLayer(layer))
  })
})
