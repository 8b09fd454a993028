/**
 * A GET through the engine of HTTP/2, from its bytes to those of its answer,
 * with a handler that answers at once.
 */
import { Http2Connection, type Http2Handler } from "@sluice/core/protocol/http2/Http2Connection"
import * as Http2Options from "@sluice/core/protocol/http2/Http2Options"
import type { Http2Stream } from "@sluice/core/protocol/http2/Http2Stream"
import type { Case, Cases } from "./Case.ts"
import * as Http2Requests from "./http2-requests.ts"

const inBurst = 32
const limits = Http2Options.resolve("server", { epochOffsetMillis: 1_700_000_000_000 })

/** A run: requests come in a chunk, and all answers are taken. */
const answering = (requests: number, fields: () => Record<string, string>): Case => {
  let nowMillis = 0
  const handler: Http2Handler = {
    onRequest: (stream: Http2Stream) => void engine.respond(stream, 200, fields(), "hello world", nowMillis),
    onInterim() {},
    onResponse() {},
    onData() {},
    onEnd() {},
    onClosed() {},
    onWritable() {},
    onPeerSettings() {},
    onGoAway() {},
    onPong() {},
    onViolation: (violation) => {
      throw new Error(`the engine refuses the requests: ${violation._tag}`)
    }
  }
  const engine = new Http2Connection("server", handler, limits, nowMillis)
  const next = Http2Requests.chunks(requests)
  const run = (bytes: Uint8Array): ReadonlyArray<Uint8Array> => {
    // Answers of a tenth of a second have the same date.
    nowMillis += 0.01
    engine.receive(bytes, nowMillis)
    engine.fill(nowMillis)
    return engine.output.take()
  }
  run(Http2Requests.opening)
  const { heads, ends } = Http2Requests.countReplies(Buffer.concat(run(next())))
  if (heads !== requests || ends !== requests) throw new Error(`${requests} requests had ${heads} heads, ${ends} ends`)
  return { operationsPerRun: requests, run: () => run(next())[0]!.length }
}

const constant = { "content-type": "text/plain" }

export const cases: Cases = {
  "constant fields": answering(inBurst, () => constant),
  "new fields": answering(inBurst, () => ({ "content-type": "text/plain" })),
  "one by one": answering(1, () => constant)
}
