/** The programs of docs for HTTP/2 do what they say, asked by `node:http2` on real ports. */
import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Http2Server from "../../docs/guide/http2-server.ts"
import { identity } from "../harness/Certificates.ts"
import { leaveNoHandles } from "../harness/NodeHandles.ts"
import * as NodeHttp2 from "../harness/NodeHttp2.ts"
import * as Served from "../node/web/Served.ts"

leaveNoHandles()

const body = new Uint8Array(300_000).map((_, index) => (index * 7) % 251)

const checksum = createHash("sha256").update(body).digest("hex")

const post = { ":method": "POST", ":path": "/echo" }

describe("http2-server", () => {
  const serve = Effect.gen(function* () {
    const { http2, Routes } = Http2Server
    const served = yield* Served.routes(Routes, { http2 })
    return { ...served, session: yield* NodeHttp2.connect(served.url) }
  })

  it.live("the right checksum behind the body: the body comes back, with the checksum behind it", () =>
    Effect.gen(function* () {
      const { session } = yield* serve
      const answer = yield* NodeHttp2.ask(session, post, { body, trailers: { "x-checksum": checksum } })
      assert.deepStrictEqual([answer.status, answer.code], [200, 0])
      assert.isTrue(answer.bytes.equals(body))
      assert.strictEqual(answer.trailers?.["x-checksum"], checksum)
    })
  )

  it.live("the wrong one: 422, without trailers", () =>
    Effect.gen(function* () {
      const { session } = yield* serve
      const answer = yield* NodeHttp2.ask(session, post, { body, trailers: { "x-checksum": "0" } })
      assert.deepStrictEqual([answer.status, answer.text, answer.code], [422, "damaged", 0])
      assert.isUndefined(answer.trailers)
    })
  )

  it.live("none: what came is told", () =>
    Effect.gen(function* () {
      const { session } = yield* serve
      const answer = yield* NodeHttp2.ask(session, post, { body })
      assert.strictEqual(answer.trailers?.["x-checksum"], checksum)
    })
  )

  it.live("its limits are what a client is told", () =>
    Effect.gen(function* () {
      const { session } = yield* serve
      const { initialWindowSize, maxConcurrentStreams } = session.remoteSettings
      assert.deepStrictEqual([maxConcurrentStreams, initialWindowSize], [32, 64 * 1024])
      // WINDOW_UPDATE comes behind the SETTINGS, in the same write.
      yield* NodeHttp2.ask(session, post, { body: "" })
      assert.strictEqual(session.state.remoteWindowSize, 256 * 1024)
    })
  )

  it.live("a client of HTTP/1.1 has the same body, and one over TLS the same trailers", () =>
    Effect.gen(function* () {
      const { ask } = yield* serve
      const older = yield* ask("/echo", { method: "POST", body })
      assert.isTrue(Buffer.from(older.bytes).equals(body))
      const { port } = yield* Served.routes(Http2Server.Routes, { tls: { certificates: identity("a") } })
      const session = yield* NodeHttp2.connect(`https://127.0.0.1:${port}`)
      assert.strictEqual(session.alpnProtocol, "h2")
      const answer = yield* NodeHttp2.ask(session, post, { body, trailers: { "x-checksum": checksum } })
      assert.strictEqual(answer.trailers?.["x-checksum"], checksum)
    })
  )
})
