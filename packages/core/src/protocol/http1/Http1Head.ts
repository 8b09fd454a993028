/**
 * Heads as they were received, with what their fields mean for the connection:
 * framing, routing, and whether it goes on.
 *
 * Hot path: `bench/` rows "http1". A head costs one text and one object; its
 * fields are read when they are asked for.
 *
 * @since 0.1.0
 */
import * as HttpContentLength from "../http/HttpContentLength.ts"
import { hasOnlyToken, hasToken } from "../http/HttpField.ts"
import type { FieldRecord } from "../http/HttpFields.ts"
import { reasonPhrase } from "../http/HttpMessage.ts"
import * as HttpTarget from "../http/HttpTarget.ts"
import * as Http1BodyLength from "./Http1BodyLength.ts"
import {
  InvalidFraming,
  InvalidHost,
  MalformedHead,
  UnmetExpectation,
  UnsupportedVersion,
  type Violation
} from "./Http1Error.ts"
import { Http1Fields } from "./Http1Fields.ts"
import type { Http1HeadParser, Span } from "./Http1HeadParser.ts"

/** @category models */
export class RequestHead extends Http1Fields {
  /** As it came: methods are case-sensitive. */
  method = ""
  target = ""
  form: HttpTarget.Form = "origin"
  /** Who is asked: from the target where it says so, else from `Host`. Empty for an HTTP/1.0 request without either. */
  authority = ""
  /** 0 or 1; a higher one is taken for 1 (RFC 9110 §2.5). */
  minorVersion = 1
  delimiter: Http1BodyLength.Delimiter = "Empty"
  /** The size of the body in bytes; `undefined` where it is not known before its end, and where there is none. */
  lengthBytes: number | undefined = undefined
  /** Whether the client wants to send more requests on this connection. */
  persistent = true
  /** Whether the client waits for `100 Continue` before it sends the body. */
  expectsContinue = false
  /** What the connection may be upgraded to: the value of `Upgrade`, when the client asks with all that is needed. */
  upgrade: string | undefined = undefined

  /** RFC 9112 §3.2.2: the host of a target in absolute form replaces that of `Host`. */
  protected override amend(record: FieldRecord): void {
    if (this.form === "absolute") record.host = this.authority
  }
}

/** @category models */
export class ResponseHead extends Http1Fields {
  /** From 100 to 999. Above 599, a client takes it for 500 (RFC 9110 §15). */
  status = 0
  minorVersion = 1
  delimiter: Http1BodyLength.Delimiter = "Empty"
  /** The size of the body in bytes; `undefined` where it is not known before its end, and where there is none. */
  lengthBytes: number | undefined = undefined
  /** Whether the server takes more requests on this connection. */
  persistent = true

  /** The reason phrase; that of the registry where none came. */
  get reason(): string {
    return this.text.slice(this.text.indexOf(" ") + 5, this.text.indexOf("\r\n")) || reasonPhrase(this.status)
  }
}

/** What a complete section says as a request, or why it says nothing. @category parsing */
export const requestOf = (parser: Http1HeadParser): RequestHead | Violation => {
  const { text, lineStart, methodEnd, targetEnd } = parser
  const version = versionViolation(parser)
  if (version !== undefined) return version
  const head = new RequestHead(text, parser.fieldsStart)
  head.minorVersion = parser.minorVersion === 0 ? 0 : 1
  head.method =
    methodEnd - lineStart === 3 && text.startsWith("GET", lineStart) ? "GET" : text.slice(lineStart, methodEnd)
  head.target = text.slice(methodEnd + 1, targetEnd)
  return routeViolation(head, parser) ?? framingViolation(head, parser) ?? wishViolation(head, parser) ?? head
}

/** What a complete section says as a response to a request of `method`, or why it says nothing. @category parsing */
export const responseOf = (parser: Http1HeadParser, method: string): ResponseHead | Violation => {
  const version = versionViolation(parser)
  if (version !== undefined) return version
  const head = new ResponseHead(parser.text, parser.fieldsStart)
  head.minorVersion = parser.minorVersion === 0 ? 0 : 1
  head.status = parser.status
  head.persistent = isPersistent(head, parser)
  const violation = lengthViolation(head, parser)
  if (violation !== undefined) return violation
  const { status, minorVersion } = head
  const delimiter = Http1BodyLength.ofResponse(method, status, minorVersion, codingsOf(parser), head.lengthBytes)
  if (typeof delimiter !== "string") return delimiter
  head.delimiter = delimiter
  return head
}

