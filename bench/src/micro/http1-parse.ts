/**
 * Receiving a request with the server's engine, and answering it: what wrk
 * sends (2 fields), and what a browser sends (10 fields).
 */

import { RequestHead, requestOf } from "@sluice/core/protocol/http1/Http1Head"
import { Http1HeadParser } from "@sluice/core/protocol/http1/Http1HeadParser"
import * as Http1Options from "@sluice/core/protocol/http1/Http1Options"
import { Http1Server, type ServerHandler } from "@sluice/core/protocol/http1/Http1Server"
import type { Cases } from "./Case.ts"

const small = Buffer.from("GET / HTTP/1.1\r\nHost: localhost:3000\r\nUser-Agent: wrk\r\n\r\n")
const browser = Buffer.from(
  [
    "GET /articles/42?page=2 HTTP/1.1",
    "Host: www.example.com",
    "Connection: keep-alive",
    "Upgrade-Insecure-Requests: 1",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Sec-Fetch-Site: same-origin",
    "Sec-Fetch-Mode: navigate",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-US,en;q=0.9,de;q=0.8",
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark",
    "",
    ""
  ].join("\r\n")
)
const limits = Http1Options.resolve({ epochOffsetMillis: 1_700_000_000_000 })

const parsing = (wire: Uint8Array, look: (head: RequestHead) => number): (() => number) => {
  const parser = new Http1HeadParser(limits)
  return () => {
    parser.begin("request")
    parser.receive(wire, 0)
    const head = requestOf(parser)
    return head instanceof RequestHead ? look(head) : 0
  }
}

/** A run: the bytes come, and the answer is written. */
const serving = (wire: Uint8Array): (() => number) => {
  const headers = { "content-type": "text/plain" }
  let nowMillis = 0
  const handler: ServerHandler = {
    onRequest: () => void engine.respond({ status: 200, headers }, "hello world", nowMillis),
    onBody() {},
    onEnd() {},
    onRaw() {},
    onUpgrade() {},
    onPeerEnd() {},
    onViolation() {},
    onClose() {}
  }
  const engine = new Http1Server(handler, limits, 0)
  return () => {
    nowMillis += 1
    engine.receive(wire, nowMillis)
    return engine.output.take()[0]!.length
  }
}

const pathOf = (head: RequestHead): number => head.target.length

export const cases: Cases = {
  "parse small": { operationsPerRun: 1, run: parsing(small, pathOf) },
  "parse browser": { operationsPerRun: 1, run: parsing(browser, pathOf) },
  "parse browser, all fields": {
    operationsPerRun: 1,
    run: parsing(browser, (head) => head.headers().cookie!.length)
  },
  "serve small": { operationsPerRun: 1, run: serving(small) },
  "serve browser": { operationsPerRun: 1, run: serving(browser) }
}
