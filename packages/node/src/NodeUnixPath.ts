/**
 * The file of a Unix socket: whether it may be taken over.
 *
 * A server that was killed leaves its socket file behind, and the next one
 * cannot bind there. The file is removed only when it is a socket and nobody
 * answers behind it: never a regular file, never a server that lives.
 *
 * @internal
 * @since 0.1.0
 */

import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Path from "node:path"
import * as TransportError from "@sluice/core/transport/TransportError"
import * as Effect from "effect/Effect"
import * as NodeError from "./NodeError.ts"

/**
 * Makes way for a socket at `path`. Fails with `AddressInUse` when something
 * stands there that is not a dead socket, with `AddressUnavailable` when the
 * directory does not exist or the path is too long, and with
 * `PermissionDenied`.
 *
 * @category resource management
 */
export const clear = Effect.fnUntraced(function* (path: string) {
  const address = `unix://${path}`
  if (Buffer.byteLength(path) > mostPathBytes) {
    return yield* TransportError.make(
      new TransportError.AddressUnavailable(address, `the path is too long (at most ${mostPathBytes} bytes)`)
    )
  }
  // Linux: an abstract socket has no file.
  if (path.startsWith("\0")) return
  if (!Fs.existsSync(Path.dirname(path))) {
    return yield* TransportError.make(new TransportError.AddressUnavailable(address, "its directory does not exist"))
  }
  const stats = yield* attempt(address, () => look(path))
  if (stats === undefined) return
  if (!stats.isSocket() || (yield* answers(path))) {
    return yield* TransportError.make(new TransportError.AddressInUse(address))
  }
  const removed = yield* attempt(address, () => removeSame(path, stats))
  if (!removed) return yield* TransportError.make(new TransportError.AddressInUse(address))
})

/**
 * Sets the permissions of the socket file, such as `0o660`.
 *
 * @category resource management
 */
export const setMode = (path: string, mode: number): Effect.Effect<void, TransportError.TransportError> =>
  attempt(`unix://${path}`, () => Fs.chmodSync(path, mode))

/** Removes what was looked at; `false` when something else stands there by now: a server that was quicker. */
const removeSame = (path: string, seen: Fs.BigIntStats): boolean => {
  const stats = look(path)
  if (stats === undefined) return true
  // A file system may give the number of a file that is gone to the next one at once: its time tells them apart.
  if (stats.ino !== seen.ino || stats.dev !== seen.dev || stats.ctimeNs !== seen.ctimeNs) return false
  Fs.rmSync(path, { force: true })
  return true
}

const look = (path: string): Fs.BigIntStats | undefined => Fs.lstatSync(path, { bigint: true, throwIfNoEntry: false })

/** What the system's address of a Unix socket holds on Linux, without the zero at its end. */
const mostPathBytes = 107

const attempt = <A>(address: string, evaluate: () => A): Effect.Effect<A, TransportError.TransportError> =>
  Effect.try({ try: evaluate, catch: (error) => NodeError.fromListen(error as NodeError.NodeError, address) })

/** Whether a connect succeeds, or fails in a way that does not prove the socket dead. */
const answers = (path: string): Effect.Effect<boolean> =>
  Effect.callback<boolean>((resume) => {
    const socket = Net.connect({ path })
    socket.once("connect", () => {
      socket.destroy()
      resume(Effect.succeed(true))
    })
    socket.once("error", (error: NodeError.NodeError) => {
      resume(Effect.succeed(error.code !== "ECONNREFUSED" && error.code !== "ENOENT"))
    })
    return Effect.sync(() => socket.destroy())
  })
