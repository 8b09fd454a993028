import { assert, describe, it } from "@effect/vitest"
import * as DynamicEtag from "@sluice/core/middleware/DynamicEtag"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { serve, textOf } from "./App.ts"

const bytes = new TextEncoder()

const Routes = Layer.mergeAll(
  HttpRouter.add("GET", "/text", HttpServerResponse.text("hello", { headers: { "cache-control": "max-age=9" } })),
  HttpRouter.add("GET", "/bytes", HttpServerResponse.uint8Array(bytes.encode("hello"))),
  HttpRouter.add("GET", "/own", HttpServerResponse.text("hello", { headers: { etag: '"mine"' } })),
  HttpRouter.add("GET", "/secret", HttpServerResponse.text("hello", { headers: { "cache-control": "No-Store" } })),
  HttpRouter.add("GET", "/created", HttpServerResponse.text("hello", { status: 201 })),
  HttpRouter.add("GET", "/stream", HttpServerResponse.stream(Stream.make(bytes.encode("hello")))),
  HttpRouter.add("GET", "/long", HttpServerResponse.text("x".repeat(101))),
  HttpRouter.add("GET", "/most", HttpServerResponse.text("x".repeat(100))),
  HttpRouter.add("POST", "/text", HttpServerResponse.text("hello"))
)

const App = Layer.mergeAll(DynamicEtag.layer({ maxBody: 100 }), Routes)

describe("DynamicEtag", () => {
  it.effect("a body in memory has a tag; RFC 9110 §15.4.5: who has it gets 304, with the other fields", () =>
    Effect.gen(function* () {
      const send = yield* serve(App)
      for (const path of ["/text", "/bytes", "/most"]) {
        const first = yield* send(path)
        const etag = first.headers.get("etag")
        assert.match(etag ?? "", /^W\/"[0-9a-z]+-[0-9a-z]+"$/)
        assert.strictEqual(first.status, 200)
        const again = yield* send(path, { headers: { "if-none-match": etag ?? "" } })
        assert.strictEqual(again.status, 304)
        assert.strictEqual(yield* textOf(again), "")
        assert.strictEqual(again.headers.get("etag"), etag)
        assert.isNull(again.headers.get("content-type"))
        assert.isNull(again.headers.get("content-length"))
        assert.strictEqual(again.headers.get("cache-control"), first.headers.get("cache-control"))
      }
    })
  )

  it.effect("HEAD is answered as GET", () =>
    Effect.gen(function* () {
      const send = yield* serve(App)
      const etag = (yield* send("/text")).headers.get("etag") ?? ""
      const head = yield* send("/text", { method: "HEAD" })
      assert.strictEqual(head.headers.get("etag"), etag)
      assert.strictEqual((yield* send("/text", { method: "HEAD", headers: { "if-none-match": etag } })).status, 304)
    })
  )

  it.effect("a tag of the response's own is kept, and compared", () =>
    Effect.gen(function* () {
      const send = yield* serve(App)
      assert.strictEqual((yield* send("/own")).headers.get("etag"), '"mine"')
      const again = yield* send("/own", { headers: { "if-none-match": 'W/"mine"' } })
      assert.strictEqual(again.status, 304)
      assert.strictEqual(again.headers.get("etag"), '"mine"')
      assert.strictEqual((yield* send("/own", { headers: { "if-none-match": '"other"' } })).status, 200)
    })
  )

  it.effect("no tag for what is not stored, not 200, streamed, too long, or not read", () =>
    Effect.gen(function* () {
      const send = yield* serve(App)
      for (const path of ["/secret", "/created", "/stream", "/long", "/nowhere"]) {
        const response = yield* send(path, { headers: { "if-none-match": "*" } })
        assert.isNull(response.headers.get("etag"), path)
        assert.notStrictEqual(response.status, 304, path)
      }
      const post = yield* send("/text", { method: "POST", headers: { "if-none-match": "*" } })
      assert.isNull(post.headers.get("etag"))
      assert.strictEqual(post.status, 200)
    })
  )

  it.effect("on a single route, others have none", () =>
    Effect.gen(function* () {
      const One = HttpRouter.middleware(DynamicEtag.make())
      const send = yield* serve(
        Layer.mergeAll(
          HttpRouter.add("GET", "/one", HttpServerResponse.text("one")).pipe(Layer.provide(One.layer)),
          Routes
        )
      )
      assert.isNotNull((yield* send("/one")).headers.get("etag"))
      assert.isNull((yield* send("/text")).headers.get("etag"))
    })
  )

  it("a limit that makes no sense is a mistake", () => {
    assert.throws(() => DynamicEtag.make({ maxBody: 0 }), RangeError, /maxBody/)
  })
})

describe("DynamicEtag.matches", () => {
  const rows: ReadonlyArray<readonly [ifNoneMatch: string, etag: string, matches: boolean]> = [
    // RFC 9110 §8.8.3.2, the table's weak column.
    ['W/"1"', 'W/"1"', true],
    ['W/"1"', 'W/"2"', false],
    ['W/"1"', '"1"', true],
    ['"1"', '"1"', true],
    ['"1"', 'W/"1"', true],
    ['"0", W/"1" ,"2"', 'W/"1"', true],
    ["*", 'W/"1"', true],
    [" * ", 'W/"1"', true],
    ['"a,b"', 'W/"a,b"', true],
    ['"a", "b"', 'W/"a,b"', false],
    ["1", 'W/"1"', false],
    ["", 'W/"1"', false]
  ]
  for (const [ifNoneMatch, etag, matches] of rows) {
    it(`${ifNoneMatch} for ${etag}: ${matches}`, () => {
      assert.strictEqual(DynamicEtag.matches(ifNoneMatch, etag), matches)
    })
  }
})

describe("DynamicEtag.tagOf", () => {
  it("bodies that differ have tags that differ", () => {
    const tags = new Set<string>()
    const texts = new Set<string>([""])
    for (let index = 0; index < 20_000; index++) texts.add(`{"count":${index}}`)
    for (let unit = 0; unit < 256; unit++) {
      const letter = String.fromCharCode(unit)
      for (const text of [letter, `${letter}a`, `a${letter}`, letter.repeat(64)]) texts.add(text)
    }
    for (const text of texts) tags.add(DynamicEtag.tagOf(HttpBody.text(text)))
    assert.strictEqual(tags.size, texts.size)
  })

  it("equal bodies have equal tags, also as bytes of any array", () => {
    const body = (offset: number) => {
      const array = new Uint8Array(offset + 5)
      array.set(bytes.encode("hello"), offset)
      return HttpBody.uint8Array(array.subarray(offset))
    }
    assert.strictEqual(DynamicEtag.tagOf(body(0)), DynamicEtag.tagOf(body(3)))
    assert.strictEqual(DynamicEtag.tagOf(HttpBody.text("é€")), DynamicEtag.tagOf(HttpBody.text("é€")))
    assert.notStrictEqual(DynamicEtag.tagOf(body(0)), DynamicEtag.tagOf(HttpBody.uint8Array(bytes.encode("hellp"))))
  })
})
