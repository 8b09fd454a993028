import { assert, describe, it } from "@effect/vitest"
import * as HttpResponseSource from "@sluice/core/server/HttpResponseSource"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as Stream from "effect/Stream"

const textOf = (source: HttpResponseSource.Source) =>
  source._tag === "Bytes"
    ? Effect.succeed(typeof source.bytes === "string" ? source.bytes : new TextDecoder().decode(source.bytes))
    : Stream.mkString(Stream.decodeText(source.stream))

const webStream = () => new Blob(["abc"]).stream()

const generated = async function* () {
  yield "a"
  yield new TextEncoder().encode("bc")
}

const rows: ReadonlyArray<readonly [what: string, raw: unknown, text: string]> = [
  ["nothing", undefined, ""],
  ["null", null, ""],
  ["text", "abc", "abc"],
  ["bytes", new TextEncoder().encode("abc"), "abc"],
  ["a buffer", new TextEncoder().encode("abc").buffer, "abc"],
  ["a view", new DataView(new TextEncoder().encode("xabcx").buffer, 1, 3), "abc"],
  ["a blob", new Blob(["abc"]), "abc"],
  ["parameters", new URLSearchParams({ a: "1" }), "a=1"],
  ["a web stream", webStream(), "abc"],
  ["a web response", new Response("abc"), "abc"],
  ["something that can be iterated", generated(), "abc"]
]

describe("HttpResponseSource", () => {
  for (const [what, raw, text] of rows) {
    it.effect(`makes bytes of ${what}`, () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* textOf(HttpResponseSource.make(HttpBody.raw(raw))), text)
      })
    )
  }

  it.effect("makes a form of its data, with its boundary", () =>
    Effect.gen(function* () {
      const form = new FormData()
      form.set("a", "1")
      const source = HttpResponseSource.make(HttpBody.formData(form))
      assert(source._tag === "Stream")
      assert.match(String(source.headers["content-type"]), /^multipart\/form-data; /)
      assert.include(yield* textOf(source), 'name="a"')
    })
  )

  it("takes a web response with all of its cookies", () => {
    const response = new Response("abc", { status: 201, headers: { "x-a": "1" } })
    response.headers.append("set-cookie", "a=1")
    response.headers.append("set-cookie", "b=2")
    const source = HttpResponseSource.make(HttpBody.raw(response))
    assert(source._tag === "Stream")
    assert.strictEqual(source.status, 201)
    assert.deepInclude(source.headers, { "x-a": "1", "set-cookie": ["a=1", "b=2"] })
  })

  it.effect("what is no body is a defect", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(textOf(HttpResponseSource.make(HttpBody.raw({ a: 1 }))))
      assert.isTrue(exit._tag === "Failure" && Cause.hasDies(exit.cause))
    })
  )

  it.effect("lets go of what is not sent", () =>
    Effect.gen(function* () {
      let cancelled = 0
      const stream = new ReadableStream({ cancel: () => void cancelled++ })
      yield* HttpResponseSource.cancel(HttpBody.raw(stream))
      yield* HttpResponseSource.cancel(
        HttpBody.raw(new Response(new ReadableStream({ cancel: () => void cancelled++ })))
      )
      yield* HttpResponseSource.cancel(HttpBody.raw({ destroy: () => void cancelled++ }))
      yield* HttpResponseSource.cancel(HttpBody.raw("text"))
      yield* HttpResponseSource.cancel(HttpBody.empty)
      assert.strictEqual(cancelled, 3)
    })
  )
})
