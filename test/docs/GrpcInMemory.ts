/** The documents' servers of gRPC on a network in memory, and channels to them. */
import { type Dialer, GrpcChannel, GrpcClient, type MemoryNetwork, type WebServer } from "@sluice/core"
import { Greeter } from "@sluice/examples/generated/hello_pb"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as WebInMemory from "./WebInMemory.ts"

export const { target } = WebInMemory

/** Runs a conversation with what serves itself, over a channel to it; nothing is left open. */
export const converse = <A, E, R extends WebInMemory.Provided, SE = never>(
  served: Layer.Layer<never, SE, R>,
  conversation: Effect.Effect<
    A,
    E,
    GrpcChannel.GrpcChannel | Dialer.Dialer | WebServer.WebServer | MemoryNetwork.MemoryNetwork | Scope.Scope
  >,
  options?: GrpcChannel.Options
) =>
  WebInMemory.converse(
    served,
    Effect.flatMap(GrpcChannel.make(target, options), (channel) =>
      Effect.provideService(conversation, GrpcChannel.GrpcChannel, channel)
    )
  )

export const greeter = GrpcClient.make(Greeter)

/** The texts of replies. */
export const messages = <E, R>(replies: Stream.Stream<{ readonly message: string }, E, R>) =>
  Effect.map(Stream.runCollect(replies), (all) => all.map(({ message }) => message))
