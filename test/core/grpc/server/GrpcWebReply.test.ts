import { assert, describe, it } from "@effect/vitest"
import * as GrpcCors from "@sluice/core/grpc/server/GrpcCors"
import { GrpcWebReply } from "@sluice/core/grpc/server/GrpcWebReply"
import * as GrpcMetadata from "@sluice/core/protocol/grpc/GrpcMetadata"
import * as GrpcStatus from "@sluice/core/protocol/grpc/GrpcStatus"
import * as BrowserCalls from "../../../harness/BrowserCalls.ts"
import { FakeExchange } from "../../../harness/FakeExchange.ts"
import * as GrpcServerWorld from "../../../harness/GrpcServerWorld.ts"

const hello = GrpcServerWorld.message("616263")

const bytesOf = (parts: ReadonlyArray<Uint8Array | string>): Uint8Array =>
  Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array)))

describe("GrpcWebReply", () => {
  it("puts the trailers into the last frame of the body, and none into those of HTTP", () => {
    const exchange = new FakeExchange()
    const reply = new GrpcWebReply(exchange, "application/grpc-web+proto", "bytes", undefined)
    reply.begin({ "x-a": "b" })
    reply.message(hello)
    reply.message(hello)
    reply.end(GrpcStatus.okTrailers)
    const { body, headers, status, trailers } = BrowserCalls.answered(exchange)
    assert.deepStrictEqual([status, headers], [200, { "content-type": "application/grpc-web+proto", "x-a": "b" }])
    assert.deepStrictEqual(BrowserCalls.frames(bytesOf(body)), [
      [0, "abc"],
      [0, "abc"],
      [0x80, "grpc-status: 0\r\n"]
    ])
    assert.isUndefined(trailers)
  })

  it("writes each name once and in lower case, with all of its values", () => {
    const exchange = new FakeExchange()
    const reply = new GrpcWebReply(exchange, "application/grpc-web", "bytes", undefined)
    const metadata = GrpcMetadata.make({ "x-many": ["1", "2"], "x-bytes-bin": Uint8Array.of(1, 2, 3) })
    reply.begin({})
    reply.end({ ...metadata.toTrailers(), ...GrpcStatus.trailers(GrpcStatus.NotFound, "no Ada ☺"), "X-Upper": "u" })
    const { body } = BrowserCalls.answered(exchange)
    assert.deepStrictEqual(BrowserCalls.frames(bytesOf(body)), [
      [0x80, "x-many: 1, 2\r\nx-bytes-bin: AQID\r\ngrpc-status: 5\r\ngrpc-message: no Ada %E2%98%BA\r\nx-upper: u\r\n"]
    ])
  })

  it("sends text as it is flushed: base64 with padding for each frame", () => {
    const exchange = new FakeExchange()
    const reply = new GrpcWebReply(exchange, "application/grpc-web-text", "text", undefined)
    reply.begin({})
    reply.message(hello)
    reply.message(GrpcServerWorld.message("61"))
    reply.end(GrpcStatus.okTrailers)
    const { body } = BrowserCalls.answered(exchange)
    assert.strictEqual(Buffer.from(body[0] as Uint8Array).toString(), "AAAAAANhYmM=")
    for (const part of body) assert.strictEqual(part.length % 4, 0)
    assert.deepStrictEqual(BrowserCalls.frames(BrowserCalls.fromText(bytesOf(body))), [
      [0, "abc"],
      [0, "a"],
      [0x80, "grpc-status: 0\r\n"]
    ])
  })

  it("has the trailers in the head of an answer without messages", () => {
    const exchange = new FakeExchange()
    const reply = new GrpcWebReply(exchange, "application/grpc-web", "bytes", undefined)
    reply.endOnly(GrpcStatus.trailers(GrpcStatus.Unimplemented, "none"))
    assert.deepStrictEqual(BrowserCalls.answered(exchange), {
      status: 200,
      headers: { "content-type": "application/grpc-web", "grpc-status": "12", "grpc-message": "none" },
      body: [],
      trailers: undefined
    })
  })

  it("lets a page of another origin read what is in the head", () => {
    const cors = GrpcCors.make({ origins: ["https://app.example"] })
    const exchange = new FakeExchange({ headers: { origin: "https://app.example" } })
    new GrpcWebReply(exchange, "application/grpc-web", "bytes", cors).endOnly({ "grpc-status": "5", "x-a": "b" })
    const { headers } = BrowserCalls.answered(exchange)
    assert.strictEqual(headers["access-control-allow-origin"], "https://app.example")
    assert.strictEqual(headers["access-control-expose-headers"], "grpc-status, x-a")
  })
})
