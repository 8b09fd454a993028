/**
 * Why a message of any version of HTTP was refused, as those see it who do not
 * know the version: each engine has reasons of its own, and all of them have
 * this shape.
 *
 * @since 0.1.0
 */

/** @category models */
export interface HttpReason {
  readonly _tag: string
  readonly message: string
  /** Who is at fault: the peer broke a rule, a limit was reached, the connection or stream was lost, or our caller erred. */
  readonly fault: "peer" | "limit" | "transport" | "caller"
  /** The answer that a server gives, where there is one. */
  readonly status?: number | undefined
}

/** What a peer did wrong, or what took too much of it. @category models */
export type Violation = HttpReason

/**
 * Why a command did nothing. With the fault `transport` the peer was faster: a
 * race that any caller can lose.
 *
 * @category models
 */
export type Refusal = HttpReason
