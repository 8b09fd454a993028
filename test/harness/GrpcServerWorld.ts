/** A gRPC server on a network in memory, and a client of HTTP/2 that sends its bytes by hand. */
import type * as Http2Session from "@sluice/core/client/Http2Session"
import * as Session from "@sluice/core/client/Http2Session"
import * as GrpcServer from "@sluice/core/grpc/server/GrpcServer"
import * as WebServer from "@sluice/core/server/WebServer"
import * as MemoryNetwork from "@sluice/core/transport/MemoryNetwork"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as Hex from "./Hex.ts"
import * as MemoryWorld from "./MemoryWorld.ts"

export interface World {
  readonly network: MemoryNetwork.MemoryNetwork["Service"]
  readonly server: WebServer.WebServer["Service"]
  readonly session: Http2Session.Http2Session
  /** Closes the server's scope: it drains. */
  readonly stop: Effect.Effect<void>
}

/** What came of a call. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly trailers: Readonly<Record<string, string>>
  /** `grpc-status`, wherever it came. */
  readonly code: string | undefined
  readonly message: string | undefined
  readonly body: Uint8Array
}

/** Serves `services` until the scope ends, or `stop`, with one client connected. */
export const make = <E>(
  services: Layer.Layer<never, E, GrpcServer.GrpcServer>,
  options?: GrpcServer.Options,
  webOptions?: WebServer.Options
) =>
  Effect.gen(function* () {
    const network = MemoryNetwork.make()
    const inNetwork = Layer.succeed(MemoryNetwork.MemoryNetwork, network)
    const scope = yield* Scope.make()
    yield* Effect.addFinalizer((exit) => Scope.close(scope, exit))
    const context = yield* Layer.buildWithScope(
      GrpcServer.serve(services, options).pipe(
        Layer.provideMerge(WebServer.layer(webOptions)),
        Layer.provide(MemoryNetwork.layerListener(MemoryWorld.target)),
        Layer.provide(inNetwork)
      ),
      scope
    )
    const session = yield* Session.connect(MemoryWorld.target).pipe(
      Effect.provide(MemoryNetwork.layerDialer.pipe(Layer.provide(inNetwork)))
    )
    const world: World = {
      network,
      server: Context.get(context, WebServer.WebServer),
      session,
      stop: Scope.close(scope, Exit.void)
    }
    return world
  })

/** Calls a method with these bytes as the body; headers that are `undefined` are left out. */
export const call = (
  world: World,
  path: string,
  body: Uint8Array | Stream.Stream<Uint8Array> | undefined,
  headers: Readonly<Record<string, string | undefined>> = {}
) =>
  Effect.gen(function* () {
    const response = yield* world.session.request({
      method: "POST",
      path,
      headers: { "content-type": "application/grpc", te: "trailers", ...headers },
      body
    })
    const bytes = yield* response.bytes()
    const trailers = yield* response.trailers
    const code = trailers["grpc-status"] ?? response.headers["grpc-status"]
    const message = trailers["grpc-message"] ?? response.headers["grpc-message"]
    const answer: Answer = {
      status: response.status,
      headers: response.headers,
      trailers,
      code,
      message,
      body: bytes
    }
    return answer
  }).pipe(Effect.scoped)

/** A message with its prefix: bytes, or hexadecimal digits. */
export const message = (content: string | Uint8Array, flag = 0): Uint8Array => {
  const payload = typeof content === "string" ? Hex.hex(content) : content
  const bytes = new Uint8Array(5 + payload.length)
  bytes[0] = flag
  new DataView(bytes.buffer).setUint32(1, payload.length)
  bytes.set(payload, 5)
  return bytes
}

/** `HelloRequest { name }` and `HelloReply { message }` alike, with the prefix: field 1 is a text. */
export const text = (value: string, flag = 0): Uint8Array => {
  const bytes = new TextEncoder().encode(value)
  return message(Uint8Array.of(0x0a, bytes.length, ...bytes), flag)
}

export const join = (...parts: ReadonlyArray<Uint8Array>): Uint8Array =>
  new Uint8Array(parts.flatMap((part) => [...part]))

/** The texts of messages as of `text`. */
export const texts = (body: Uint8Array): ReadonlyArray<string> => {
  const found: Array<string> = []
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  for (let at = 0; at < body.length; ) {
    const length = view.getUint32(at + 1)
    found.push(new TextDecoder().decode(body.subarray(at + 7, at + 5 + length)))
    at += 5 + length
  }
  return found
}
