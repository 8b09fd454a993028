/**
 * Compares secrets without telling by its time how much of them was right.
 *
 * The time depends on the length of what was presented, which the client knows
 * anyway, and not on the secret. It is as constant as JavaScript can be: no
 * engine promises it.
 *
 * ```ts
 * import * as ConstantTime from "@sluice/core/middleware/ConstantTime"
 * import * as Redacted from "effect/Redacted"
 *
 * ConstantTime.matches(Redacted.make("guess"), Redacted.make("secret")) // => false
 * ```
 *
 * @since 0.1.0
 */
import * as Redacted from "effect/Redacted"

/**
 * Whether `presented` is `secret`.
 *
 * @category guards
 */
export const equals = (presented: string, secret: string): boolean => {
  let difference = presented.length ^ secret.length
  // An empty secret has no character to compare with: NaN counts as 0, and the lengths decide.
  for (let index = 0; index < presented.length; index++) {
    difference |= presented.charCodeAt(index) ^ secret.charCodeAt(index % secret.length)
  }
  return difference === 0
}

/**
 * The same for redacted values.
 *
 * @category guards
 */
export const matches = (presented: Redacted.Redacted, secret: Redacted.Redacted): boolean =>
  equals(Redacted.value(presented), Redacted.value(secret))
