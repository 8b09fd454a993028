/** Pages of Chromium that call gRPC services of another origin, by grpc-web and by Connect. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Connect from "@sluice/core/grpc/server/Connect"
import * as GrpcServer from "@sluice/core/grpc/server/GrpcServer"
import * as GrpcWeb from "@sluice/core/grpc/server/GrpcWeb"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as GrpcMetadata from "@sluice/core/protocol/grpc/GrpcMetadata"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { Page } from "playwright-core"
import * as BrowserCalls from "../harness/BrowserCalls.ts"
import { identity } from "../harness/Certificates.ts"
import { Greeter } from "../harness/protobuf/hello_pb.ts"
import * as Served from "../node/web/Served.ts"
import * as Browser from "./Browser.ts"

const html = HttpServerResponse.html("<!doctype html><title>A page</title><p>hello")

const Pages = Layer.mergeAll(
  HttpRouter.add("GET", "/", html),
  HttpRouter.add("GET", "/favicon.ico", HttpServerResponse.empty())
)

/** What a page needs to speak grpc-web: messages of one text, and the frames of an answer. */
const client = `
  const utf8 = (text) => new TextEncoder().encode(text)
  const message = (text) => {
    const bytes = utf8(text)
    return Uint8Array.of(0, 0, 0, 0, bytes.length + 2, 0x0a, bytes.length, ...bytes)
  }
  const frames = (bytes) => {
    const found = []
    for (let at = 0; at < bytes.length;) {
      const length = new DataView(bytes.buffer).getUint32(at + 1)
      found.push([bytes[at], new TextDecoder().decode(bytes.subarray(at + 5, at + 5 + length))])
      at += 5 + length
    }
    return found
  }
  const call = (method, body, headers, signal) => fetch(api + "/hello.Greeter/" + method, {
    method: "POST", body, signal, headers: { "content-type": "application/grpc-web+proto", "x-grpc-web": "1", ...headers }
  })
`

/** A page of an origin that may call, and one of another. */
const serve = Effect.gen(function* () {
  const pages = yield* Served.routes(Pages)
  const begun = yield* Deferred.make<void>()
  const interrupted = yield* Deferred.make<void>()
  const cors = { origins: [`http://localhost:${pages.port}`] }
  const Services = Layer.mergeAll(
    GrpcServer.layer(Greeter, {
      sayHello: ({ name }, call) =>
        Effect.gen(function* () {
          if (name === "nobody") return yield* GrpcError.notFound("no such ☺")
          yield* call.addMetadata(GrpcMetadata.make({ "x-head": call.metadata.get("x-tenant") ?? "" }))
          return { message: `Hello ${name}` }
        }),
      streamHellos: ({ name }) =>
        name === "forever"
          ? Stream.fromEffect(Deferred.succeed(begun, undefined)).pipe(
              Stream.flatMap(() => Stream.never),
              Stream.ensuring(Deferred.succeed(interrupted, undefined))
            )
          : Stream.range(1, 3).pipe(Stream.map((count) => ({ message: `${name} #${count}` })))
    }),
    GrpcServer.layer(BrowserCalls.Lookup, {
      find: (request: { readonly name: string }) => Effect.succeed({ message: `Found ${request.name}` })
    } as never)
  )
  const served = yield* Served.serve(
    GrpcServer.serve(Services, { compression: ["gzip"], wires: [GrpcWeb.make({ cors }), Connect.make({ cors })] }),
    { tls: { certificates: identity("a") } }
  )
  const api = `https://localhost:${served.port}`
  const browser = yield* Browser.make
  const open = (host: string) => browser.open(`http://${host}:${pages.port}/`, { ignoreHTTPSErrors: true })
  /** Runs the body of an async function in the page, which has no types here. */
  const inPage = <A>(page: Page, body: string) =>
    Effect.promise(() => page.evaluate(`(async () => { const api = "${api}"; ${client} ${body} })()`) as Promise<A>)
  return { open, inPage, begun, interrupted }
})

