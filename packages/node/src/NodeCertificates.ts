/**
 * Certificates of a server, from PEM or from files that may change.
 *
 * Files are watched: a renewed certificate serves the next handshake, and open
 * connections stay as they are. A pair that cannot be used (half written, a
 * key that does not fit) is reported, and the pair before it stays.
 *
 * @since 0.1.0
 */

import { X509Certificate } from "node:crypto"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Tls from "node:tls"
import * as Limit from "@sluice/core/protocol/Limit"
import type { TlsCertificates, TlsIdentity } from "@sluice/core/transport/Tls"
import type * as TransportError from "@sluice/core/transport/TransportError"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as NodeTls from "./NodeTls.ts"

/**
 * The names a certificate is shown for.
 *
 * @category options
 */
export interface Names {
  /**
   * Server names (SNI) such as `a.test`, or `*.a.test` for one label in front.
   * Default: the names that the certificate itself is for.
   */
  readonly serverNames?: string | ReadonlyArray<string> | undefined
}

/** @category options */
export interface PemSource extends TlsIdentity, Names {}

/** @category options */
export interface FileSource extends Names {
  /** Path of the certificate chain, PEM: the leaf first, then its intermediates. */
  readonly certificate: string
  /** Path of the private key, PEM. */
  readonly key: string
  readonly passphrase?: Redacted.Redacted<string> | undefined
}

/** @category options */
export interface WatchOptions {
  /**
   * How long their directory must be quiet before files are read, above 0 and
   * at most 24.8 days; after ten times as long they are read in any case.
   * Default 200 ms.
   */
  readonly debounce?: Duration.Input | undefined
  /**
   * How often files are read when nothing was noticed (network file systems),
   * above 0 and at most 24.8 days. Default 60 seconds.
   */
  readonly pollInterval?: Duration.Input | undefined
}

/**
 * What came of a change: new certificates serve, or the old ones stay.
 *
 * @category models
 */
export type Change =
  | { readonly _tag: "Reloaded"; readonly source: string }
  | { readonly _tag: "ReloadFailed"; readonly source: string; readonly error: TransportError.TransportError }

/** @category models */
export interface FileCertificates extends TlsCertificates {
  /** Every change that was noticed from now on; a slow reader misses the oldest. */
  readonly changes: Stream.Stream<Change>
  /** Reads all files now. Fails with `CertificateInvalid`; what could be used is used all the same. */
  readonly reload: Effect.Effect<void, TransportError.TransportError>
}

/**
 * Certificates that never change. A client that asks for a name that is not
 * among them, or for none, is shown the first. Fails with `CertificateInvalid`.
 *
 * @category constructors
 */
export const fromPem = Effect.fnUntraced(function* (
  sources: PemSource | ReadonlyArray<PemSource>
): Effect.fn.Return<TlsCertificates, TransportError.TransportError> {
  const entries = yield* Effect.forEach(toArray(sources), (source, index) =>
    Effect.map(
      verify(source, `PEM ${index}`),
      (leaf): Entry => ({ serverNames: namesOf(source), identity: source, leaf })
    )
  )
  return { resolve: (serverName) => select(entries, serverName).identity }
})

/**
 * Certificates from files, watched until the scope closes. A client that asks
 * for a name that is not among them, or for none, is shown the first. Fails
 * with `CertificateInvalid`, which names the file, when any cannot be used at
 * the start. Options that make no sense are defects.
 *
 * @category constructors
 */
export const fromFiles = Effect.fnUntraced(function* (
  sources: FileSource | ReadonlyArray<FileSource>,
  options?: WatchOptions
): Effect.fn.Return<FileCertificates, TransportError.TransportError, Scope.Scope> {
  const files = toArray(sources)
  const timing: Timing = {
    debounceMillis: Limit.millis("debounce", options?.debounce ?? "200 millis"),
    pollMillis: Limit.millis("pollInterval", options?.pollInterval ?? "60 seconds")
  }
  const entries = yield* Effect.forEach(files, load)
  const changes = yield* Effect.acquireRelease(PubSub.sliding<Change>(64), PubSub.shutdown)
  const failures = files.map(() => "")
  const one = Semaphore.makeUnsafe(1)

  const refresh = Effect.fnUntraced(function* (index: number) {
    const source = files[index]!
    const result = yield* Effect.result(load(source))
    if (result._tag === "Failure") {
      // The same failure is told once, not at every look.
      if (failures[index] !== result.failure.message) {
        failures[index] = result.failure.message
        yield* Effect.logWarning(`${result.failure.message}; the certificate before it stays`)
        yield* PubSub.publish(changes, { _tag: "ReloadFailed", source: source.certificate, error: result.failure })
      }
      return yield* result.failure
    }
    failures[index] = ""
    if (isSame(entries[index]!.identity, result.success.identity)) return
    entries[index] = result.success
    yield* PubSub.publish(changes, { _tag: "Reloaded", source: source.certificate })
  })

  const reload = Effect.gen(function* () {
    const results = yield* Effect.forEach(files, (_, index) => Effect.result(refresh(index)))
    for (const result of results) if (result._tag === "Failure") return yield* result.failure
  }).pipe(one.withPermits(1))

  yield* watch(files, reload, timing)
  return {
    resolve: (serverName) => select(entries, serverName).identity,
    changes: Stream.fromPubSub(changes),
    reload
  }
})

