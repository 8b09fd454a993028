import { assert, describe, it } from "@effect/vitest"
import * as GrpcServer from "@sluice/core/grpc/server/GrpcServer"
import * as GrpcWeb from "@sluice/core/grpc/server/GrpcWeb"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as GrpcMetadata from "@sluice/core/protocol/grpc/GrpcMetadata"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as BrowserCalls from "../../../harness/BrowserCalls.ts"
import { FakeExchange } from "../../../harness/FakeExchange.ts"
import * as World from "../../../harness/GrpcServerWorld.ts"
import { LogRecorder } from "../../../harness/LogRecorder.ts"
import * as MemoryWorld from "../../../harness/MemoryWorld.ts"
import { Greeter } from "../../../harness/protobuf/hello_pb.ts"

const Greetings = GrpcServer.layer(Greeter, {
  sayHello: ({ name }, call) =>
    Effect.gen(function* () {
      if (name === "nobody") {
        return yield* GrpcError.notFound("no such ☺", { metadata: GrpcMetadata.make({ "x-why": "w" }) })
      }
      yield* call.addMetadata(GrpcMetadata.make({ "x-head": call.metadata.get("x-tenant") ?? "" }))
      yield* call.addTrailers(GrpcMetadata.make({ "x-tail": ["1", "2"] }))
      return { message: `Hello ${name}` }
    }),
  streamHellos: ({ name }) => Stream.range(1, 3).pipe(Stream.map((count) => ({ message: `${name} #${count}` }))),
  collectHellos: (requests) =>
    Effect.map(Stream.runCollect(requests), (all) => ({ message: all.map(({ name }) => name).join(",") }))
})

const page = "https://app.example"
const options: GrpcServer.Options = { wires: [GrpcWeb.make({ cors: { origins: [page] } })] }

/** A call in `type`; text is encoded and decoded where the types say so. */
const call = (
  world: World.World,
  version: BrowserCalls.Version,
  path: string,
  body: ReadonlyArray<Uint8Array>,
  { type = "application/grpc-web+proto", ...headers }: Readonly<Record<string, string>> = {}
) =>
  Effect.map(
    BrowserCalls.ask(world, version, {
      path: `/hello.Greeter/${path}`,
      headers: { "content-type": type, ...headers },
      chunks: body
    }),
    (answer) => {
      const isText = answer.headers["content-type"]?.includes("-text") === true
      const bytes = isText ? BrowserCalls.fromText(answer.body) : answer.body
      return { ...answer, frames: BrowserCalls.frames(bytes).map(([flag, text]) => [flag, text.replace(/^\n./, "")]) }
    }
  )

const base64 = (bytes: Uint8Array): Uint8Array => Buffer.from(Buffer.from(bytes).toString("base64"))

/** What a handler's call has ended with, or that it goes on. */
const waiting = (interrupted: Deferred.Deferred<string>, begun: Deferred.Deferred<void>) =>
  GrpcServer.layer(Greeter, {
    sayHello: () =>
      Deferred.succeed(begun, undefined).pipe(
        Effect.andThen(Effect.never),
        Effect.onInterrupt(() => Deferred.succeed(interrupted, "interrupted"))
      )
  })