describe.skipIf(Browser.missing !== undefined)(
  `a page of Chromium that calls gRPC${Browser.missing === undefined ? "" : ` (skipped: ${Browser.missing})`}`,
  { timeout: 60_000 },
  () => {
    beforeAll(Browser.launch, 60_000)
    afterAll(Browser.close)

    it.live("by grpc-web: metadata, replies and the status", () =>
      Effect.gen(function* () {
        const { inPage, open } = yield* serve
        const page = yield* open("localhost")
        const one = yield* inPage(
          page,
          `const response = await call("SayHello", message("Ada"), { "x-tenant": "t", "grpc-timeout": "20S" })
           return [response.headers.get("x-head"), frames(new Uint8Array(await response.arrayBuffer()))]`
        )
        assert.deepStrictEqual(one, [
          "t",
          [
            [0, "\n\tHello Ada"],
            [0x80, "grpc-status: 0\r\n"]
          ]
        ])
        const many = yield* inPage<ReadonlyArray<readonly [number, string]>>(
          page,
          `const response = await call("StreamHellos", message("Ada"))
           return frames(new Uint8Array(await response.arrayBuffer()))`
        )
        assert.deepStrictEqual(
          many.map(([flag]) => flag),
          [0, 0, 0, 0x80]
        )
        const failed = yield* inPage(
          page,
          `const { headers, status } = await call("SayHello", message("nobody"))
           return [status, headers.get("grpc-status"), decodeURIComponent(headers.get("grpc-message"))]`
        )
        assert.deepStrictEqual(failed, [200, "5", "no such ☺"])
      })
    )

    it.live("by grpc-web in text", () =>
      Effect.gen(function* () {
        const { inPage, open } = yield* serve
        const text = yield* inPage<string>(
          yield* open("localhost"),
          `const type = "application/grpc-web-text"
           const body = btoa(String.fromCharCode(...message("Ada")))
           return (await call("SayHello", body, { "content-type": type, accept: type })).text()`
        )
        assert.deepStrictEqual(BrowserCalls.frames(BrowserCalls.fromText(Buffer.from(text))), [
          [0, "\n\tHello Ada"],
          [0x80, "grpc-status: 0\r\n"]
        ])
      })
    )

    it.live("by Connect: JSON that the browser decompresses, errors, and GET", () =>
      Effect.gen(function* () {
        const { inPage, open } = yield* serve
        const page = yield* open("localhost")
        const say = (name: string) =>
          inPage(
            page,
            `const headers = { "content-type": "application/json", "connect-protocol-version": "1", "connect-timeout-ms": "20000" }
             const body = JSON.stringify({ name: ${JSON.stringify(name)} })
             const response = await fetch(api + "/hello.Greeter/SayHello", { method: "POST", body, headers })
             return [response.status, await response.json()]`
          )
        assert.deepStrictEqual(yield* say("Ada"), [200, { message: "Hello Ada" }])
        assert.deepStrictEqual(yield* say("nobody"), [404, { code: "not_found", message: "no such ☺" }])
        const found = yield* inPage(
          page,
          `const query = new URLSearchParams({ connect: "v1", encoding: "json", message: JSON.stringify({ name: "Buf" }) })
           return (await fetch(api + "/test.Lookup/Find?" + query)).json()`
        )
        assert.deepStrictEqual(found, { message: "Found Buf" })
      })
    )

    it.live("the server knows of a page that aborts its call", () =>
      Effect.gen(function* () {
        const { begun, inPage, interrupted, open } = yield* serve
        const page = yield* open("localhost")
        yield* inPage(
          page,
          `globalThis.aborting = new AbortController()
           call("StreamHellos", message("forever"), {}, aborting.signal).catch(() => {})`
        )
        yield* Deferred.await(begun)
        yield* inPage(page, `aborting.abort()`)
        yield* Deferred.await(interrupted)
      })
    )

    it.live("but not from an origin that may not", () =>
      Effect.gen(function* () {
        const { inPage, open } = yield* serve
        const page = yield* open("127.0.0.1")
        const failed = yield* inPage(
          page,
          `const reason = (promise) => promise.then(() => "read", (error) => error.name)
           const json = { method: "POST", body: "{}", headers: { "content-type": "application/json" } }
           return Promise.all([
             reason(call("SayHello", message("Ada"))),
             reason(fetch(api + "/hello.Greeter/SayHello", json)),
             reason(fetch(api + "/test.Lookup/Find?encoding=json&message={}"))
           ])`
        )
        assert.deepStrictEqual(failed, ["TypeError", "TypeError", "TypeError"])
      })
    )
  }
)
