/** Listeners and dialers for the tests of `packages/node`. */

import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { assert } from "@effect/vitest"
import type { Listener } from "@sluice/core/transport/Listener"
import type { Transport } from "@sluice/core/transport/Transport"
import type * as TransportError from "@sluice/core/transport/TransportError"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Effect from "effect/Effect"
import * as NetAddress from "effect/net/NetAddress"
import * as Queue from "effect/Queue"

export const local = { host: "127.0.0.1", port: 0 } as const

/** What came to a listener. */
export interface Accepted {
  readonly transports: Queue.Queue<Transport>
  readonly refusals: Queue.Queue<TransportError.TransportError>
}

export const accept = Effect.fnUntraced(function* (listener: Listener["Service"]) {
  const transports = yield* Queue.unbounded<Transport>()
  const refusals = yield* Queue.unbounded<TransportError.TransportError>()
  yield* listener.accept({
    onTransport: (transport) => Queue.offerUnsafe(transports, transport),
    onRefused: (error) => Queue.offerUnsafe(refusals, error)
  })
  return { transports, refusals } satisfies Accepted
})

/** Listens and accepts. */
export const listen = Effect.fnUntraced(function* (options: NodeTransport.ListenerOptions) {
  const listener = yield* NodeTransport.makeListener(options)
  return { listener, ...(yield* accept(listener)) }
})

/** A transport of each side; both are destroyed with the scope. */
export const pair = (options: NodeTransport.ListenerOptions, dial?: Parameters<typeof dialTo>[1]) =>
  Effect.gen(function* () {
    const { listener, transports } = yield* listen(options)
    const client = yield* dialTo(listener.address, dial)
    const server = yield* take(transports)
    return [client, server] as const
  })

/** The next transport; destroyed with the scope. */
export const take = (transports: Queue.Queue<Transport>) =>
  Effect.acquireRelease(Queue.take(transports), (transport) => Effect.sync(() => transport.destroy()))

export const dialTo = (...args: Parameters<ReturnType<typeof NodeTransport.makeDialer>["dial"]>) =>
  NodeTransport.makeDialer().dial(...args)

export const portOf = (listener: Listener["Service"]): number =>
  NetAddress.isInetAddress(listener.address) ? listener.address.port : 0

/** A bare socket, connected. */
export const rawClient = (listener: Listener["Service"]) =>
  Effect.acquireRelease(
    Effect.callback<Net.Socket>((resume) => {
      const socket = Net.connect({ host: "127.0.0.1", port: portOf(listener), allowHalfOpen: true })
      socket.on("error", () => {})
      socket.once("connect", () => resume(Effect.succeed(socket)))
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

/** Waits until the socket is closed; ends it when its peer does. */
export const closed = (socket: Net.Socket) =>
  Effect.callback<void>((resume) => {
    if (socket.closed) resume(Effect.void)
    else {
      if (socket.readableEnded) socket.end()
      else socket.once("end", () => socket.end())
      socket.resume().once("close", () => resume(Effect.void))
    }
  })

/** A directory that is removed with the scope. */
export const temporaryDirectory = Effect.acquireRelease(
  Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "sluice-"))),
  (directory) => Effect.sync(() => Fs.rmSync(directory, { recursive: true, force: true }))
)

/** The failure's reason, which must be of this kind. */
export const reasonOf = <A, R, Tag extends TransportError.Reason["_tag"]>(
  effect: Effect.Effect<A, TransportError.TransportError, R>,
  tag: Tag
) =>
  Effect.map(Effect.flip(effect), (error) => {
    assert.strictEqual(error.reason._tag, tag, error.message)
    return error.reason as Extract<TransportError.Reason, { readonly _tag: Tag }>
  })

const vectors = fileURLToPath(new URL("../vectors/tls/", import.meta.url))

/** A file of test/vectors/tls. */
export const tlsFile = (name: string): string => Path.join(vectors, name)

export const tlsText = (name: string): string => Fs.readFileSync(tlsFile(name), "utf8")