for (const version of BrowserCalls.versions) {
  describe(`GrpcWeb over HTTP/${version}`, () => {
    it.effect("serves a call: metadata in the head, the status in the last frame, no trailers of HTTP", () =>
      MemoryWorld.leavesNothing((keep) =>
        Effect.gen(function* () {
          const world = yield* World.make(Greetings, options)
          keep(world)
          const answer = yield* call(world, version, "SayHello", [World.text("Ada")], { "x-tenant": "t" })
          assert.deepStrictEqual(
            [answer.status, answer.headers["content-type"], answer.headers["x-head"]],
            [200, "application/grpc-web+proto", "t"]
          )
          assert.deepStrictEqual(answer.frames, [
            [0, "Hello Ada"],
            [0x80, "x-tail: 1, 2\r\ngrpc-status: 0\r\n"]
          ])
          assert.isUndefined(answer.headers["access-control-allow-origin"])
        })
      )
    )

    const types: ReadonlyArray<readonly [sent: string, accept: string, came: string]> = [
      ["application/grpc-web", "", "application/grpc-web"],
      ["application/grpc-web+proto", "*/*", "application/grpc-web+proto"],
      ["Application/Grpc-Web+Proto; charset=utf-8", "", "application/grpc-web+proto"],
      ["application/grpc-web-text", "", "application/grpc-web-text"],
      ["application/grpc-web-text+proto", "application/grpc-web-text", "application/grpc-web-text+proto"],
      ["application/grpc-web+proto", "application/grpc-web-text", "application/grpc-web-text+proto"]
    ]
    for (const [sent, accept, came] of types) {
      it.effect(`answers ${sent} with ${came}, where ${JSON.stringify(accept)} is asked for`, () =>
        Effect.gen(function* () {
          const world = yield* World.make(Greetings, options)
          const message = World.text("Ada")
          const body = sent.includes("-text") ? base64(message) : message
          const answer = yield* call(world, version, "StreamHellos", [body], { type: sent, accept })
          assert.deepStrictEqual([answer.status, answer.headers["content-type"]], [200, came])
          assert.deepStrictEqual(answer.frames, [
            [0, "Ada #1"],
            [0, "Ada #2"],
            [0, "Ada #3"],
            [0x80, "grpc-status: 0\r\n"]
          ])
        })
      )
    }

    it.effect("reads text however it is cut, with padding between its parts", () =>
      Effect.gen(function* () {
        const world = yield* World.make(Greetings, options)
        const text = Buffer.concat([base64(World.text("Ada")), base64(World.text("B"))])
        const bytes = [...text].map((byte) => Uint8Array.of(byte))
        const answer = yield* call(world, version, "CollectHellos", bytes, { type: "application/grpc-web-text" })
        assert.deepStrictEqual(answer.frames, [
          [0, "Ada,B"],
          [0x80, "grpc-status: 0\r\n"]
        ])
      })
    )

    it.effect("has a failure without messages in the head, which the page may read", () =>
      Effect.gen(function* () {
        const world = yield* World.make(Greetings, options)
        const answer = yield* call(world, version, "SayHello", [World.text("nobody")], { origin: page })
        assert.deepStrictEqual(
          ["grpc-status", "grpc-message", "x-why", "access-control-allow-origin", "vary"].map((n) => answer.headers[n]),
          ["5", "no such %E2%98%BA", "w", page, "origin"]
        )
        assert.sameMembers(answer.headers["access-control-expose-headers"]!.split(", "), [
          "grpc-status",
          "grpc-message",
          "x-why"
        ])
        assert.strictEqual(answer.body.length, 0)
      })
    )

    const refused: ReadonlyArray<
      readonly [why: string, path: string, body: Uint8Array, headers: Readonly<Record<string, string>>, code: string]
    > = [
      ["an unknown method", "Missing", World.text("a"), {}, "12"],
      ["a method without a handler", "ChatHellos", World.text("a"), {}, "12"],
      ["base64 that is none", "SayHello", Buffer.from("AAAA!"), { type: "application/grpc-web-text" }, "13"],
      ["base64 that is cut off", "SayHello", Buffer.from("AAAAAAA"), { type: "application/grpc-web-text" }, "13"],
      ["bytes that are no message", "SayHello", World.message("ffff"), {}, "13"],
      ["a frame of trailers", "SayHello", World.message("00", 0x80), {}, "13"],
      ["a message that is cut off", "SayHello", World.text("Ada").subarray(0, 6), {}, "13"],
      ["no message", "SayHello", new Uint8Array(0), {}, "12"],
      ["a message above the limit", "SayHello", World.message(new Uint8Array(2000)), {}, "8"],
      ["a timeout that is none", "SayHello", World.text("a"), { "grpc-timeout": "soon" }, "13"],
      ["a timeout that is over", "SayHello", World.text("a"), { "grpc-timeout": "0m" }, "4"],
      ["an encoding that is not there", "SayHello", World.text("a"), { "grpc-encoding": "snappy" }, "12"]
    ]
    for (const [why, path, body, headers, code] of refused) {
      it.effect(`answers with 200 and a status: ${why}`, () =>
        Effect.gen(function* () {
          const world = yield* World.make(Greetings, { ...options, maxReceiveMessageSize: 1000 })
          const chunks = body.length === 0 ? [] : [body]
          const answer = yield* call(world, version, path, chunks, headers)
          assert.deepStrictEqual([answer.status, answer.headers["grpc-status"]], [200, code])
        })
      )
    }

    it.effect("takes and gives messages of megabytes, as bytes and as text", () =>
      Effect.gen(function* () {
        const big = "x".repeat(1_500_000)
        const world = yield* World.make(
          GrpcServer.layer(Greeter, { sayHello: ({ name }) => Effect.succeed({ message: `${name.length}${name}` }) }),
          options
        )
        // Field 1, and a length of three bytes.
        const prefix = Uint8Array.of(
          0x0a,
          (big.length & 0x7f) | 0x80,
          ((big.length >> 7) & 0x7f) | 0x80,
          big.length >> 14
        )
        const message = World.message(Buffer.concat([prefix, Buffer.from(big)]))
        for (const [type, body] of [
          ["application/grpc-web", message],
          ["application/grpc-web-text", base64(message)]
        ] as const) {
          const { frames } = yield* call(world, version, "SayHello", [body], { type })
          assert.strictEqual(frames.length, 2)
          assert.strictEqual(
            String(frames[0]![1])
              .slice(-big.length - 7)
              .slice(0, 8),
            "1500000x"
          )
          assert.deepStrictEqual(frames[1], [0x80, "grpc-status: 0\r\n"])
        }
      })
    )

    it.effect("ends a call at its deadline, and interrupts the handler", () =>
      Effect.gen(function* () {
        const [interrupted, begun] = [yield* Deferred.make<string>(), yield* Deferred.make<void>()]
        const world = yield* World.make(waiting(interrupted, begun), options)
        const fiber = yield* Effect.forkChild(
          call(world, version, "SayHello", [World.text("a")], { "grpc-timeout": "5S" })
        )
        yield* Deferred.await(begun)
        yield* TestClock.adjust("4999 millis")
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        const answer = yield* Fiber.join(fiber)
        assert.deepStrictEqual([answer.status, answer.headers["grpc-status"]], [200, "4"])
        assert.strictEqual(yield* Deferred.await(interrupted), "interrupted")
      })
    )

    it.effect("interrupts the handler of a client that is gone", () =>
      Effect.gen(function* () {
        const [interrupted, begun] = [yield* Deferred.make<string>(), yield* Deferred.make<void>()]
        const world = yield* World.make(waiting(interrupted, begun), options)
        const fiber = yield* Effect.forkChild(call(world, version, "SayHello", [World.text("a")]))
        yield* Deferred.await(begun)
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(yield* Deferred.await(interrupted), "interrupted")
      })
    )

    it.effect("answers a preflight for its methods, and for no other path", () =>
      Effect.gen(function* () {
        const world = yield* World.make(Greetings, options)
        const ask = (path: string, origin: string) =>
          BrowserCalls.ask(world, version, {
            method: "OPTIONS",
            path,
            headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "x-grpc-web" }
          })
        const allowed = yield* ask("/hello.Greeter/SayHello", page)
        assert.deepStrictEqual(
          [
            allowed.status,
            allowed.headers["access-control-allow-origin"],
            allowed.headers["access-control-allow-headers"]
          ],
          [204, page, "x-grpc-web"]
        )
        const denied = yield* ask("/hello.Greeter/SayHello", "https://evil.example")
        assert.deepStrictEqual([denied.status, denied.headers["access-control-allow-origin"]], [204, undefined])
        assert.strictEqual((yield* ask("/hello.Greeter/Missing", page)).status, 404)
      })
    )

    const statuses: ReadonlyArray<readonly [why: string, method: string, type: string, status: number]> = [
      ["another format", "POST", "application/grpc-web+json", 415],
      ["another encoding of text", "POST", "application/grpc-web-text-hex", 415],
      ["another method", "PUT", "application/grpc-web", 405],
      ["what is no grpc-web", "POST", "text/plain", 415]
    ]
    for (const [why, method, type, status] of statuses) {
      it.effect(`answers ${status} to ${why}`, () =>
        Effect.gen(function* () {
          const world = yield* World.make(Greetings, options)
          const path = "/hello.Greeter/SayHello"
          const headers = { "content-type": type }
          const answer = yield* BrowserCalls.ask(world, version, { method, path, headers, chunks: [World.text("a")] })
          assert.strictEqual(answer.status, status)
          assert.strictEqual(answer.headers.allow, status === 405 ? "POST" : undefined)
        })
      )
    }
  })
}

