import { assert, it } from "@effect/vitest"
import * as HttpMessage from "@sluice/core/protocol/http/HttpMessage"

it("RFC 9110 §15: statuses and their phrases", () => {
  assert.deepStrictEqual([200, 404, 431, 299].map(HttpMessage.reasonPhrase), [
    "OK",
    "Not Found",
    "Request Header Fields Too Large",
    ""
  ])
  assert.deepStrictEqual([99, 100, 599, 600, 200.5, Number.NaN].map(HttpMessage.isStatus), [
    false,
    true,
    true,
    false,
    false,
    false
  ])
  assert.deepStrictEqual([100, 199, 200].map(HttpMessage.isInterim), [true, true, false])
})
it("RFC 9112 §6.3: which responses have no body", () => {
  const bodiless = (method: string) =>
    [103, 200, 204, 304, 404].filter((status) => HttpMessage.isBodiless(method, status))
  assert.deepStrictEqual(bodiless("GET"), [103, 204, 304])
  assert.deepStrictEqual(bodiless("HEAD"), [103, 200, 204, 304, 404])
  assert.deepStrictEqual(bodiless("CONNECT"), [103, 200, 204, 304])
  assert.deepStrictEqual(
    [199, 200, 299, 300].map((status) => HttpMessage.isTunnel("CONNECT", status)),
    [false, true, true, false]
  )
})
it("RFC 9110 §8.6: which responses may have a length", () => {
  const may = (method: string) => [100, 200, 204, 304].filter((status) => HttpMessage.mayHaveLength(method, status))
  assert.deepStrictEqual(may("GET"), [200, 304])
  assert.deepStrictEqual(may("CONNECT"), [304])
})
it("RFC 9110 §9.2: methods", () => {
  const methods = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "POST", "PATCH", "CONNECT", "get"]
  assert.deepStrictEqual(methods.filter(HttpMessage.isIdempotent), methods.slice(0, 6))
  assert.deepStrictEqual(methods.filter(HttpMessage.anticipatesContent), ["PUT", "POST", "PATCH"])
})
