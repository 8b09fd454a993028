import { create, toBinary } from "@bufbuild/protobuf"
import { assert, describe, it } from "@effect/vitest"
import * as GrpcCompression from "@sluice/core/grpc/GrpcCompression"
import * as Connect from "@sluice/core/grpc/server/Connect"
import * as GrpcServer from "@sluice/core/grpc/server/GrpcServer"
import * as GrpcEncoding from "@sluice/core/protocol/grpc/GrpcEncoding"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as GrpcErrorDetails from "@sluice/core/protocol/grpc/GrpcErrorDetails"
import * as GrpcMetadata from "@sluice/core/protocol/grpc/GrpcMetadata"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as BrowserCalls from "../../../harness/BrowserCalls.ts"
import { FakeExchange } from "../../../harness/FakeExchange.ts"
import * as World from "../../../harness/GrpcServerWorld.ts"
import { LogRecorder } from "../../../harness/LogRecorder.ts"
import * as MemoryWorld from "../../../harness/MemoryWorld.ts"
import { Greeter, HelloRequestSchema } from "../../../harness/protobuf/hello_pb.ts"

const Greetings = Layer.mergeAll(
  GrpcServer.layer(Greeter, {
    sayHello: ({ name }, call) =>
      Effect.gen(function* () {
        yield* call.addTrailers(GrpcMetadata.make({ "x-tail": "t" }))
        if (name === "die") return yield* Effect.die(new Error("secret"))
        if (name === "nobody") {
          return yield* GrpcError.notFound("no such ☺", {
            metadata: GrpcMetadata.make({ "x-why": "w" }),
            details: [GrpcErrorDetails.ErrorInfo({ reason: "R", domain: "d", metadata: {} })]
          })
        }
        yield* call.addMetadata(GrpcMetadata.make({ "x-head": call.metadata.get("x-tenant") ?? "" }))
        return { message: `Hello ${name}` }
      }),
    streamHellos: () => Stream.empty
  }),
  GrpcServer.layer(BrowserCalls.Lookup, {
    find: (request: { readonly name: string }) => Effect.succeed({ message: `Found ${request.name}` }),
    open: (request: object) => Effect.succeed(request)
  } as never)
)

const page = "https://app.example"
const options: GrpcServer.Options = { wires: [Connect.make({ cors: { origins: [page] } })] }
const json = "application/json"
const say = "/hello.Greeter/SayHello"
const proto = (name: string): Uint8Array => toBinary(HelloRequestSchema, create(HelloRequestSchema, { name }))

const post = (
  world: World.World,
  version: BrowserCalls.Version,
  path: string,
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {}
) =>
  Effect.map(
    BrowserCalls.ask(world, version, {
      path,
      headers: { "content-type": json, ...headers },
      chunks: body.length === 0 ? [] : [Buffer.from(body as string)]
    }),
    withText
  )

const get = (
  world: World.World,
  version: BrowserCalls.Version,
  path: string,
  headers?: Readonly<Record<string, string>>
) => Effect.map(BrowserCalls.ask(world, version, { method: "GET", path, ...(headers && { headers }) }), withText)

const withText = (answer: BrowserCalls.Response) => {
  const text = Buffer.from(answer.body).toString()
  const isError = answer.status !== 200 && answer.headers["content-type"] === json
  return { ...answer, text, code: isError ? JSON.parse(text).code : undefined }
}

/** Turns all bits around, in front of which stands a mark. */
const turning: GrpcEncoding.Compressor = {
  name: "turn",
  compress: (message) => Uint8Array.of(0xaa, ...message.map((byte) => byte ^ 0xff)),
  decompress: (bytes, maxOutputBytes) => {
    if (bytes[0] !== 0xaa) return { _tag: "Invalid" }
    if (bytes.length - 1 > maxOutputBytes) return { _tag: "TooLarge" }
    return { _tag: "Decompressed", bytes: bytes.subarray(1).map((byte) => byte ^ 0xff) }
  }
}

const withTurning = Effect.provideService(GrpcCompression.GrpcCompression, new GrpcEncoding.GrpcEncodings([turning]))

const waiting = (interrupted: Deferred.Deferred<string>, begun: Deferred.Deferred<void>) =>
  GrpcServer.layer(Greeter, {
    sayHello: () =>
      Deferred.succeed(begun, undefined).pipe(
        Effect.andThen(Effect.never),
        Effect.onInterrupt(() => Deferred.succeed(interrupted, "interrupted"))
      )
  })

