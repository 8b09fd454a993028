/**
 * TLS in Node's words: secure contexts, what a handshake agreed on, and the
 * client's side of a handshake.
 *
 * @internal
 * @since 0.1.0
 */

import * as Net from "node:net"
import * as Tls from "node:tls"
import * as Limit from "@sluice/core/protocol/Limit"
import type { PeerCertificate, TlsClientOptions, TlsIdentity, TlsInfo } from "@sluice/core/transport/Tls"
import * as TransportError from "@sluice/core/transport/TransportError"
import type * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import * as NodeError from "./NodeError.ts"

/**
 * The end of a handshake: a socket that speaks TLS, paused; or why there is none.
 *
 * @category models
 */
export type Outcome =
  | { readonly _tag: "Secured"; readonly socket: Tls.TLSSocket; readonly info: TlsInfo }
  | { readonly _tag: "Failed"; readonly error: TransportError.TransportError }

/** @category constructors */
export const failed = (error: TransportError.TransportError): Outcome => ({ _tag: "Failed", error })

/** @category constructors */
export const secured = (socket: Tls.TLSSocket, serverName: string | undefined): Outcome => ({
  _tag: "Secured",
  socket,
  info: infoOf(socket, serverName)
})

/**
 * Milliseconds that a handshake may take. Throws a `RangeError` unless it is
 * above 0 and at most 24.8 days: ask before anything is opened.
 *
 * @category options
 */
export const handshakeTimeoutMillis = (options: { readonly handshakeTimeout?: Duration.Input | undefined }): number =>
  Limit.millis("handshakeTimeout", options.handshakeTimeout ?? "10 seconds")

type Authorities = TlsClientOptions["authorities"]

/**
 * An identity and authorities as `node:tls` takes them.
 *
 * @category converting
 */
export const contextOptions = (
  identity: TlsIdentity | undefined,
  authorities: Authorities,
  minVersion: "TLSv1.2" | "TLSv1.3" | undefined
): Tls.SecureContextOptions => ({
  minVersion: minVersion ?? "TLSv1.2",
  ...(authorities === undefined ? {} : { ca: pems(authorities) }),
  ...(identity === undefined
    ? {}
    : {
        cert: pem(identity.certificate),
        key: pem(Redacted.value(identity.key)),
        ...(identity.passphrase === undefined ? {} : { passphrase: Redacted.value(identity.passphrase) })
      })
})

/**
 * What of an identity OpenSSL cannot use: its certificate, its key, or the one
 * with the other. `undefined`: all of it can be used.
 *
 * @category accessors
 */
export const faultOf = (identity: TlsIdentity): "certificate" | "key" | "certificate and key" | undefined => {
  const { cert, ...key } = contextOptions(identity, undefined, undefined)
  if (!works(() => Tls.createSecureContext({ cert: cert! }))) return "certificate"
  if (!works(() => Tls.createSecureContext(key))) return "key"
  return works(() => Tls.createSecureContext({ cert: cert!, ...key })) ? undefined : "certificate and key"
}

const works = (evaluate: () => unknown): boolean => {
  try {
    evaluate()
    return true
  } catch {
    return false
  }
}

/** An error of OpenSSL's about our own certificates. @category constructors */
export const certificateInvalid = (source: string, error: unknown): TransportError.TransportError =>
  TransportError.make(
    new TransportError.CertificateInvalid(source, error instanceof Error ? error.message : String(error))
  )

/** The same about the TLS options of `owner`, naming what of their identity it is. @category constructors */
export const optionsInvalid = (
  owner: string,
  identity: TlsIdentity | undefined,
  error: unknown
): TransportError.TransportError => {
  const fault = identity === undefined ? undefined : faultOf(identity)
  return certificateInvalid(fault === undefined ? `${owner}'s TLS options` : `${owner}'s ${fault}`, error)
}

/**
 * Starts a handshake as the client on a connected socket and tells its end
 * once. What is returned gives it up. `host` is the name that is verified and
 * asked for where the options name none; an IP address is verified, and not
 * asked for (RFC 6066 §3).
 *
 * @category handshakes
 */
