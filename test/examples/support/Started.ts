/** Servers of the examples, started on an address of their own for the length of a test. */
import * as TcpClient from "@sluice/core/client/TcpClient"
import type { Connection } from "@sluice/core/session/Connection"
import type { Dialer, Target } from "@sluice/core/transport/Dialer"
import { Listener } from "@sluice/core/transport/Listener"
import * as MemoryNetwork from "@sluice/core/transport/MemoryNetwork"
import type { TransportError } from "@sluice/core/transport/TransportError"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as NetAddress from "effect/net/NetAddress"
import * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"

export interface Started {
  readonly address: NetAddress.SocketAddress
  /** Closes the server, which drains; with the test's scope at the latest. */
  readonly close: Effect.Effect<void>
}

const startOn = Effect.fnUntraced(function* <E, R>(listener: Listener["Service"], server: Layer.Layer<never, E, R>) {
  const scope = yield* Scope.make()
  const close = Scope.close(scope, Exit.void)
  yield* Effect.addFinalizer(() => close)
  yield* Layer.buildWithScope(Layer.provide(server, Layer.succeed(Listener, listener)), scope)
  return { address: listener.address, close } satisfies Started
})

/** On a real socket: a free port of 127.0.0.1 unless `options` say otherwise. */
export const onNode = <E, R>(server: Layer.Layer<never, E, R>, options?: NodeTransport.ListenerOptions) =>
  Effect.flatMap(NodeTransport.makeListener(options ?? { host: "127.0.0.1", port: 0 }), (listener) =>
    startOn(listener, server)
  )

/** In memory. */
export const inMemory = <E, R>(server: Layer.Layer<never, E, R>, port = 4000) =>
  Effect.flatMap(
    MemoryNetwork.MemoryNetwork.use((network) => network.listen({ host: "server.test", port })),
    (listener) => startOn(listener, server)
  )

/** A small network, so that a slow reader is felt early, and its dialer. */
export const memory = MemoryNetwork.layerDialer.pipe(Layer.provideMerge(MemoryNetwork.layer({ bufferBytes: 1024 })))

/** Text as it comes, up to and including what is waited for. */
export class Talk {
  readonly connection: Connection
  private unread = ""
  private readonly decoder = new TextDecoder()

  constructor(connection: Connection) {
    this.connection = connection
  }

  /** Reads to the end, and ends this side too, as most programs do: a server need not wait for it then. */
  get bye(): Effect.Effect<void, TransportError> {
    return Effect.whileLoop({ while: () => true, body: () => this.connection.receive, step: () => {} }).pipe(
      Pull.catchDone(() => this.connection.end)
    )
  }

  readonly say = (text: string) => this.connection.send(text)

  /** The next line, without its LF. Fails with `Cause.Done` at the end of the stream. */
  get line(): Effect.Effect<string, Effect.Error<Connection["receive"]>> {
    return Effect.suspend(() => {
      const end = this.unread.indexOf("\n")
      if (end >= 0) {
        const line = this.unread.slice(0, end)
        this.unread = this.unread.slice(end + 1)
        return Effect.succeed(line)
      }
      return Effect.flatMap(this.connection.receive, (chunk) => {
        this.unread += this.decoder.decode(chunk, { stream: true })
        return this.line
      })
    })
  }

  lines(count: number): Effect.Effect<Array<string>, Effect.Error<Connection["receive"]>> {
    return Effect.forEach(Array.from({ length: count }), () => this.line)
  }
}

export const talk = (
  target: Target,
  options?: TcpClient.Options
): Effect.Effect<Talk, Effect.Error<ReturnType<typeof TcpClient.connect>>, Dialer | Scope.Scope> =>
  Effect.map(TcpClient.connect(target, options), (connection) => new Talk(connection))
