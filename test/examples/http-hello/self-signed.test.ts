import * as Crypto from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import * as SelfSigned from "@sluice/examples/http-hello/self-signed"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { local, pair } from "../../harness/NodeNet.ts"

describe("SelfSigned", () => {
  const identity = SelfSigned.make()
  const certificate = new Crypto.X509Certificate(identity.certificate)

  it("is signed with its own key", () => {
    assert.isTrue(certificate.verify(certificate.publicKey))
    assert.isTrue(certificate.checkPrivateKey(Crypto.createPrivateKey(Redacted.value(identity.key) as string)))
  })

  it("is valid now, and for a month", () => {
    const day = 86_400_000
    assert.isBelow(certificate.validFromDate.getTime(), Date.now())
    assert.approximately(certificate.validToDate.getTime(), Date.now() + 30 * day, day)
  })

  it("is for this machine, and no other", () => {
    assert.strictEqual(certificate.checkHost("localhost"), "localhost")
    assert.strictEqual(certificate.checkIP("127.0.0.1"), "127.0.0.1")
    assert.strictEqual(certificate.checkIP("::1"), "::1")
    assert.isUndefined(certificate.checkHost("example.test"))
  })

  it("is another one each time", () => {
    assert.notStrictEqual(
      new Crypto.X509Certificate(SelfSigned.make().certificate).serialNumber,
      certificate.serialNumber
    )
  })

  it.live("a client that trusts it speaks TLS with it", () =>
    Effect.gen(function* () {
      const [client] = yield* pair(
        { ...local, tls: { certificates: identity } },
        { tls: { serverName: "localhost", authorities: identity.certificate } }
      )
      assert.strictEqual(client.tls?.authorized, true)
    }).pipe(Effect.provide(NodeTransport.layerDialer()))
  )
})
