import { assert, describe, it } from "@effect/vitest"
import type { TlsServerOptions } from "@sluice/core/transport/Tls"
import * as NodeTlsServer from "@sluice/node/NodeTlsServer"
import * as Redacted from "effect/Redacted"
import { identity } from "../harness/Certificates.ts"

describe("NodeTlsServer.forOptionsUnsafe", () => {
  it("is made once for the same options: a context is dear", () => {
    const options: TlsServerOptions = { certificates: identity("a") }
    assert.strictEqual(NodeTlsServer.forOptionsUnsafe(options), NodeTlsServer.forOptionsUnsafe(options))
    assert.notStrictEqual(NodeTlsServer.forOptionsUnsafe(options), NodeTlsServer.forOptionsUnsafe({ ...options }))
  })

  it("a certificate that is none is told at once", () => {
    const certificates = { certificate: "no PEM", key: Redacted.make("no PEM") }
    assert.throws(() => NodeTlsServer.forOptionsUnsafe({ certificates }))
  })
})
