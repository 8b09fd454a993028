/** The process with the servers that are attacked, as the attacker sees it. */
import * as ChildProcess from "node:child_process"
import { fileURLToPath } from "node:url"
import type * as GrpcServer from "@sluice/core/grpc/server/GrpcServer"
import type * as WebServer from "@sluice/core/server/WebServer"
import type * as WebSocketServer from "@sluice/core/server/WebSocketServer"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Limits short enough to be reached at once. */
export interface Options {
  readonly server?: WebServer.Options
  readonly webSocket?: Omit<WebSocketServer.Options, "origins">
  readonly grpc?: Pick<GrpcServer.Options, "maxReceiveMessageSize" | "maxConcurrentCalls" | "callTimeout">
}

export interface Look {
  /** Heap and what is outside of it, after a collection. */
  readonly memoryBytes: number
  readonly stats: WebServer.Stats
}

export type Query =
  | { readonly id: number; readonly what: "start"; readonly options: Options }
  | { readonly id: number; readonly what: "look" | "glance" | "release" | "stop"; readonly port: number }

export interface Reply {
  readonly id: number
  readonly value: number | Look | undefined
}

/** One server of it. */
export interface Target {
  readonly port: number
  readonly look: Effect.Effect<Look>
  /** The same without a collection, so that it costs little; its memory says nothing. */
  readonly glance: Effect.Effect<Look>
  /** Ends the handlers of `/hold`, and of gRPC, that wait now. */
  readonly release: Effect.Effect<void>
}

export interface Host {
  /** A server for the length of the scope. */
  readonly serve: (options: Options) => Effect.Effect<Target, never, Scope.Scope>
}

const program = fileURLToPath(new URL("./target-server.ts", import.meta.url))

/** The process; it ends with the scope. */
export const make: Effect.Effect<Host, never, Scope.Scope> = Effect.gen(function* () {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      ChildProcess.fork(program, [], {
        execArgv: ["--conditions=@sluice/source", "--expose-gc"],
        serialization: "advanced"
      })
    ),
    (child) =>
      Effect.callback<void>((resume) => {
        child.once("exit", () => resume(Effect.void))
        child.disconnect()
      })
  )
  const waiting = new Map<number, (value: Reply["value"]) => void>()
  let lastId = 0
  child.on("message", ({ id, value }: Reply) => {
    waiting.get(id)?.(value)
    waiting.delete(id)
  })
  const ask = <A>(query: (id: number) => Query): Effect.Effect<A> =>
    Effect.callback<A>((resume) => {
      const id = ++lastId
      waiting.set(id, (value) => resume(Effect.succeed(value as A)))
      child.send(query(id))
    })
  return {
    serve: (options) =>
      Effect.acquireRelease(
        ask<number>((id) => ({ id, what: "start", options })),
        (port) => ask<void>((id) => ({ id, what: "stop", port }))
      ).pipe(
        Effect.map((port) => ({
          port,
          look: ask<Look>((id) => ({ id, what: "look", port })),
          glance: ask<Look>((id) => ({ id, what: "glance", port })),
          release: ask<void>((id) => ({ id, what: "release", port }))
        }))
      )
  }
})
