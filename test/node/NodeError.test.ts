import { assert, describe, it } from "@effect/vitest"
import type { TransportError } from "@sluice/core/transport/TransportError"
import * as NodeError from "@sluice/node/NodeError"

const errno = (code: string): NodeError.NodeError => Object.assign(new Error(`it failed: ${code}`), { code })

const messageOf = (error: TransportError): string => `${error.reason._tag}: ${error.message}`

describe("listening", () => {
  const cases: ReadonlyArray<readonly [code: string, message: string]> = [
    ["EADDRINUSE", "AddressInUse: host:1 is in use by another listener"],
    ["EADDRNOTAVAIL", "AddressUnavailable: host:1 cannot be used: it is not an address of this machine"],
    ["ENOTFOUND", "AddressUnavailable: host:1 cannot be used: the host name has no address"],
    ["EACCES", "PermissionDenied: no permission to use host:1"],
    ["EPERM", "PermissionDenied: no permission to use host:1"],
    ["EMFILE", "ResourceExhausted: the system is out of resources (EMFILE)"],
    ["ENFILE", "ResourceExhausted: the system is out of resources (ENFILE)"],
    ["ENOBUFS", "ResourceExhausted: the system is out of resources (ENOBUFS)"],
    ["ENOMEM", "ResourceExhausted: the system is out of resources (ENOMEM)"],
    ["EWHATEVER", "AddressUnavailable: host:1 cannot be used: EWHATEVER"]
  ]
  for (const [code, message] of cases) {
    it(code, () => assert.strictEqual(messageOf(NodeError.fromListen(errno(code), "host:1")), message))
  }
})

describe("connecting", () => {
  const cases: ReadonlyArray<readonly [code: string, message: string]> = [
    ["ECONNREFUSED", "ConnectionRefused: host:1 refused the connection"],
    ["ENOENT", "ConnectionRefused: host:1 refused the connection"],
    ["EHOSTUNREACH", "Unreachable: host:1 cannot be reached (EHOSTUNREACH)"],
    ["ENETUNREACH", "Unreachable: host:1 cannot be reached (ENETUNREACH)"],
    ["ETIMEDOUT", "Unreachable: host:1 cannot be reached (ETIMEDOUT)"],
    ["ENOTFOUND", "NameNotResolved: no address for host (ENOTFOUND)"],
    ["EAI_AGAIN", "NameNotResolved: no address for host (EAI_AGAIN)"],
    ["EMFILE", "ResourceExhausted: the system is out of resources (EMFILE)"],
    ["EACCES", "PermissionDenied: no permission to use host:1"],
    ["EWHATEVER", "Unreachable: host:1 cannot be reached (EWHATEVER)"]
  ]
  for (const [code, message] of cases) {
    it(code, () => assert.strictEqual(messageOf(NodeError.fromConnect(errno(code), "host:1", "host")), message))
  }

  it("of several addresses, the most telling error", () => {
    const several = (...codes: ReadonlyArray<string>) => new AggregateError(codes.map(errno))
    const tagOf = (error: Error) => NodeError.fromConnect(error, "host:1", "host").message
    assert.strictEqual(tagOf(several("ENETUNREACH", "ECONNREFUSED")), "host:1 refused the connection")
    assert.strictEqual(tagOf(several("ETIMEDOUT", "EHOSTUNREACH")), "host:1 cannot be reached (EHOSTUNREACH)")
    assert.strictEqual(tagOf(several("EWHATEVER")), "host:1 cannot be reached (EWHATEVER)")
  })
})

describe("an open stream", () => {
  for (const code of ["ECONNRESET", "EPIPE", "ECONNABORTED", "ETIMEDOUT", "ERR_SSL_BAD_RECORD_TYPE"]) {
    it(code, () => {
      assert.strictEqual(messageOf(NodeError.fromStream(errno(code))), `ConnectionLost: connection lost (${code})`)
    })
  }

  for (const code of ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA"]) {
    it(`${code}: a late end of the handshake`, () => {
      assert.deepInclude(NodeError.fromStream(errno(code)).reason, {
        _tag: "TlsHandshakeFailed",
        code,
        retry: "NotSent"
      })
    })
  }
})