for (const version of BrowserCalls.versions) {
  describe(`Connect over HTTP/${version}`, () => {
    it.effect("serves a call in JSON: a bare message, metadata and trailers in the head", () =>
      MemoryWorld.leavesNothing((keep) =>
        Effect.gen(function* () {
          const world = yield* World.make(Greetings, options)
          keep(world)
          const headers = { "x-tenant": "t", "connect-protocol-version": "1", "connect-timeout-ms": "5000" }
          const answer = yield* post(world, version, say, '{"name":"Ada ☺"}', headers)
          assert.deepStrictEqual([answer.status, answer.text], [200, '{"message":"Hello Ada ☺"}'])
          assert.deepStrictEqual(
            ["content-type", "x-head", "trailer-x-tail", "grpc-status", "content-encoding"].map(
              (n) => answer.headers[n]
            ),
            [json, "t", "t", undefined, undefined]
          )
        })
      )
    )

    it.effect("serves a call in protobuf, an empty message among them", () =>
      Effect.gen(function* () {
        const world = yield* World.make(Greetings, options)
        const type = { "content-type": "application/proto" }
        const answer = yield* post(world, version, say, proto("Ada"), type)
        assert.deepStrictEqual(
          [answer.status, answer.headers["content-type"], answer.text],
          [200, "application/proto", "\n\tHello Ada"]
        )
        assert.strictEqual((yield* post(world, version, say, "", type)).text, "\n\x06Hello ")
      })
    )

    it.effect("takes parameters of a type, and its name in any case", () =>
      Effect.gen(function* () {
        const world = yield* World.make(Greetings, options)
        const answer = yield* post(world, version, say, "{}", { "content-type": "Application/JSON; charset=utf-8" })
        assert.deepStrictEqual([answer.status, answer.headers["content-type"]], [200, json])
      })
    )

    it.effect("tells a failure by the status, and in JSON, whatever the call's format", () =>
      Effect.gen(function* () {
        const world = yield* World.make(Greetings, options)
        const type = { "content-type": "application/proto" }
        const answer = yield* post(world, version, say, proto("nobody"), type)
        assert.deepStrictEqual(
          [
            answer.status,
            answer.headers["content-type"],
            answer.headers["trailer-x-why"],
            answer.headers["trailer-x-tail"]
          ],
          [404, json, "w", "t"]
        )
        assert.deepStrictEqual(JSON.parse(answer.text), {
          code: "not_found",
          message: "no such ☺",
          details: [{ type: "google.rpc.ErrorInfo", value: "CgFSEgFk" }]
        })
      })
    )

    it.effect("tells nothing of a defect but that there was one", () =>
      Effect.gen(function* () {
        const logs = new LogRecorder()
        const world = yield* logs.listen(World.make(Greetings, options))
        const answer = yield* post(world, version, say, '{"name":"die"}')
        assert.deepStrictEqual([answer.status, answer.text], [500, '{"code":"unknown"}'])
        assert.strictEqual(
          logs.entries.filter(({ error }) => error instanceof Error && error.message === "secret").length,
          1
        )
      })
    )

    const refused: ReadonlyArray<
      readonly [
        why: string,
        path: string,
        body: string,
        headers: Readonly<Record<string, string>>,
        status: number,
        code?: string
      ]
    > = [
      ["JSON that is none", say, "{", {}, 400, "invalid_argument"],
      ["no JSON at all", say, "", {}, 400, "invalid_argument"],
      ["JSON of another message", say, '{"name":7}', {}, 400, "invalid_argument"],
      ["protobuf that is none", say, "\x0a\x7f", { "content-type": "application/proto" }, 400, "invalid_argument"],
      ["a message above the limit", say, `{"name":"${"x".repeat(1000)}"}`, {}, 429, "resource_exhausted"],
      ["a timeout that is none", say, "{}", { "connect-timeout-ms": "5s" }, 400, "invalid_argument"],
      ["a timeout of 11 digits", say, "{}", { "connect-timeout-ms": "10000000000" }, 400, "invalid_argument"],
      ["a timeout that is over", say, "{}", { "connect-timeout-ms": "0" }, 504, "deadline_exceeded"],
      ["another version", say, "{}", { "connect-protocol-version": "2" }, 400, "invalid_argument"],
      ["an encoding that is not there", say, "{}", { "content-encoding": "br" }, 501, "unimplemented"],
      ["a method that streams", "/hello.Greeter/StreamHellos", "{}", {}, 415],
      ["a stream", "/hello.Greeter/StreamHellos", "{}", { "content-type": "application/connect+json" }, 415],
      ["another format", say, "{}", { "content-type": "application/xml" }, 415]
    ]
    for (const [why, path, body, headers, status, code] of refused) {
      it.effect(`answers ${status}: ${why}`, () =>
        Effect.gen(function* () {
          const world = yield* World.make(Greetings, { ...options, maxReceiveMessageSize: 1000 })
          const answer = yield* post(world, version, path, body, headers)
          assert.deepStrictEqual([answer.status, answer.code], [status, code])
        })
      )
    }

    it.effect("says what a method takes, where it is asked for by another one", () =>
      Effect.gen(function* () {
        const world = yield* World.make(Greetings, options)
        const headers = { "content-type": json, origin: page }
        const put = yield* BrowserCalls.ask(world, version, {
          method: "PUT",
          path: say,
          headers,
          chunks: [Buffer.from("{}")]
        })
        assert.deepStrictEqual(
          [put.status, put.headers.allow, put.headers["access-control-allow-origin"]],
          [405, "POST", page]
        )
        const xml = yield* post(world, version, say, "{}", { "content-type": "application/xml" })
        assert.strictEqual(xml.headers["accept-post"], "application/json, application/proto")
      })
    )

    it.effect("leaves a path without a method to the application", () =>
      Effect.gen(function* () {
        const world = yield* World.make(Greetings, options)
        assert.strictEqual(
          (yield* get(world, version, "/hello.Greeter/Missing?connect=v1&encoding=json&message={}")).status,
          404
        )
        assert.strictEqual((yield* get(world, version, say)).status, 404)
      })
    )

    it.effect("wants the version, where that is required", () =>
      Effect.gen(function* () {
        const world = yield* World.make(Greetings, { wires: [Connect.make({ protocolVersion: "required" })] })
        assert.strictEqual((yield* post(world, version, say, "{}")).code, "invalid_argument")
        assert.strictEqual((yield* post(world, version, say, "{}", { "connect-protocol-version": "1" })).status, 200)
        const query = "?encoding=json&message={}"
        assert.strictEqual((yield* get(world, version, `/test.Lookup/Find${query}`)).code, "invalid_argument")
        assert.strictEqual((yield* get(world, version, `/test.Lookup/Find${query}&connect=v1`)).status, 200)
      })
    )

    const found = '{"message":"Found Buf"}'
    const queries: ReadonlyArray<readonly [why: string, query: string, status: number, text: string | undefined]> = [
      ["JSON", "message=%7B%22name%22%3A%22Buf%22%7D&encoding=json&connect=v1", 200, found],
      ["base64", `base64=1&encoding=json&message=${Buffer.from('{"name":"Buf"}').toString("base64url")}`, 200, found],
      [
        "protobuf",
        `base64=1&encoding=proto&message=${Buffer.from(proto("Buf")).toString("base64url")}`,
        200,
        "\n\tFound Buf"
      ],
      ["an empty message", "encoding=proto&message=", 200, "\n\x06Found "],
      ["no message", "encoding=json&connect=v1", 400, undefined],
      ["no encoding", "message=%7B%7D&connect=v1", 400, undefined],
      ["another encoding", "encoding=xml&message=a", 415, undefined],
      ["another version", "encoding=json&message=%7B%7D&connect=v2", 400, undefined],
      ["percent-encoding that is none", "encoding=json&message=%7", 400, undefined],
      ["base64 that is none", "encoding=json&base64=1&message=!", 400, undefined],
      ["JSON that is none", "encoding=json&message=%7B", 400, undefined],
      ["a compression that is not there", "encoding=json&message=%7B%7D&compression=br", 501, undefined],
      ["a message above the limit", `encoding=json&message=%22${"x".repeat(1000)}`, 429, undefined]
    ]
    for (const [why, query, status, text] of queries) {
      it.effect(`serves a method without side effects by GET: ${why}`, () =>
        Effect.gen(function* () {
          const world = yield* World.make(Greetings, { ...options, maxReceiveMessageSize: 1000 })
          const answer = yield* get(world, version, `/test.Lookup/Find?${query}`)
          assert.strictEqual(answer.status, status)
          if (text !== undefined) assert.strictEqual(answer.text, text)
        })
      )
    }

    it.effect("does not call a method with side effects by GET", () =>
      Effect.gen(function* () {
        const world = yield* World.make(Greetings, options)
        const answer = yield* get(world, version, `${say}?encoding=json&message={}`)
        assert.deepStrictEqual([answer.status, answer.headers.allow], [405, "POST"])
        const stream = yield* get(world, version, "/hello.Greeter/StreamHellos?encoding=json&message={}")
        assert.strictEqual(stream.status, 415)
      })
    )

    it.effect("reads and writes compressed messages, where both sides can", () =>
      Effect.gen(function* () {
        const world = yield* World.make(Greetings, { ...options, compression: ["turn"] })
        const body = turning.compress(Buffer.from('{"name":"Ada"}'))
        const plain = '{"message":"Hello Ada"}'
        const turned = Buffer.from(turning.compress(Buffer.from(plain))).toString()
        const cases: ReadonlyArray<readonly [accept: string | undefined, encoding: string | undefined, text: string]> =
          [
            // "servers must assume that the client accepts the Content-Encoding used for the request"
            [undefined, "turn", turned],
            ["gzip, turn;q=0.5", "turn", turned],
            ["gzip, turn;q=0", undefined, plain],
            ["gzip", undefined, plain]
          ]
        for (const [accept, encoding, text] of cases) {
          const accepted: Record<string, string> = accept === undefined ? {} : { "accept-encoding": accept }
          const answer = yield* post(world, version, say, body, { "content-encoding": "Turn", ...accepted })
          assert.deepStrictEqual(
            [answer.status, answer.headers["content-encoding"], answer.text],
            [200, encoding, text]
          )
        }
        const broken = yield* post(world, version, say, "{}", { "content-encoding": "turn" })
        assert.deepStrictEqual([broken.status, broken.code], [500, "internal"])
        const missing = yield* post(world, version, say, "{}", { "content-encoding": "br" })
        assert.deepStrictEqual([missing.status, missing.headers["accept-encoding"]], [501, "identity,turn"])
      }).pipe(withTurning)
    )

    it.effect("takes and gives messages of megabytes", () =>
      Effect.gen(function* () {
        const world = yield* World.make(Greetings, options)
        const name = "x".repeat(1_500_000)
        const answer = yield* post(world, version, say, JSON.stringify({ name }))
        assert.strictEqual(answer.text, JSON.stringify({ message: `Hello ${name}` }))
      })
    )

    it.effect("ends a call at its deadline, and interrupts the handler", () =>
      Effect.gen(function* () {
        const [interrupted, begun] = [yield* Deferred.make<string>(), yield* Deferred.make<void>()]
        const world = yield* World.make(waiting(interrupted, begun), options)
        const fiber = yield* Effect.forkChild(post(world, version, say, "{}", { "connect-timeout-ms": "5000" }))
        yield* Deferred.await(begun)
        yield* TestClock.adjust("4999 millis")
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        const answer = yield* Fiber.join(fiber)
        assert.deepStrictEqual([answer.status, answer.code], [504, "deadline_exceeded"])
        assert.strictEqual(yield* Deferred.await(interrupted), "interrupted")
      })
    )

    it.effect("interrupts the handler of a client that is gone", () =>
      Effect.gen(function* () {
        const [interrupted, begun] = [yield* Deferred.make<string>(), yield* Deferred.make<void>()]
        const world = yield* World.make(waiting(interrupted, begun), options)
        const fiber = yield* Effect.forkChild(post(world, version, say, "{}"))
        yield* Deferred.await(begun)
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(yield* Deferred.await(interrupted), "interrupted")
      })
    )

    it.effect("answers pages of other origins, and their preflights", () =>
      Effect.gen(function* () {
        const world = yield* World.make(Greetings, options)
        const preflight = yield* BrowserCalls.ask(world, version, {
          method: "OPTIONS",
          path: say,
          headers: { origin: page, "access-control-request-method": "POST" }
        })
        assert.deepStrictEqual([preflight.status, preflight.headers["access-control-allow-origin"]], [204, page])
        const allowed = yield* post(world, version, say, '{"name":"nobody"}', { origin: page })
        assert.deepStrictEqual(
          [
            allowed.status,
            allowed.headers["access-control-allow-origin"],
            allowed.headers["access-control-expose-headers"]
          ],
          [404, page, "trailer-x-tail, trailer-x-why"]
        )
        const denied = yield* post(world, version, say, "{}", { origin: "https://evil.example" })
        assert.deepStrictEqual([denied.status, denied.headers["access-control-allow-origin"]], [200, undefined])
      })
    )
  })
}

describe("Connect", () => {
  it("leaves what is not its own", () => {
    const wire = Connect.make({ cors: { origins: "any" } })
    const cases: ReadonlyArray<readonly [method: string, type: string | undefined, path: "find" | "unknown"]> = [
      ["POST", undefined, "find"],
      ["POST", "application/grpc", "find"],
      ["POST", "application/grpc-web+proto", "find"],
      ["PUT", "text/plain", "find"],
      ["POST", json, "unknown"],
      ["GET", undefined, "find"]
    ]
    for (const [method, type, path] of cases) {
      const exchange = new FakeExchange({ method, headers: type === undefined ? {} : { "content-type": type } })
      const found = wire.open(exchange, path === "find" ? BrowserCalls.find : undefined, { maxReceiveBytes: 10 })
      assert.isUndefined(found, `${method} ${type}`)
      assert.deepStrictEqual(exchange.sent, [])
    }
  })

  it("refuses options that make no sense", () => {
    assert.throws(() => Connect.make({ cors: { origins: ["app"] } }), RangeError)
  })
})
