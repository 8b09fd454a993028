/**
 * What the holder of idle connections (`idle-load.ts`) is told.
 */
import type { Conversation } from "./StreamLoad.ts"

export interface IdleConversation extends Conversation {
  /** What a client answers when the server says goodbye, as Latin-1 text: a Close frame to a Close frame. */
  readonly farewell?: { readonly hears: string; readonly says: string } | undefined
}

/** What the holder is started with, as JSON in its first argument. */
export interface Order {
  readonly port: number
  readonly count: number
  readonly conversation: IdleConversation
}