/**
 * RFC 9110 §2.5: a higher minor version is processed as the highest one that
 * is known; a major version that is not known is not.
 */
const versionViolation = ({ majorVersion, minorVersion }: Http1HeadParser): Violation | undefined =>
  majorVersion === 1 ? undefined : new UnsupportedVersion(`${majorVersion}.${minorVersion}`)

/** RFC 9112 §3.2 and §3.2.1 to §3.2.4. */
const routeViolation = (head: RequestHead, parser: Http1HeadParser): Violation | undefined => {
  const form = HttpTarget.formOf(head.method, head.target)
  if (form === undefined) return new MalformedHead(`the request target does not fit ${head.method}`)
  head.form = form
  const { count } = parser.host
  if (count > 1) return new InvalidHost("Host came more than once")
  if (count === 1) {
    head.authority = valueOf(parser, parser.host)
    if (!HttpTarget.isAuthority(head.authority, "optional")) return new InvalidHost("Host is no host")
  } else if (head.minorVersion > 0) return new InvalidHost("Host is missing")
  if (form === "authority") head.authority = head.target
  else if (form === "absolute") head.authority = HttpTarget.authorityOf(head.target) ?? ""
  return undefined
}

/** RFC 9112 §6.3. */
const framingViolation = (head: RequestHead, parser: Http1HeadParser): Violation | undefined => {
  const violation = lengthViolation(head, parser)
  if (violation !== undefined) return violation
  const delimiter = Http1BodyLength.ofRequest(head.method, head.minorVersion, codingsOf(parser), head.lengthBytes)
  if (typeof delimiter !== "string") return delimiter
  head.delimiter = delimiter
  return undefined
}

/** RFC 9110 §8.6. */
const lengthViolation = (head: RequestHead | ResponseHead, parser: Http1HeadParser): Violation | undefined => {
  // CVE-2020-8287: of two, one recipient reads the first and another the second.
  if (parser.transferEncoding.count > 1) return new InvalidFraming("Transfer-Encoding came more than once")
  if (parser.contentLength.count === 0) return undefined
  if (parser.contentLength.count > 1) return new InvalidFraming("Content-Length came more than once")
  head.lengthBytes = HttpContentLength.parse(valueOf(parser, parser.contentLength))
  return head.lengthBytes === undefined ? new InvalidFraming("Content-Length is no number") : undefined
}

/** Whether the connection goes on (RFC 9112 §9.3), what the client waits for (RFC 9110 §10.1.1), and `Upgrade` (§7.8). */
const wishViolation = (head: RequestHead, parser: Http1HeadParser): Violation | undefined => {
  head.persistent = isPersistent(head, parser)
  // An expectation or upgrade "received in an HTTP/1.0 request" is ignored: MUST.
  if (head.minorVersion === 0) return undefined
  if (parser.upgrade.count > 0 && hasToken(listOf(head, parser, parser.connection, "connection"), "upgrade")) {
    head.upgrade = listOf(head, parser, parser.upgrade, "upgrade")
  }
  if (parser.expect.count === 0) return undefined
  const expectation = listOf(head, parser, parser.expect, "expect")
  // Only "a member other than 100-continue" may be refused: the same one twice, or an empty one, is none.
  if (!hasOnlyToken(expectation, "100-continue")) return new UnmetExpectation(expectation)
  head.expectsContinue = head.delimiter !== "Empty" && hasToken(expectation, "100-continue")
  return undefined
}

const isPersistent = (head: RequestHead | ResponseHead, parser: Http1HeadParser): boolean => {
  if (parser.connection.count === 0) return head.minorVersion > 0
  const options = listOf(head, parser, parser.connection, "connection")
  if (options === "keep-alive") return true
  if (hasToken(options, "close")) return false
  return head.minorVersion > 0 || hasToken(options, "keep-alive")
}

const codingsOf = (parser: Http1HeadParser): string | undefined =>
  parser.transferEncoding.count === 0 ? undefined : valueOf(parser, parser.transferEncoding)

const valueOf = (parser: Http1HeadParser, span: Span): string => parser.text.slice(span.start, span.end)

/** A list may come in more than one line (RFC 9110 §5.3). */
const listOf = (head: Http1Fields, parser: Http1HeadParser, span: Span, name: string): string =>
  span.count === 0 ? "" : span.count === 1 ? valueOf(parser, span) : (head.header(name) ?? "")
