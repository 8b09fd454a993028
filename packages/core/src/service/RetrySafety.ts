/**
 * What an error says about another attempt: whether it is safe, and when.
 *
 * Errors of Sluice say it in their `reason`: `retry` is `NotSent`,
 * `RefusedByServer` or `MaybeProcessed`. Policies read that and never the text,
 * nor a list of codes. What says nothing may have been processed.
 *
 * @since 0.1.0
 */

/** @category models */
export type Safety = "NotSent" | "RefusedByServer" | "MaybeProcessed"

/** @category accessors */
export const of = (error: unknown): Safety => {
  const said = field(field(error, "reason"), "retry") ?? field(error, "retry")
  return said === "NotSent" || said === "RefusedByServer" ? said : "MaybeProcessed"
}

/**
 * Nobody has acted on the call: it can be made again, whatever it does. A
 * deadline that has passed has passed for every further attempt too, and what
 * our own caller got wrong stays wrong.
 *
 * @category predicates
 */
export const isSafe = (error: unknown): boolean => of(error) !== "MaybeProcessed" && canHelp(error)

/** The same for calls that do no harm when they are acted on twice. @category predicates */
export const isSafeIfIdempotent = (error: unknown): boolean => canHelp(error)

/**
 * How long the other side wants to be left alone, in milliseconds: the
 * `retryAfterMillis` of the reason; 0 where it says nothing.
 *
 * @category accessors
 */
export const retryAfterMillis = (error: unknown): number => {
  const said = field(field(error, "reason"), "retryAfterMillis")
  return typeof said === "number" && said > 0 ? said : 0
}

/** What our own caller got wrong: whoever is called can do nothing about it. @category predicates */
export const isCallersFault = (error: unknown): boolean => field(field(error, "reason"), "fault") === "caller"

const canHelp = (error: unknown): boolean =>
  !isCallersFault(error) && field(field(error, "reason"), "_tag") !== "DeadlineExceeded"

const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined
