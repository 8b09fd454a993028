/**
 * The servers that attacks are made on: a process of its own, so that its
 * memory is the server's alone. It is told by messages what to serve, and
 * tells what it has seen.
 */
import * as Connect from "@sluice/core/grpc/server/Connect"
import * as GrpcHealth from "@sluice/core/grpc/server/GrpcHealth"
import * as GrpcReflection from "@sluice/core/grpc/server/GrpcReflection"
import * as GrpcServer from "@sluice/core/grpc/server/GrpcServer"
import * as GrpcWeb from "@sluice/core/grpc/server/GrpcWeb"
import * as Hub from "@sluice/core/hub/Hub"
import * as WebServer from "@sluice/core/server/WebServer"
import * as WebSocketServer from "@sluice/core/server/WebSocketServer"
import * as NodeGrpcCompression from "@sluice/node/NodeGrpcCompression"
import * as NodeWebServer from "@sluice/node/NodeWebServer"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Greeter } from "../harness/protobuf/hello_pb.ts"
import type { Look, Options, Query, Reply } from "./Target.ts"

const large = new Uint8Array(16 * 1024 * 1024).fill(0x78)

const endless = Stream.forever(Stream.make(large.subarray(0, 65_536)))

const routes = (options: Options, released: Effect.Effect<void>, room: Hub.Hub<undefined>) => {
  const socketOptions = { origins: "any", ...options.webSocket } as const
  return HttpRouter.addAll([
    HttpRouter.route("GET", "/", HttpServerResponse.text("hello")),
    HttpRouter.route("GET", "/large", HttpServerResponse.uint8Array(large)),
    HttpRouter.route(
      "GET",
      "/stream",
      Effect.sync(() => HttpServerResponse.stream(endless))
    ),
    HttpRouter.route("POST", "/read", (request) =>
      Effect.map(request.text, (text) => HttpServerResponse.text(`${text.length}`))
    ),
    HttpRouter.route("POST", "/ignore", HttpServerResponse.text("ignored")),
    HttpRouter.route("POST", "/hold", Effect.as(released, HttpServerResponse.text("held"))),
    HttpRouter.route(
      "GET",
      "/echo",
      WebSocketServer.handle((socket) => socket.runForEach(socket.send), socketOptions)
    ),
    HttpRouter.route(
      "GET",
      "/room",
      WebSocketServer.handle(
        (socket) =>
          Effect.gen(function* () {
            yield* room.join("room", socket, { presence: undefined })
            yield* socket.runForEach((message) => room.broadcast("room", message))
          }),
        socketOptions
      )
    )
  ])
}

const greeter = (released: Effect.Effect<void>) =>
  GrpcServer.layer(Greeter, {
    sayHello: ({ name }) => Effect.as(name === "hold" ? released : Effect.void, { message: name }),
    streamHellos: () => Stream.forever(Stream.make({ message: "x".repeat(60_000) })),
    collectHellos: (requests) => Effect.map(Stream.runCount(requests), (count) => ({ message: String(count) })),
    // It takes one request and no more.
    chatHellos: (requests) => Stream.mapEffect(requests, ({ name }) => Effect.as(released, { message: name }))
  })

const grpc = (options: Options, released: Effect.Effect<void>) =>
  GrpcServer.mount(Layer.mergeAll(greeter(released), GrpcHealth.layer, GrpcReflection.layer), {
    wires: [GrpcWeb.make(), Connect.make()],
    ...options.grpc
  }).pipe(Layer.provide(NodeGrpcCompression.layer()))

interface Running {
  readonly server: WebServer.WebServer["Service"]
  readonly release: Effect.Effect<unknown>
  readonly close: Effect.Effect<void>
}

const running = new Map<number, Running>()

const start = Effect.fnUntraced(function* (options: Options) {
  const scope = yield* Scope.make()
  let released = Deferred.makeUnsafe<void>()
  const room = yield* Scope.provide(Hub.make<undefined>(), scope)
  const whenReleased = Effect.suspend(() => Deferred.await(released))
  const app = HttpRouter.serve(Layer.mergeAll(routes(options, whenReleased, room), grpc(options, whenReleased)), {
    disableLogger: true,
    disableListenLog: true
  })
  const layer = Layer.provideMerge(
    app,
    NodeWebServer.layer({ host: "127.0.0.1", port: 0, drainTimeout: "100 millis", ...options.server })
  )
  const context = yield* Layer.buildWithScope(layer as unknown as Layer.Layer<WebServer.WebServer>, scope)
  const server = Context.get(context, WebServer.WebServer)
  const port = NetAddress.isInetAddress(server.address) ? server.address.port : 0
  const release = Effect.suspend(() => {
    const before = released
    released = Deferred.makeUnsafe<void>()
    return Deferred.succeed(before, undefined)
  })
  running.set(port, { server, release, close: Scope.close(scope, Exit.void) })
  return port
})

const look = Effect.fnUntraced(function* (port: number) {
  // The second finishes what the first has left to be swept.
  globalThis.gc?.()
  globalThis.gc?.()
  return yield* glance(port)
})

const glance = Effect.fnUntraced(function* (port: number) {
  const { external, heapUsed } = process.memoryUsage()
  const stats = yield* running.get(port)!.server.stats
  return { memoryBytes: heapUsed + external, stats } satisfies Look
})

const stop = (port: number) =>
  Effect.ensuring(
    running.get(port)!.close,
    Effect.sync(() => running.delete(port))
  )

const answer = (query: Query): Effect.Effect<Reply["value"]> => {
  switch (query.what) {
    case "start":
      return start(query.options) as Effect.Effect<number>
    case "look":
      return look(query.port)
    case "glance":
      return glance(query.port)
    case "release":
      return Effect.as(running.get(query.port)!.release, undefined)
    case "stop":
      return Effect.as(stop(query.port), undefined)
  }
}

process.on("message", (query: Query) => {
  Effect.runFork(Effect.map(answer(query), (value) => process.send!({ id: query.id, value } satisfies Reply)))
})
process.on("disconnect", () => process.exit(0))
