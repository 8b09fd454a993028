/**
 * Why a hub did not let somebody in.
 *
 * A reason says who is at fault, and with which `closeCode` the WebSocket is
 * to be closed if the peer has no other use for it.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as WebSocketCloseCode from "../protocol/websocket/WebSocketCloseCode.ts"

/** The room has `maxMembersPerRoom` members. @category reasons */
export class RoomFull {
  readonly _tag = "RoomFull"
  readonly fault = "limit"
  readonly closeCode = WebSocketCloseCode.tryAgainLater
  readonly room: string
  readonly limitCount: number
  constructor(room: string, limitCount: number) {
    this.room = room
    this.limitCount = limitCount
  }
  get message() {
    return `the room is full: ${this.limitCount} members are there`
  }
}

/** The room does not exist yet, and there are `maxRooms`. @category reasons */
export class TooManyRooms {
  readonly _tag = "TooManyRooms"
  readonly fault = "limit"
  readonly closeCode = WebSocketCloseCode.tryAgainLater
  readonly limitCount: number
  constructor(limitCount: number) {
    this.limitCount = limitCount
  }
  get message() {
    return `there are ${this.limitCount} rooms, and no further one may begin`
  }
}

/** The room's name is longer than `maxRoomNameLength`. @category reasons */
export class RoomNameTooLong {
  readonly _tag = "RoomNameTooLong"
  readonly fault = "limit"
  readonly closeCode = WebSocketCloseCode.policyViolation
  readonly length: number
  readonly limitLength: number
  constructor(length: number, limitLength: number) {
    this.length = length
    this.limitLength = limitLength
  }
  get message() {
    return `the room's name has ${this.length} characters, ${this.limitLength} are allowed`
  }
}

/** The WebSocket was closing, or over, before it could join. @category reasons */
export class SocketClosed {
  readonly _tag = "SocketClosed"
  readonly fault = "transport"
  readonly closeCode = WebSocketCloseCode.normal
  get message() {
    return "the WebSocket is closed"
  }
}

/** The scope of the hub has closed. @category reasons */
export class HubClosed {
  readonly _tag = "HubClosed"
  readonly fault = "caller"
  readonly closeCode = WebSocketCloseCode.goingAway
  get message() {
    return "the hub is closed"
  }
}

/** @category reasons */
export type Reason = RoomFull | TooManyRooms | RoomNameTooLong | SocketClosed | HubClosed

/**
 * A hub did not let somebody in; `reason` says why.
 *
 * ```ts
 * Effect.catchReason("HubError", "RoomFull", (reason) => socket.close(reason.closeCode, reason.message))
 * ```
 *
 * @category errors
 */
export class HubError extends Data.TaggedError("HubError")<{
  readonly reason: Reason
}> {
  override get message(): string {
    return this.reason.message
  }
}

/** @category constructors */
export const make = (reason: Reason): HubError => new HubError({ reason })
