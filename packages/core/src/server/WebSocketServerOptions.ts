/**
 * How a server opens WebSockets and with which limits, as a user writes it and
 * as it is used.
 *
 * @since 0.1.0
 */
import type { HttpExchange } from "../session/HttpExchange.ts"
import * as WebSocketSessionOptions from "../session/WebSocketSessionOptions.ts"

/**
 * Which pages may open a WebSocket: those of the host that they ask, all, those
 * of the origins in a list (`https://example.com`), or those that a function
 * lets in.
 *
 * @category options
 */
export type Origins =
  | "same-origin"
  | "any"
  | ReadonlyArray<string>
  | ((origin: string, exchange: HttpExchange) => boolean)

/** @category options */
export interface Options extends WebSocketSessionOptions.Options {
  /**
   * Subprotocols that the handler speaks. The first one of the client's list
   * that is here is agreed on. Default: none.
   */
  readonly protocols?: ReadonlyArray<string> | undefined
  /**
   * Which pages may open a WebSocket; others are answered with 403. Clients
   * that are no browsers send no `Origin`, and are not held up. Default
   * `"same-origin"`: the page's host is the one that it asks.
   */
  readonly origins?: Origins | undefined
}

/** The same, converted once. @category models */
export interface Resolved {
  readonly limits: WebSocketSessionOptions.Resolved
  readonly protocols: ReadonlyArray<string>
  readonly origins: Origins
}

/**
 * Fills in defaults. Throws a `RangeError` that names the option for a value
 * out of range: that is a mistake in the program.
 *
 * @category constructors
 */
export const resolve = (options?: Options): Resolved => ({
  limits: WebSocketSessionOptions.resolve(options),
  protocols: options?.protocols ?? [],
  origins: options?.origins ?? "same-origin"
})
