/**
 * The load of a server that sends each message to every connection: what the
 * generator (`broadcast-load.ts`) is told. A reply is one delivery.
 */
import type { CommonOrder, Conversation } from "./StreamLoad.ts"

export interface BroadcastLoad extends Conversation {
  /** Connections that hear each message. The first of them speaks. */
  readonly clients: number
  /** Messages under way: the next one is said when so many deliveries are in as one message has. */
  readonly inFlight: number
}

/** What the generator is started with, as JSON in its first argument. */
export interface Order extends CommonOrder {
  readonly load: BroadcastLoad
}
