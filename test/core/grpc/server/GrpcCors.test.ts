import { assert, describe, it } from "@effect/vitest"
import * as GrpcMethod from "@sluice/core/grpc/GrpcMethod"
import * as GrpcCors from "@sluice/core/grpc/server/GrpcCors"
import * as BrowserCalls from "../../../harness/BrowserCalls.ts"
import { FakeExchange } from "../../../harness/FakeExchange.ts"
import { Greeter } from "../../../harness/protobuf/hello_pb.ts"

const sayHello = GrpcMethod.of(Greeter)[0]!
const page = "https://app.example"

const preflight = (options: GrpcCors.Options, headers: Readonly<Record<string, string>>, method = sayHello) => {
  const exchange = new FakeExchange({
    method: "OPTIONS",
    headers: { "access-control-request-method": "POST", ...headers }
  })
  assert.isTrue(GrpcCors.make(options).preflight(exchange, method))
  const { headers: fields, status } = BrowserCalls.answered(exchange)
  assert.strictEqual(status, 204)
  return fields
}

const reply = (
  options: GrpcCors.Options,
  origin: string | undefined,
  fields: Readonly<Record<string, string>> = {}
) => {
  const exchange = new FakeExchange({ headers: origin === undefined ? {} : { origin } })
  const all = GrpcCors.make(options).withFields(exchange, fields)
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

describe("GrpcCors", () => {
  it("answers a preflight for a page that may call", () => {
    const asked = { origin: page, "access-control-request-headers": "content-type,x-grpc-web, x-tenant" }
    assert.deepStrictEqual(preflight({ origins: [page] }, asked), {
      vary: "origin, access-control-request-method, access-control-request-headers",
      "access-control-allow-origin": page,
      "access-control-allow-methods": "POST",
      "access-control-allow-headers": "content-type, x-grpc-web, x-tenant",
      "access-control-max-age": "7200"
    })
  })

  it("allows the headers of the protocols and those that are named, where some are", () => {
    const fields = preflight({ origins: [page], headers: ["X-Tenant"] }, { origin: page })
    assert.strictEqual(
      fields["access-control-allow-headers"],
      "content-type, x-grpc-web, x-user-agent, grpc-timeout, connect-protocol-version, connect-timeout-ms, content-encoding, x-tenant"
    )
  })

  it("sends nothing back that is no name of a header", () => {
    const asked = { origin: page, "access-control-request-headers": "x-a, x b, , x:c, x-d" }
    assert.strictEqual(preflight({ origins: "any" }, asked)["access-control-allow-headers"], "x-a, x-d")
    const none = preflight({ origins: "any" }, { origin: page, "access-control-request-headers": ";" })
    assert.isUndefined(none["access-control-allow-headers"])
  })

  it("allows GET where a method has no side effects", () => {
    const fields = preflight({ origins: "any" }, { origin: page }, BrowserCalls.find)
    assert.strictEqual(fields["access-control-allow-methods"], "POST, GET")
  })

  it("answers a page that may not call, and a request without one, without fields of CORS", () => {
    const expected = { vary: "origin, access-control-request-method, access-control-request-headers" }
    assert.deepStrictEqual(preflight({ origins: [page] }, { origin: "https://evil.example" }), expected)
    assert.deepStrictEqual(preflight({ origins: [page] }, { origin: "https://APP.example" }), expected)
    assert.deepStrictEqual(preflight({ origins: [page] }, {}), expected)
    assert.deepStrictEqual(preflight({}, { origin: page }), expected)
    assert.deepStrictEqual(preflight({ origins: [page] }, { origin: "null" }), expected)
  })

  it("leaves alone what is no preflight, and paths without a method", () => {
    const cors = GrpcCors.make({ origins: "any" })
    const asked = { "access-control-request-method": "POST", origin: page }
    for (const [method, headers, path] of [
      ["POST", asked, sayHello],
      ["OPTIONS", { origin: page }, sayHello],
      ["OPTIONS", asked, undefined]
    ] as const) {
      const exchange = new FakeExchange({ method, headers })
      assert.isFalse(cors.preflight(exchange, path))
      assert.deepStrictEqual(exchange.sent, [])
    }
  })

  it("has a page that may call read all of the head, and caches ask for each origin", () => {
    const fields = { "content-type": "a/b", "grpc-status": "0", "x-a": "1" }
    assert.deepStrictEqual(reply({ origins: [page], exposedHeaders: ["X-Request-Id"] }, page, fields), {
      ...fields,
      vary: "origin",
      "access-control-allow-origin": page,
      "access-control-expose-headers": "grpc-status, x-a, x-request-id"
    })
    assert.deepStrictEqual(reply({ origins: [page] }, "https://evil.example", fields), { ...fields, vary: "origin" })
    assert.deepStrictEqual(reply({ origins: [page] }, undefined, { vary: "accept-encoding" }), {
      vary: "accept-encoding, origin"
    })
  })

  it("says the same to any origin, so that caches need not ask", () => {
    assert.deepStrictEqual(reply({ origins: "any" }, page), { "access-control-allow-origin": "*" })
    assert.deepStrictEqual(reply({ origins: "any" }, undefined, { a: "b" }), { a: "b" })
    assert.strictEqual(preflight({ origins: "any" }, { origin: page })["access-control-allow-origin"], "*")
  })

  it("takes cookies from origins that are named", () => {
    const options: GrpcCors.Options = { origins: [page], credentials: "include" }
    assert.strictEqual(reply(options, page)["access-control-allow-credentials"], "true")
    assert.strictEqual(preflight(options, { origin: page })["access-control-allow-credentials"], "true")
    assert.isUndefined(reply(options, "https://evil.example")["access-control-allow-credentials"])
  })

  it("asks a function, which says no where it throws", () => {
    const origins = (origin: string): boolean => {
      if (origin === "https://bad.example") throw new Error("no")
      return origin.endsWith(".example")
    }
    assert.strictEqual(reply({ origins }, page)["access-control-allow-origin"], page)
    assert.isUndefined(reply({ origins }, "https://bad.example")["access-control-allow-origin"])
    assert.isUndefined(reply({ origins }, "https://app.test")["access-control-allow-origin"])
  })

  it("tells how long to remember", () => {
    assert.strictEqual(
      preflight({ origins: "any", maxAge: "90.5 seconds" }, { origin: page })["access-control-max-age"],
      "90"
    )
    assert.strictEqual(preflight({ origins: "any", maxAge: 0 }, { origin: page })["access-control-max-age"], "0")
  })

  const wrong: ReadonlyArray<readonly [why: string, options: GrpcCors.Options]> = [
    ["credentials for any origin", { origins: "any", credentials: "include" }],
    ["a slash behind the origin", { origins: ["https://app.example/"] }],
    ["no scheme", { origins: ["app.example"] }],
    ["a wildcard in place of any", { origins: ["*"] }],
    ["upper case, which browsers do not send", { origins: ["https://App.example"] }],
    ["a header that is none", { headers: ["x a"] }],
    ["an exposed header that is none", { exposedHeaders: [""] }],
    ["no end of remembering", { maxAge: "Infinity" }]
  ]
  for (const [why, options] of wrong) {
    it(`refuses options that make no sense: ${why}`, () => {
      assert.throws(() => GrpcCors.make(options), RangeError)
    })
  }
})
