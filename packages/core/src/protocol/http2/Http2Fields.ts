/**
 * The fields of a head or trailer section, as they came: names and values in
 * turn, joined to a record when someone asks for it.
 *
 * @since 0.1.0
 */
import { EmptyRecord, type FieldRecord, type HttpFields, join } from "../http/HttpFields.ts"

/** @category models */
export class Http2Fields implements HttpFields {
  /** Names, in lower case, and values, in turn. Valid, and without pseudo-header fields. */
  readonly list: Array<string> = []
  private record: FieldRecord | undefined = undefined

  /** Adds a field that was checked, before anything is read. */
  add(name: string, value: string): void {
    this.list.push(name, value)
  }

  /**
   * All fields but `Set-Cookie`; read once, and the same record at each call.
   * The values of a name that came more than once are joined by ", " (RFC 9110
   * §5.3), those of `Cookie` by "; " (RFC 9113 §8.2.3).
   */
  headers(): FieldRecord {
    return this.record ?? this.read()
  }

  /** The value of a field, by its name in lower case; `undefined` when it did not come. Not for `set-cookie`. */
  header(name: string): string | undefined {
    if (name === "set-cookie") return undefined
    const { list } = this
    let found: string | undefined
    for (let index = 0; index < list.length; index += 2) {
      if (list[index] !== name) continue
      if (found !== undefined) return this.headers()[name]
      found = list[index + 1]
    }
    return found
  }

  /** The values of `Set-Cookie`, which cannot be joined (RFC 9110 §5.3), in order. */
  setCookies(): ReadonlyArray<string> {
    const cookies: Array<string> = []
    this.visit((name, value) => {
      if (name === "set-cookie") cookies.push(value)
    })
    return cookies
  }

  /** Shows each line in order. */
  visit(line: (name: string, value: string) => void): void {
    const { list } = this
    for (let index = 0; index < list.length; index += 2) line(list[index]!, list[index + 1]!)
  }

  /** A last word on the record before it is shown. */
  protected amend(_record: FieldRecord): void {}

  private read(): FieldRecord {
    const record = new EmptyRecord()
    const { list } = this
    for (let index = 0; index < list.length; index += 2) {
      const name = list[index]!
      if (name !== "set-cookie") join(record, name, list[index + 1]!)
    }
    this.amend(record)
    this.record = record
    return record
  }
}
