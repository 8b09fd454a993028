/**
 * What happens in a room, as its people are told of it. Schemas, so that a door
 * can send events in a form of its own.
 */
import * as Schema from "effect/Schema"

export const Said = Schema.TaggedStruct("Said", {
  atMillis: Schema.Number,
  from: Schema.String,
  /** The door that it came in by. */
  door: Schema.String,
  text: Schema.String
})
export type Said = typeof Said.Type

/** Somebody who is in a room. */
export const Resident = Schema.Struct({ name: Schema.String, door: Schema.String })
export type Resident = typeof Resident.Type

export const Event = Schema.Union([
  /** The person who is told has come into the room: this is how it is. What follows happens there. */
  Schema.TaggedStruct("Entered", {
    room: Schema.String,
    name: Schema.String,
    people: Schema.Array(Resident),
    /** What was said, the oldest first. */
    history: Schema.Array(Said)
  }),
  Said,
  Schema.TaggedStruct("Joined", { name: Schema.String, door: Schema.String }),
  Schema.TaggedStruct("Left", { name: Schema.String, reason: Schema.Literals(["left", "moved", "too slow"]) }),
  Schema.TaggedStruct("Renamed", { before: Schema.String, name: Schema.String })
])
export type Event = typeof Event.Type
export type Entered = Extract<Event, { readonly _tag: "Entered" }>
