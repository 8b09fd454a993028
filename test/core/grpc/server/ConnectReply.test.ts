import { assert, describe, it } from "@effect/vitest"
import * as Connect from "@sluice/core/grpc/server/Connect"
import { ConnectReply } from "@sluice/core/grpc/server/ConnectReply"
import * as GrpcCors from "@sluice/core/grpc/server/GrpcCors"
import * as GrpcServer from "@sluice/core/grpc/server/GrpcServer"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as GrpcMetadata from "@sluice/core/protocol/grpc/GrpcMetadata"
import * as GrpcStatus from "@sluice/core/protocol/grpc/GrpcStatus"
import * as Effect from "effect/Effect"
import * as BrowserCalls from "../../../harness/BrowserCalls.ts"
import { FakeExchange } from "../../../harness/FakeExchange.ts"
import * as GrpcServerWorld from "../../../harness/GrpcServerWorld.ts"
import { LogRecorder } from "../../../harness/LogRecorder.ts"
import { Greeter } from "../../../harness/protobuf/hello_pb.ts"

const bytesOf = (parts: ReadonlyArray<Uint8Array | string>): string =>
  parts.map((part) => Buffer.from(part as Uint8Array).toString()).join("")

describe("ConnectReply", () => {
  it("is one response, when the call has ended: the bare message, and trailers in the head", () => {
    const exchange = new FakeExchange({ method: "POST" })
    const reply = new ConnectReply(exchange, "json", undefined)
    reply.begin({ "x-a": ["1", "2"], "grpc-accept-encoding": "identity,gzip" })
    reply.message(GrpcServerWorld.message("7b7d"))
    assert.deepStrictEqual(exchange.sent, [])
    reply.end({ ...GrpcStatus.okTrailers, "x-cost": "237", "x-b-bin": "AQ" })
    const { body, headers, status, trailers } = BrowserCalls.answered(exchange)
    assert.deepStrictEqual(headers, {
      "content-type": "application/json",
      "x-a": ["1", "2"],
      "accept-encoding": "identity,gzip",
      "trailer-x-cost": "237",
      "trailer-x-b-bin": "AQ"
    })
    assert.deepStrictEqual([status, bytesOf(body), trailers], [200, "{}", undefined])
  })

  it("says how a message is compressed, where it is", () => {
    for (const [flag, encoding] of [
      [0, undefined],
      [1, "gzip"]
    ] as const) {
      const exchange = new FakeExchange({ method: "POST" })
      const reply = new ConnectReply(exchange, "proto", undefined)
      reply.begin({ "grpc-encoding": "gzip" })
      reply.message(GrpcServerWorld.message("616263", flag))
      reply.end(GrpcStatus.okTrailers)
      const { body, headers } = BrowserCalls.answered(exchange)
      assert.deepStrictEqual(headers, {
        "content-type": "application/proto",
        ...(encoding === undefined ? {} : { "content-encoding": encoding })
      })
      assert.strictEqual(bytesOf(body), "abc")
    }
  })

  it("is an error in JSON, whatever the format of messages, with the metadata of both ends", () => {
    const error = GrpcError.notFound("no Ada", { metadata: GrpcMetadata.make({ "x-why": "w" }) })
    const exchange = new FakeExchange({ method: "POST" })
    const reply = new ConnectReply(exchange, "proto", undefined)
    reply.begin({ "x-a": "1", "grpc-encoding": "gzip" })
    reply.message(GrpcServerWorld.message("616263", 1))
    reply.end(GrpcError.toTrailers(error))
    assert.deepStrictEqual(BrowserCalls.answered(exchange), {
      status: 404,
      headers: { "content-type": "application/json", "x-a": "1", "trailer-x-why": "w" },
      body: ['{"code":"not_found","message":"no Ada"}'],
      trailers: undefined
    })
    const only = new FakeExchange({ method: "POST" })
    new ConnectReply(only, "json", undefined).endOnly(GrpcError.toTrailers(error))
    assert.deepStrictEqual(BrowserCalls.answered(only), {
      status: 404,
      headers: { "content-type": "application/json", "trailer-x-why": "w" },
      body: ['{"code":"not_found","message":"no Ada"}'],
      trailers: undefined
    })
  })

  it("tells caches of answers to GET what they depend on, and pages what they may read", () => {
    const cors = GrpcCors.make({ origins: ["https://app.example"] })
    const exchange = new FakeExchange({ method: "GET", headers: { origin: "https://app.example" } })
    const reply = new ConnectReply(exchange, "json", cors)
    reply.begin({ "x-a": "1" })
    reply.message(GrpcServerWorld.message("7b7d"))
    reply.end({ ...GrpcStatus.okTrailers, "x-b": "2" })
    assert.deepStrictEqual(BrowserCalls.answered(exchange).headers, {
      "content-type": "application/json",
      vary: "accept-encoding, origin",
      "x-a": "1",
      "trailer-x-b": "2",
      "access-control-allow-origin": "https://app.example",
      "access-control-expose-headers": "x-a, trailer-x-b"
    })
  })

  it("keeps what it says itself, whatever the metadata says", () => {
    const exchange = new FakeExchange({ method: "GET" })
    const reply = new ConnectReply(exchange, "json", undefined)
    reply.begin({ "content-encoding": "br", vary: "x-tenant" })
    reply.message(GrpcServerWorld.message("7b7d"))
    reply.end(GrpcStatus.okTrailers)
    assert.deepStrictEqual(BrowserCalls.answered(exchange).headers, {
      vary: "x-tenant, accept-encoding",
      "content-type": "application/json"
    })
  })

  it.effect("ends with its status also where its metadata is more than the client takes", () =>
    Effect.gen(function* () {
      const logs = new LogRecorder()
      const large = GrpcMetadata.make({ "x-large": "x".repeat(20_000) })
      const Services = GrpcServer.layer(Greeter, {
        sayHello: ({ name }, call) =>
          Effect.gen(function* () {
            if (name.startsWith("front")) yield* call.addMetadata(large)
            if (name === "behind") yield* call.addTrailers(large)
            if (name.endsWith("error")) return yield* GrpcError.notFound("no", { metadata: large })
            return { message: name }
          })
      })
      const world = yield* logs.listen(GrpcServerWorld.make(Services, { wires: [Connect.make()] }))
      const heard: Array<unknown> = []
      for (const name of ["front", "behind", "error", "front error", "none"]) {
        const answer = yield* BrowserCalls.ask(world, "2", {
          path: "/hello.Greeter/SayHello",
          headers: { "content-type": "application/json" },
          chunks: [Buffer.from(JSON.stringify({ name }))]
        })
        heard.push([answer.status, JSON.parse(Buffer.from(answer.body).toString())])
      }
      const unsent = [500, { code: "internal", message: "the metadata cannot be sent" }]
      assert.deepStrictEqual(heard, [
        unsent,
        unsent,
        [404, { code: "not_found" }],
        [404, { code: "not_found" }],
        [200, { message: "none" }]
      ])
      assert.strictEqual(logs.entries.length, 0)
    })
  )
})
