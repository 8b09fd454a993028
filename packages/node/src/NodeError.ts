/**
 * What Node says went wrong, as a reason of `TransportError`: one table from
 * error codes to reasons, read in the light of what was being done.
 *
 * @internal
 * @since 0.1.0
 */
import * as TransportError from "@sluice/core/transport/TransportError"

/**
 * An error of Node's: `code` is an errno name (`ECONNRESET`) or one of Node's
 * own codes (`ERR_SSL_…`).
 *
 * @category models
 */
export interface NodeError extends Error {
  readonly code?: string | undefined
}

/** The error's code, or its name where it has none. */
const codeOf = (error: NodeError): string => error.code ?? error.name

/**
 * Why `address` could not be listened on.
 *
 * @category constructors
 */
export const fromListen = (error: NodeError, address: string): TransportError.TransportError =>
  TransportError.make(
    (listenReasons[codeOf(error)] ?? ((address, code) => new TransportError.AddressUnavailable(address, code)))(
      address,
      codeOf(error)
    )
  )

/**
 * Why `address` could not be connected to. `host` is the name that was
 * resolved on the way.
 *
 * Where several addresses were tried, Node reports all of their errors; the
 * most telling is taken: a refusal says more than a missing route.
 *
 * @category constructors
 */
export const fromConnect = (error: NodeError, address: string, host: string): TransportError.TransportError => {
  const telling = mostTelling(error)
  const code = codeOf(telling)
  return TransportError.make(
    unresolved.has(code)
      ? new TransportError.NameNotResolved(host, code)
      : (connectReasons[code] ?? ((address, code) => new TransportError.Unreachable(address, code)))(address, code)
  )
}

/**
 * Why an open stream broke off. With TLS 1.3 a client learns only then that
 * the server refused its certificate, and nothing that it sent was looked at.
 *
 * @category constructors
 */
export const fromStream = (error: NodeError): TransportError.TransportError =>
  certificateAlert.test(codeOf(error))
    ? fromHandshake(error)
    : TransportError.make(new TransportError.ConnectionLost(codeOf(error)))

/** Why a TLS handshake failed. @category constructors */
export const fromHandshake = (error: NodeError): TransportError.TransportError =>
  TransportError.make(new TransportError.TlsHandshakeFailed(codeOf(error), error.message))

type MakeReason = (address: string, code: string) => TransportError.Reason

const denied: MakeReason = (address) => new TransportError.PermissionDenied(address)
const exhausted: MakeReason = (_address, code) => new TransportError.ResourceExhausted(code)
const refused: MakeReason = (address) => new TransportError.ConnectionRefused(address)

const sharedReasons: Readonly<Record<string, MakeReason>> = {
  EACCES: denied,
  EPERM: denied,
  EMFILE: exhausted,
  ENFILE: exhausted,
  ENOBUFS: exhausted,
  ENOMEM: exhausted
}

const listenReasons: Readonly<Record<string, MakeReason>> = {
  ...sharedReasons,
  EADDRINUSE: (address) => new TransportError.AddressInUse(address),
  EADDRNOTAVAIL: (address) => new TransportError.AddressUnavailable(address, "it is not an address of this machine"),
  ENOTFOUND: (address) => new TransportError.AddressUnavailable(address, "the host name has no address"),
  EAI_AGAIN: (address) => new TransportError.AddressUnavailable(address, "the resolver did not answer"),
  EAFNOSUPPORT: (address) => new TransportError.AddressUnavailable(address, "the address family is not supported")
}

// Everything else is `Unreachable` with its code: EHOSTUNREACH, ENETUNREACH, ETIMEDOUT, EADDRNOTAVAIL …
const connectReasons: Readonly<Record<string, MakeReason>> = {
  ...sharedReasons,
  ECONNREFUSED: refused,
  // The peer took the connection and dropped it before anything was said.
  ECONNRESET: refused,
  // A Unix socket without a file, or a file that is no socket.
  ENOENT: refused,
  ENOTSOCK: refused
}

/** Alerts about the certificate that we showed, as OpenSSL names them. */
const certificateAlert = /^ERR_SSL_.*ALERT_(.*CERTIFICATE.*|UNKNOWN_CA|ACCESS_DENIED)$/

const unresolved = new Set(["ENOTFOUND", "EAI_AGAIN", "EAI_FAIL", "EAI_NODATA", "EAI_NONAME", "ENODATA", "ESERVFAIL"])

/** From the most telling code to the least; a code that is not here comes after all of them. */
const tellingCodes = ["ECONNREFUSED", "ECONNRESET", "EACCES", "EPERM", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT"]

const mostTelling = (error: NodeError): NodeError => {
  if (!(error instanceof AggregateError)) return error
  const inner = error.errors as ReadonlyArray<NodeError>
  for (const code of tellingCodes) {
    const found = inner.find((candidate) => candidate.code === code)
    if (found !== undefined) return found
  }
  return inner[0] ?? error
}
