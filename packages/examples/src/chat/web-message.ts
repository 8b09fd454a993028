/**
 * What the page and its door say to each other: JSON, one value in one text
 * message. The page's half is in `page/`, in plain JavaScript.
 */
import * as Schema from "effect/Schema"
import * as RoomEvent from "./room-event.ts"

/** What the page says. `Hello` is the first message, and comes once. */
export const Request = Schema.Union([
  Schema.TaggedStruct("Hello", {
    /** Not there: a guest. */
    name: Schema.optionalKey(Schema.String),
    room: Schema.String,
    /** Known to one page only, for as long as it is open. */
    key: Schema.String.check(Schema.isMinLength(16), Schema.isMaxLength(64))
  }),
  Schema.TaggedStruct("Say", { text: Schema.String }),
  Schema.TaggedStruct("Rename", { name: Schema.String }),
  Schema.TaggedStruct("Move", { room: Schema.String })
])
export type Request = typeof Request.Type
export type Hello = Extract<Request, { readonly _tag: "Hello" }>

/** What is true of the whole chat: sent when it has changed, and now and then when it has not. */
export const Overview = Schema.TaggedStruct("Overview", {
  rooms: Schema.Array(Schema.Struct({ name: Schema.String, people: Schema.Number })),
  doors: Schema.Array(
    Schema.Struct({ door: Schema.String, here: Schema.Number, received: Schema.Number, sent: Schema.Number })
  )
})

/** The answer to a request that changed nothing, in words for people. */
export const Refused = Schema.TaggedStruct("Refused", {
  request: Schema.Literals(["Say", "Rename", "Move"]),
  message: Schema.String
})

/** What the door says: events of the room, which answer requests too, and the two above. */
export const Reply = Schema.Union([RoomEvent.Event, Overview, Refused])
export type Reply = typeof Reply.Type

/** Codes of Close frames; 4000 to 4999 are for applications to give a meaning (RFC 6455 §7.4.2). */
export const closeCodes = {
  /** The message was none of `Request`, or none came. */
  broken: 1008,
  /** The page did not take events as fast as they came. */
  tooSlow: 1013,
  /** Nobody came in. The reason is for people; to come again as before is of no use. */
  refused: 4000,
  /** The page has come in again by another connection. */
  replaced: 4001
} as const
