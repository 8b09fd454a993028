/**
 * Writing a small response: its fields checked each time, or prepared once.
 * The engine answers a request that stays the same.
 */
import { Output } from "@sluice/core/protocol/Engine"
import * as Http1HeadWriter from "@sluice/core/protocol/http1/Http1HeadWriter"
import * as Http1Options from "@sluice/core/protocol/http1/Http1Options"
import { Http1Server, type ServerHandler } from "@sluice/core/protocol/http1/Http1Server"
import type { Cases } from "./Case.ts"

const request = Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(64))
const operationsPerRun = 64

/** A run: 64 requests come at once, and each is answered at once; less what they cost unanswered (`http1-parse`). */
const answering = (headers: Record<string, string> | Http1HeadWriter.PreparedFields): (() => number) => {
  let nowMillis = 0
  const parts = { status: 200, headers }
  const handler: ServerHandler = {
    onRequest: () => void engine.respond(parts, "hello world", nowMillis),
    onBody() {},
    onEnd() {},
    onRaw() {},
    onUpgrade() {},
    onPeerEnd() {},
    onViolation() {},
    onClose() {}
  }
  const engine = new Http1Server(handler, Http1Options.resolve({ epochOffsetMillis: 1_700_000_000_000 }), 0)
  return () => {
    nowMillis += 1
    engine.receive(request, nowMillis)
    return engine.output.take().length
  }
}

const headers = { "content-type": "text/plain; charset=utf-8" }
const prepared = Http1HeadWriter.prepare(headers)
const output = new Output()

/** The floor: the same bytes, made from one template, without a look at them. */
const byHand = (): number => {
  const date = dates[++turn % dates.length]!
  for (let index = 0; index < operationsPerRun; index++) {
    const head = `HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 11\r\ndate: ${date}\r\n\r\n`
    output.write(Buffer.from(`${head}hello world`, "latin1"))
  }
  return output.take().length
}
const dates = Array.from({ length: 100 }, (_, second) => new Date(second * 1000).toUTCString())
let turn = 0

export const cases: Cases = {
  checked: { operationsPerRun, run: answering(headers) },
  prepared: {
    operationsPerRun,
    run: answering(prepared instanceof Http1HeadWriter.PreparedFields ? prepared : headers)
  },
  "by hand": { operationsPerRun, run: byHand }
}