export const connect = (
  raw: Net.Socket,
  options: TlsClientOptions,
  host: string,
  done: (outcome: Outcome) => void
): (() => void) => {
  const name = options.serverName ?? host
  const serverName = Net.isIP(name) === 0 ? name : undefined
  let socket: Tls.TLSSocket
  try {
    socket = Tls.connect({
      socket: raw,
      secureContext: clientContext(options),
      host: name,
      rejectUnauthorized: options.verification !== "skip",
      ...(serverName === undefined ? {} : { servername: serverName }),
      ...(options.alpnProtocols === undefined ? {} : { ALPNProtocols: [...options.alpnProtocols] })
    })
  } catch (error) {
    raw.destroy()
    done(failed(optionsInvalid("the client", options.identity, error)))
    return () => {}
  }
  socket.pause()
  const settle = (outcome: Outcome) => {
    clearTimeout(timer)
    socket.off("secureConnect", onSecure).off("error", onError).off("close", onClose)
    if (outcome._tag === "Failed") {
      // What comes after the first error says nothing new.
      socket.on("error", () => {})
      socket.destroy()
    }
    done(outcome)
  }
  const limitMillis = handshakeTimeoutMillis(options)
  const onTimeout = () => settle(failed(TransportError.make(new TransportError.TlsHandshakeTimeout(limitMillis))))
  const onSecure = () => settle(secured(socket, serverName))
  const onError = (error: Error) => settle(failed(NodeError.fromHandshake(error)))
  const onClose = () =>
    settle(
      failed(TransportError.make(new TransportError.TlsHandshakeFailed("ECONNRESET", "the connection was closed")))
    )
  const timer = setTimeout(onTimeout, limitMillis)
  socket.on("secureConnect", onSecure).on("error", onError).on("close", onClose)
  return () => {
    clearTimeout(timer)
    socket.off("secureConnect", onSecure).off("error", onError).off("close", onClose)
    socket.on("error", () => {})
    socket.destroy()
    raw.destroy()
  }
}

/** A context costs a parse of its certificates: one for each options object, for as long as that lives. */
const clientContexts = new WeakMap<TlsClientOptions, Tls.SecureContext>()

const clientContext = (options: TlsClientOptions): Tls.SecureContext => {
  let context = clientContexts.get(options)
  if (context === undefined) {
    context = Tls.createSecureContext(contextOptions(options.identity, options.authorities, options.minVersion))
    clientContexts.set(options, context)
  }
  return context
}

const infoOf = (socket: Tls.TLSSocket, serverName: string | undefined): TlsInfo => ({
  protocol: socket.getProtocol() ?? "unknown",
  cipher: socket.getCipher().standardName,
  alpnProtocol: socket.alpnProtocol === false || socket.alpnProtocol === null ? undefined : socket.alpnProtocol,
  serverName,
  authorized: socket.authorized,
  peerCertificate: peerCertificateOf(socket)
})

const peerCertificateOf = (socket: Tls.TLSSocket): PeerCertificate | undefined => {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return undefined
  return {
    subject: distinguishedName(certificate.subject),
    issuer: distinguishedName(certificate.issuer),
    fingerprint256: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    serialNumber: certificate.serialNumber,
    validFromMillis: Date.parse(certificate.validFrom),
    validToMillis: Date.parse(certificate.validTo),
    subjectAltName: certificate.subjectAltName,
    raw: certificate.raw
  }
}

/** Node writes one attribute a line; an empty name is `undefined`. */
const distinguishedName = (lines: string | undefined): string => (lines ?? "").replaceAll("\n", ", ")

const pem = (value: string | Uint8Array): string | Buffer => (typeof value === "string" ? value : Buffer.from(value))

const pems = (authorities: NonNullable<Authorities>): Array<string | Buffer> =>
  typeof authorities === "string" || authorities instanceof Uint8Array ? [pem(authorities)] : authorities.map(pem)
