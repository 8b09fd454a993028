/**
 * Received fields of a head or trailer section, whichever version of HTTP
 * brought them.
 *
 * @since 0.1.0
 */

/** By names in lower case. Without a prototype: a field may be named `__proto__`. @category models */
export type FieldRecord = Record<string, string>

/** @category models */
export interface HttpFields {
  /**
   * All fields but `Set-Cookie`; read once, and the same record at each call.
   * The values of a name that came more than once are joined by ", " (RFC 9110
   * §5.3), those of `Cookie` by "; ".
   */
  headers(): FieldRecord
  /** The value of a field, by its name in lower case; `undefined` when it did not come. Not for `set-cookie`. */
  header(name: string): string | undefined
  /** The values of `Set-Cookie`, which cannot be joined (RFC 9110 §5.3), in order. */
  setCookies(): ReadonlyArray<string>
  /** Shows each line in order, with its name as it came. */
  visit(line: (name: string, value: string) => void): void
}

/**
 * Makes records without a prototype that have a shape, which those of
 * `Object.create(null)` have not.
 *
 * @category constructors
 */
export const EmptyRecord: new () => FieldRecord = /*#__PURE__*/ (() => {
  const made = function EmptyRecord() {} as unknown as { new (): FieldRecord; prototype: object }
  made.prototype = Object.create(null)
  return made
})()

/** Puts a field into a record, behind what came of its name before. Not for `set-cookie`. @category combining */
export const join = (record: FieldRecord, name: string, value: string): void => {
  const earlier = record[name]
  record[name] = earlier === undefined ? value : earlier + (name === "cookie" ? "; " : ", ") + value
}
