/**
 * A connection as Effect's `Socket.Socket`: the one file that knows that
 * interface.
 *
 * Effect's sockets end with an error also when they end cleanly
 * (`SocketCloseError` 1000), because their readers reconnect by retrying. A
 * lost transport is code 1006: a peer that went away is no defect of ours.
 *
 * @internal
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import type { TlsIdentity, TlsUpgrade } from "../transport/Tls.ts"
import type { TransportError } from "../transport/TransportError.ts"
import type { Connection } from "./Connection.ts"
import type { ReceiveBuffer } from "./ReceiveBuffer.ts"

/**
 * The read side. Its scope is the reader's, not the connection's: closing it
 * fails a pull that waits, and leaves the connection to its owner.
 *
 * @category adapters
 */
export const reader = (
  connection: Connection,
  receiving: ReceiveBuffer
): Effect.Effect<Socket.Reader, never, Scope.Scope> =>
  Effect.suspend(() => {
    let released = false
    const pull = receiving.reader<readonly [Uint8Array], Socket.SocketError>((buffer) => {
      if (released) return Exit.fail(closeError(1006))
      const chunk = buffer.queue.takeChunk()
      if (chunk !== undefined) return Exit.succeed([chunk])
      if (buffer.ending === "open") return buffer.draining ? Exit.fail(closeError(1000)) : undefined
      return Exit.fail(buffer.ending === "ended" ? closeError(1000) : closeError(1006, buffer.ending.message))
    })
    const release = Effect.sync(() => {
      released = true
      receiving.wake()
    })
    return Effect.as(
      Effect.addFinalizer(() => release),
      { pull, upgrade: (options?: Socket.TlsUpgradeOptions) => upgrade(connection, options) }
    )
  })

/** The write side; its release is the half-close. @category adapters */
export const writer = (connection: Connection): Effect.Effect<Socket.Writer, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(
      (): Socket.Writer => ({
        write: (chunk) => write(connection, chunk),
        writeAll: (chunks) => writeAll(connection, chunks)
      })
    ),
    () => connection.end
  )

/** A byte stream has no close codes: a close event is the half-close. @category adapters */
export const write = (
  connection: Connection,
  chunk: Uint8Array | string | Socket.CloseEvent
): Effect.Effect<void, Socket.SocketError> =>
  Socket.isCloseEvent(chunk) ? connection.end : Effect.mapError(connection.send(chunk), writeError)

/** @category adapters */
export const writeAll = (
  connection: Connection,
  chunks: ReadonlyArray<Uint8Array | string>
): Effect.Effect<void, Socket.SocketError> => Effect.mapError(connection.sendAll(chunks), writeError)

/**
 * A transport's error as Effect's sockets say it.
 *
 * @category converting
 */
export const openError = (error: TransportError): Socket.SocketError =>
  new Socket.SocketError({
    reason: new Socket.SocketOpenError({
      kind: error.reason._tag === "ConnectTimeout" ? "Timeout" : "Unknown",
      cause: error
    })
  })

const closeError = (code: number, closeReason?: string): Socket.SocketError =>
  new Socket.SocketError({ reason: new Socket.SocketCloseError({ code, closeReason }) })

const writeError = (cause: TransportError): Socket.SocketError =>
  new Socket.SocketError({ reason: new Socket.SocketWriteError({ cause }) })

const upgradeError = (cause: unknown): Socket.SocketError =>
  new Socket.SocketError({ reason: new Socket.SocketUpgradeError({ cause }) })

const upgrade = (
  connection: Connection,
  options: Socket.TlsUpgradeOptions = {}
): Effect.Effect<void, Socket.SocketError> => {
  const identity = identityOf(options)
  if (identity === "incomplete") {
    return Effect.fail(upgradeError(new Error("a TLS identity needs both key and cert")))
  }
  const shared = {
    alpnProtocols: options.alpnProtocols,
    authorities: options.ca
  }
  const role = connection.role
  if (role === "server" && identity === undefined) {
    return Effect.fail(upgradeError(new Error("a server's TLS upgrade needs key and cert")))
  }
  const request: TlsUpgrade =
    role === "server" && identity !== undefined
      ? { role, ...shared, certificates: identity, clientCertificates: clientCertificatesOf(options) }
      : {
          role: "client",
          ...shared,
          identity,
          serverName: options.servername,
          verification: options.rejectUnauthorized === false ? "skip" : "verify"
        }
  return Effect.asVoid(Effect.mapError(connection.upgradeTls(request), upgradeError))
}

const clientCertificatesOf = (options: Socket.TlsUpgradeOptions): "none" | "request" | "require" => {
  if (options.requestCert !== true) return "none"
  return options.rejectUnauthorized === false ? "request" : "require"
}

const identityOf = (options: Socket.TlsUpgradeOptions): TlsIdentity | "incomplete" | undefined => {
  const keys = options.key === undefined ? [] : Arr.ensure(options.key)
  const certificates = options.cert === undefined ? [] : Arr.ensure(options.cert)
  if (keys.length === 0 && certificates.length === 0) return undefined
  if (keys.length === 0 || certificates.length === 0) return "incomplete"
  return {
    certificate: joinPem(certificates),
    key: Redacted.make(joinPem(keys.map(Redacted.value))),
    passphrase: options.passphrase
  }
}

const decoder = new TextDecoder()

/** PEM may be given in parts; one file of all parts means the same (RFC 7468 §2). */
const joinPem = (parts: ReadonlyArray<string | Uint8Array>): string =>
  parts.map((part) => (typeof part === "string" ? part : decoder.decode(part))).join("\n")
