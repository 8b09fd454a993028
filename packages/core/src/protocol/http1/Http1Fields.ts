/**
 * The fields of a head or trailer section, as they came: one text, read when
 * someone asks. Most requests are answered without a look at most of it.
 *
 * The text is kept while the fields are: up to the limits of a head.
 *
 * @since 0.1.0
 */
import { trim } from "../http/HttpField.ts"
import { EmptyRecord, type FieldRecord, type HttpFields, join } from "../http/HttpFields.ts"

/** @category models */
export class Http1Fields implements HttpFields {
  protected readonly text: string
  private readonly start: number
  private record: FieldRecord | undefined = undefined
  private cookies: Array<string> | undefined = undefined

  /** Valid field lines begin at `start` of `text`, and end with an empty line. */
  constructor(text: string, start: number) {
    this.text = text
    this.start = start
  }

  /**
   * All fields but `Set-Cookie`; read once, and the same record at each call.
   * The values of a name that came more than once are joined by ", " (RFC 9110
   * §5.3), those of `Cookie` by "; ".
   */
  headers(): FieldRecord {
    return this.record ?? this.read()
  }

  /** The value of a field, by its name in lower case; `undefined` when it did not come. Not for `set-cookie`. */
  header(name: string): string | undefined {
    return this.headers()[name]
  }

  /** The values of `Set-Cookie`, which cannot be joined (RFC 9110 §5.3), in order. */
  setCookies(): ReadonlyArray<string> {
    if (this.record === undefined) this.read()
    return this.cookies ?? none
  }

  /** Shows each line in order, with its name as it came. */
  visit(line: (name: string, value: string) => void): void {
    const { text } = this
    let at = this.start
    for (let end = text.indexOf("\r\n", at); end > at; end = text.indexOf("\r\n", at)) {
      const colon = text.indexOf(":", at)
      line(text.slice(at, colon), trim(text, colon + 1, end))
      at = end + 2
    }
  }

  private read(): FieldRecord {
    const record = new EmptyRecord()
    const { text } = this
    let at = this.start
    for (let end = text.indexOf("\r\n", at); end > at; end = text.indexOf("\r\n", at)) {
      const colon = text.indexOf(":", at)
      const name = nameOf(text, at, colon)
      const value = trim(text, colon + 1, end)
      at = end + 2
      if (name === "set-cookie") this.addCookie(value)
      else join(record, name, value)
    }
    this.amend(record)
    this.record = record
    return record
  }

  /** A last word on the record before it is shown. */
  protected amend(_record: FieldRecord): void {}

  private addCookie(value: string): void {
    if (this.cookies === undefined) this.cookies = [value]
    else this.cookies.push(value)
  }
}

const none: ReadonlyArray<string> = []

/**
 * The names that most requests are made of, by length: found by comparison,
 * they cost neither a new text nor a search for the property's key.
 */
const commonNames: ReadonlyArray<ReadonlyArray<string> | undefined> = /*#__PURE__*/ (() => {
  const names: Array<Array<string>> = []
  for (const name of [
    ...["host", "user-agent", "accept", "accept-encoding", "accept-language", "connection", "cookie", "referer"],
    ...["content-type", "content-length", "authorization", "origin", "cache-control", "pragma", "date", "server"],
    ...["if-none-match", "if-modified-since", "upgrade-insecure-requests", "sec-fetch-site", "sec-fetch-mode"],
    ...["sec-fetch-dest", "sec-fetch-user", "sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform", "priority"],
    ...["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-request-id", "traceparent", "etag", "vary"],
    ...["transfer-encoding", "last-modified", "keep-alive", "location"]
  ]) {
    names[name.length] ??= []
    names[name.length]!.push(name)
  }
  return names
})()

/** A name that is made of token characters, in lower case. */
const nameOf = (text: string, start: number, end: number): string => {
  const candidates = commonNames[end - start]
  if (candidates !== undefined) {
    for (const candidate of candidates) if (isName(text, start, candidate)) return candidate
  }
  return text.slice(start, end).toLowerCase()
}

/** `candidate` has letters and hyphens only, so no other token character becomes one of its own by the bit of case. */
const isName = (text: string, start: number, candidate: string): boolean => {
  for (let index = 0; index < candidate.length; index++) {
    if ((text.charCodeAt(start + index) | 0x20) !== candidate.charCodeAt(index)) return false
  }
  return true
}
