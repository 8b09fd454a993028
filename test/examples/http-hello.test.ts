import { assert, describe, it } from "@effect/vitest"
import * as HttpHello from "@sluice/examples/http-hello"
import * as Effect from "effect/Effect"
import * as Fetched from "./support/Fetched.ts"

/** More than any buffer on the way holds. */
const large = new Uint8Array(8 * 1024 * 1024).map((_, index) => index % 251)

describe("http-hello", () => {
  const answers: ReadonlyArray<readonly [path: string, status: number, type: RegExp | undefined, body: string]> = [
    ["/", 200, /^text\/plain/, "hello world"],
    ["/json", 200, /^application\/json/, '{"message":"hello world"}'],
    ["/users/7", 200, /^application\/json/, '{"id":"7"}'],
    ["/users/a%20b%2Fc", 200, /^application\/json/, '{"id":"a b/c"}'],
    ["/nowhere", 404, undefined, ""],
    ["/stream", 400, undefined, ""],
    ["/stream?chunks=0", 400, undefined, ""],
    ["/stream?chunks=1.5", 400, undefined, ""],
    ["/stream?chunks=many", 400, undefined, ""],
    ["/stream?chunks=1000001", 400, undefined, ""]
  ]
  for (const [path, status, type, body] of answers) {
    it.live(`GET ${path} is answered with ${status}`, () =>
      Effect.gen(function* () {
        const { ask } = yield* Fetched.serve(HttpHello.server)
        const answer = yield* ask(path)
        assert.strictEqual(answer.status, status)
        if (type !== undefined) assert.match(answer.headers.get("content-type") ?? "", type)
        assert.strictEqual(answer.text, body)
      })
    )
  }

  it.live("GET /stream is as many KiB as were asked for", () =>
    Effect.gen(function* () {
      const { ask } = yield* Fetched.serve(HttpHello.server)
      for (const chunks of [1, 5000]) {
        const answer = yield* ask(`/stream?chunks=${chunks}`)
        assert.deepStrictEqual([answer.status, answer.bytes.length], [200, chunks * 1024])
      }
    })
  )

  const echoes: ReadonlyArray<readonly [what: string, body: Uint8Array<ArrayBuffer>, type: string]> = [
    ["nothing", new Uint8Array(), "text/plain"],
    ["a little", new TextEncoder().encode("hello"), "text/plain; charset=utf-8"],
    ["8 MiB", large, "application/x-anything"]
  ]
  for (const [what, body, type] of echoes) {
    it.live(`POST /echo answers ${what} with the same bytes and content type`, () =>
      Effect.gen(function* () {
        const { ask } = yield* Fetched.serve(HttpHello.server)
        const answer = yield* ask("/echo", { method: "POST", body, headers: { "content-type": type } })
        assert.strictEqual(answer.status, 200)
        assert.strictEqual(answer.headers.get("content-type"), type)
        assert.deepStrictEqual(Buffer.from(answer.bytes), Buffer.from(body))
      })
    )
  }

  it.live("POST /echo begins its answer before it has heard all", () =>
    Effect.gen(function* () {
      const { where } = yield* Fetched.serve(HttpHello.server)
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
      const writer = writable.getWriter()
      const encode = (text: string) => new TextEncoder().encode(text)
      yield* Effect.promise(async () => {
        const asked = fetch(`http://${where}/echo`, {
          method: "POST",
          body: readable,
          duplex: "half"
        } as RequestInit)
        await writer.write(encode("first"))
        const reader = (await asked).body!.getReader()
        assert.deepStrictEqual((await reader.read()).value, encode("first"))
        await writer.write(encode("second"))
        assert.deepStrictEqual((await reader.read()).value, encode("second"))
        await writer.close()
        assert.isTrue((await reader.read()).done)
      })
    })
  )
})