interface Timing {
  readonly debounceMillis: number
  readonly pollMillis: number
}

interface Entry {
  readonly serverNames: ReadonlyArray<string> | undefined
  readonly identity: TlsIdentity
  readonly leaf: X509Certificate
}

const toArray = <A>(value: A | ReadonlyArray<A>): ReadonlyArray<A> => (Array.isArray(value) ? value : [value as A])

const namesOf = (source: Names): ReadonlyArray<string> | undefined =>
  source.serverNames === undefined ? undefined : toArray<string>(source.serverNames).map((name) => name.toLowerCase())

const select = (entries: ReadonlyArray<Entry>, serverName: string | undefined): Entry => {
  const first = entries[0]!
  if (serverName === undefined || entries.length === 1) return first
  const asked = serverName.toLowerCase()
  return entries.find((entry) => serves(entry, asked)) ?? first
}

const serves = (entry: Entry, asked: string): boolean => {
  if (entry.serverNames === undefined) return entry.leaf.checkHost(asked) !== undefined
  // RFC 6125 §6.4.3: a wildcard stands for the whole left-most label, and for one label only.
  const wildcard = `*${asked.slice(Math.max(0, asked.indexOf(".")))}`
  return entry.serverNames.some((name) => name === asked || name === wildcard)
}

const load = Effect.fnUntraced(function* (source: FileSource): Effect.fn.Return<Entry, TransportError.TransportError> {
  const certificate = yield* read(source.certificate)
  const key = yield* read(source.key)
  const identity: TlsIdentity = { certificate, key: Redacted.make(key), passphrase: source.passphrase }
  const leaf = yield* verify(identity, `${source.certificate}, ${source.key}`, source)
  return { serverNames: namesOf(source), identity, leaf }
})

const read = (path: string): Effect.Effect<string, TransportError.TransportError> =>
  Effect.tryPromise({
    try: () => Fs.promises.readFile(path, "utf8"),
    catch: (error) => NodeTls.certificateInvalid(path, error)
  })

/** Fails unless the key fits the certificate, and names the file at fault; answers the leaf. */
const verify = (
  identity: TlsIdentity,
  source: string,
  files?: FileSource
): Effect.Effect<X509Certificate, TransportError.TransportError> =>
  Effect.try({
    try: () => {
      Tls.createSecureContext(NodeTls.contextOptions(identity, undefined, undefined))
      return new X509Certificate(identity.certificate)
    },
    catch: (error) => {
      const fault = NodeTls.faultOf(identity)
      const part = fault === "certificate" || fault === "key" ? fault : undefined
      if (part === undefined) return NodeTls.certificateInvalid(source, error)
      return NodeTls.certificateInvalid(files === undefined ? `the ${part} of ${source}` : files[part], error)
    }
  })

const isSame = (before: TlsIdentity, after: TlsIdentity): boolean =>
  before.certificate === after.certificate && Redacted.value(before.key) === Redacted.value(after.key)

/**
 * Reloads when a file may have changed. Directories are watched, not files: a
 * watched file that is replaced by a rename, or behind a symbolic link that is
 * swapped (Kubernetes), is never heard of again.
 */
const watch = Effect.fnUntraced(function* (
  files: ReadonlyArray<FileSource>,
  reload: Effect.Effect<void, TransportError.TransportError>,
  timing: Timing
): Effect.fn.Return<void, never, Scope.Scope> {
  const noticed = yield* Queue.sliding<void>(1)
  const directories = new Set(files.flatMap((file) => [Path.dirname(file.certificate), Path.dirname(file.key)]))
  yield* Effect.acquireRelease(
    Effect.sync(() => [...directories].flatMap((directory) => watchDirectory(directory, noticed))),
    (watchers) =>
      Effect.sync(() => {
        for (const watcher of watchers) watcher.close()
      })
  )
  yield* Effect.gen(function* () {
    while (true) {
      yield* Effect.timeoutOption(Queue.take(noticed), timing.pollMillis)
      yield* quiet(noticed, timing.debounceMillis)
      yield* Effect.ignore(reload)
    }
  }).pipe(Effect.forkScoped)
})

/** A directory in which others write for ever must not keep a new certificate waiting. */
const mostRounds = 10

/** Waits until nothing was noticed for as long, or for ten times as long at most. */
const quiet = Effect.fnUntraced(function* (noticed: Queue.Queue<void>, debounceMillis: number) {
  let again = true
  for (let round = 0; again && round < mostRounds; round++) {
    again = (yield* Effect.timeoutOption(Queue.take(noticed), debounceMillis))._tag === "Some"
  }
})

/** No watcher where the system has none left or the directory is gone: polling notices all the same. */
const watchDirectory = (directory: string, noticed: Queue.Queue<void>): ReadonlyArray<Fs.FSWatcher> => {
  try {
    const watcher = Fs.watch(directory, { persistent: false }, () => Queue.offerUnsafe(noticed, undefined))
    return [watcher.on("error", () => watcher.close())]
  } catch {
    return []
  }
}
