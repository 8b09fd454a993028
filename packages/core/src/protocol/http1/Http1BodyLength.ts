/**
 * Where a body ends: the decisions of RFC 9112 §6.3, as two tables that are
 * total. Whoever disagrees about this with its neighbour can be smuggled to,
 * so nothing here is lenient.
 *
 * @internal
 * @since 0.1.0
 */
import { isToken, trim } from "../http/HttpField.ts"
import { isBodiless } from "../http/HttpMessage.ts"
import { InvalidFraming, UnsupportedCoding, type Violation } from "./Http1Error.ts"

/**
 * How a body is delimited. `Empty`: there is none, or of no bytes. `Length`:
 * by a Content-Length above 0. `Chunked`: by its last chunk. `UntilClose`: by the end of
 * the stream.
 *
 * @category models
 */
export type Delimiter = "Empty" | "Length" | "Chunked" | "UntilClose"

/** What `Transfer-Encoding` says. @category models */
export type Coding =
  | "Absent"
  /** `chunked` and nothing else. */
  | "Chunked"
  /** Others, with `chunked` as the last. */
  | "Layered"
  /** Others alone. */
  | "Unchunked"
  /** No list of codings, or with `chunked` at a place where it cannot be. */
  | "Malformed"

/** Whether there is a valid `Content-Length`. @category models */
export type Announced = "Absent" | "Known"

/** A delimiter, or why there is none. @category models */
export type Decision = Delimiter | "Conflict" | "Unsupported" | "Undelimited" | "Malformed"

type Table = Readonly<Record<Coding, Readonly<Record<Announced, Decision>>>>

/** RFC 9112 §6.3, for requests. @category tables */
export const requests = {
  // Rules 6 and 7.
  Absent: { Absent: "Empty", Known: "Length" },
  // Rule 3: "might indicate an attempt to perform request smuggling": MAY reject, and we do.
  Chunked: { Absent: "Chunked", Known: "Conflict" },
  // §6.1: "SHOULD respond with 501".
  Layered: { Absent: "Unsupported", Known: "Conflict" },
  // Rule 4: "the server MUST respond with the 400 (Bad Request) status code and then close the connection".
  Unchunked: { Absent: "Undelimited", Known: "Conflict" },
  Malformed: { Absent: "Malformed", Known: "Malformed" }
} as const satisfies Table

/** RFC 9112 §6.3, for responses that may have a body. @category tables */
export const responses = {
  // Rules 6 and 8.
  Absent: { Absent: "UntilClose", Known: "Length" },
  // Rule 3: "ought to be handled as an error".
  Chunked: { Absent: "Chunked", Known: "Conflict" },
  Layered: { Absent: "Unsupported", Known: "Conflict" },
  // Rule 4 would read until the close, but what it reads could not be decoded.
  Unchunked: { Absent: "Unsupported", Known: "Conflict" },
  Malformed: { Absent: "Malformed", Known: "Malformed" }
} as const satisfies Table

/**
 * How the body of a request ends. `codings` is the value of
 * `Transfer-Encoding`, `lengthBytes` that of `Content-Length`; `undefined`
 * where they did not come.
 *
 * @category decisions
 */
export const ofRequest = (
  method: string,
  minorVersion: number,
  codings: string | undefined,
  lengthBytes: number | undefined
): Delimiter | Violation => {
  if (codings === undefined && lengthBytes === undefined) return "Empty"
  // RFC 9110 §9.3.6: what follows a CONNECT is not content; where it says so, someone else will think that it is.
  if (method === "CONNECT") return new InvalidFraming("CONNECT has no content")
  return decide(requests, minorVersion, codings, lengthBytes)
}

/** How the body of the response to a request of `method` ends. @category decisions */
export const ofResponse = (
  method: string,
  status: number,
  minorVersion: number,
  codings: string | undefined,
  lengthBytes: number | undefined
): Delimiter | Violation =>
  // Rules 1 and 2: "regardless of the header fields present in the message".
  isBodiless(method, status) ? "Empty" : decide(responses, minorVersion, codings, lengthBytes)

/**
 * What a value of `Transfer-Encoding` says (RFC 9112 §6.1 and §7). RFC 9110
 * §5.6.1.2 (stricter): empty members of the list are refused, since not every
 * recipient passes them over.
 *
 * @category grammar
 */
export const parseCodings = (text: string): Exclude<Coding, "Absent"> => {
  if (text.length === 7 && text.toLowerCase() === "chunked") return "Chunked"
  const names = text.split(",").map((coding) => trim(coding, 0, coding.length).toLowerCase())
  const chunkedAt = names.indexOf("chunked")
  for (const name of names) {
    // RFC 9112 §7: a coding may have parameters; §7.1: chunked has none.
    const [token, ...parameters] = name.split(";").map((part) => trim(part, 0, part.length))
    if (token === undefined || !isToken(token)) return "Malformed"
    if (token === "chunked" && parameters.length > 0) return "Malformed"
  }
  if (chunkedAt < 0) return "Unchunked"
  // RFC 9112 §6.1: "A sender MUST NOT apply the chunked transfer coding more than once".
  return chunkedAt === names.length - 1 ? "Layered" : "Malformed"
}

const decide = (
  table: Table,
  minorVersion: number,
  codings: string | undefined,
  lengthBytes: number | undefined
): Delimiter | Violation => {
  const coding = codings === undefined ? "Absent" : parseCodings(codings)
  // RFC 9112 §6.1: "MUST treat the message as if the framing is faulty", and close.
  if (coding !== "Absent" && minorVersion === 0) return new InvalidFraming("Transfer-Encoding in HTTP/1.0")
  const decision = table[coding][lengthBytes === undefined ? "Absent" : "Known"]
  switch (decision) {
    case "Length":
      return lengthBytes === 0 ? "Empty" : "Length"
    case "Conflict":
      return new InvalidFraming("Transfer-Encoding with Content-Length")
    case "Unsupported":
      return new UnsupportedCoding(codings ?? "")
    case "Undelimited":
      return new InvalidFraming("Transfer-Encoding does not end with chunked")
    case "Malformed":
      return new InvalidFraming("Transfer-Encoding is malformed")
    default:
      return decision
  }
}
