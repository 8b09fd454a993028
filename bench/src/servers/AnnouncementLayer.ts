/**
 * `Announcement` for programs that are made of Layers: says where their
 * `Listener` listens.
 */
import * as Listener from "@sluice/core/transport/Listener"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Announcement from "./Announcement.ts"

export const layer: Layer.Layer<never, never, Listener.Listener> = Layer.effectDiscard(
  Effect.map(Listener.Listener, ({ address }) => Announcement.listeningOn(address))
)