describe("GrpcWeb", () => {
  it.effect("ends with its status also where its metadata is more than the client takes", () =>
    Effect.gen(function* () {
      const logs = new LogRecorder()
      const large = GrpcMetadata.make({ "x-large": "x".repeat(20_000) })
      const Services = GrpcServer.layer(Greeter, {
        sayHello: ({ name }, call) =>
          Effect.gen(function* () {
            if (name === "front") yield* call.addMetadata(large)
            if (name === "behind") yield* call.addTrailers(large)
            if (name === "error") return yield* GrpcError.notFound("no", { metadata: large })
            return { message: name }
          })
      })
      const world = yield* logs.listen(World.make(Services, options))
      const codes: Array<unknown> = []
      for (const name of ["front", "error", "none"]) {
        const { frames, headers } = yield* call(world, "2", "SayHello", [World.text(name)])
        codes.push([headers["grpc-status"], frames.length])
      }
      assert.deepStrictEqual(codes, [
        ["13", 0],
        ["5", 0],
        [undefined, 2]
      ])
      // In the body there is room for it.
      const { frames } = yield* call(world, "2", "SayHello", [World.text("behind")])
      assert.strictEqual(frames[1]![1], `x-large: ${"x".repeat(20_000)}\r\ngrpc-status: 0\r\n`)
      assert.strictEqual(logs.entries.length, 0)
    })
  )

  it("leaves what is not its own", () => {
    const wire = GrpcWeb.make({ cors: { origins: "any" } })
    for (const headers of [{}, { "content-type": "application/json" }, { "content-type": "application/grpc" }]) {
      const exchange = new FakeExchange({ method: "POST", headers })
      assert.isUndefined(wire.open(exchange, BrowserCalls.find, { maxReceiveBytes: 10 }))
      assert.deepStrictEqual(exchange.sent, [])
    }
  })

  it("answers 415 itself for messages that it does not know, and 405 for other methods, so that a page can read it", () => {
    const wire = GrpcWeb.make({ cors: { origins: "any" } })
    for (const [method, type, status] of [
      ["POST", "application/grpc-web+json", 415],
      ["PUT", "application/grpc-web", 405]
    ] as const) {
      const exchange = new FakeExchange({ method, headers: { "content-type": type, origin: page } })
      assert.strictEqual(wire.open(exchange, undefined, { maxReceiveBytes: 10 }), "answered")
      const answer = BrowserCalls.answered(exchange)
      assert.deepStrictEqual([answer.status, answer.headers["access-control-allow-origin"]], [status, "*"])
    }
  })

  it("answers no preflight where no page of another origin may call", () => {
    const headers = { origin: page, "access-control-request-method": "POST" }
    const exchange = new FakeExchange({ method: "OPTIONS", headers })
    assert.isUndefined(GrpcWeb.make().open(exchange, BrowserCalls.find, { maxReceiveBytes: 10 }))
  })

  it("refuses options that make no sense", () => {
    assert.throws(() => GrpcWeb.make({ cors: { origins: ["app"] } }), RangeError)
  })
})
