/**
 * Who is in a room, how that changes, and what became of a message to them.
 *
 * Presence is what a program wants the others to know of a member: a name, a
 * colour, "is typing". It stays in its process: a backplane carries messages,
 * not members.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"

/** A member as it was at a moment. @category models */
export interface Member<Presence> {
  /** Unique within its hub, and never used again. */
  readonly id: number
  readonly room: string
  readonly presence: Presence
}

/** The member's own handle. @category models */
export interface Membership<Presence> extends Member<Presence> {
  /** As it is now. */
  readonly presence: Presence
  /** `false` once the member has left, for whatever reason. */
  readonly isPresent: boolean
  /** Leaves before the scope closes. Messages that wait are forgotten. Idempotent. */
  readonly leave: Effect.Effect<void>
  /** Changes the presence and tells the readers of `changes`. Nothing happens once the member has left. */
  readonly update: (presence: Presence) => Effect.Effect<void>
}

/**
 * Why a member is no longer there: it left (or its scope closed), its WebSocket
 * closed or was lost, or it was too slow for the policy `"close"`.
 *
 * @category models
 */
export type Departure = "left" | "disconnected" | "too slow"

/**
 * What a reader of `changes` gets. `Snapshot` comes first, and again in the
 * place of changes that it was too slow to read: everybody who is there now.
 *
 * @category models
 */
export type Change<Presence> =
  | { readonly _tag: "Snapshot"; readonly members: ReadonlyArray<Member<Presence>> }
  | { readonly _tag: "Joined"; readonly member: Member<Presence> }
  | { readonly _tag: "Updated"; readonly member: Member<Presence> }
  | { readonly _tag: "Left"; readonly member: Member<Presence>; readonly departure: Departure }

/**
 * What became of a message for one member: its WebSocket took it; it waits
 * behind others; the policy dropped it; or the member was closing, or was
 * closed by the policy, and has left.
 *
 * @category models
 */
export type Outcome = "sent" | "queued" | "dropped" | "closed"

/**
 * Outcomes of a broadcast: together, they are the members of this process that
 * it was meant for. With `"drop oldest"` a new message counts as queued; what
 * gave way to it is counted by `stats`.
 *
 * @category models
 */
export type Delivery = Readonly<Record<Outcome, number>>
