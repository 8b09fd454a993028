/**
 * Where our HTTP/1.1 engine and `node:http` part over the same bytes, and the
 * rule that says that we may. Each row has an example, which the tests hold up
 * against both sides.
 *
 * A row looks at what the other side has read, not at our reason alone: what
 * it does not describe exactly stays a disagreement.
 *
 * @since 0.1.0
 */
import * as Http from "node:http"
import type { Asked, Heard, Message } from "./Http1Heard.ts"

export type Role = "server" | "client"

/**
 * We refuse what Node takes; take what Node refuses; only one side goes on
 * behind a message of both; or they read different messages, which no rule
 * about us may explain: only one that Node breaks.
 */
export type Kind = "stricter" | "laxer" | "persistence" | "different"

export interface Case {
  readonly kind: Kind
  readonly role: Role
  readonly wire: string
  readonly asked: Asked | undefined
  readonly here: Heard
  readonly node: Heard
  /** The message that only one side took, or behind which they part. */
  readonly message: Message | undefined
  /** The one before it. */
  readonly before: Message | undefined
}

export interface Row {
  readonly rule: string
  readonly kind: Kind
  readonly role: Role | "both"
  /** Bytes for which this row is the explanation; in the role of a client with the method that was asked. */
  readonly example: string
  readonly method?: string
  readonly explains: (difference: Case) => boolean
}

export const explain = (difference: Case): string | undefined =>
  rows.find(
    ({ explains, kind, role }) =>
      kind === difference.kind && (role === "both" || role === difference.role) && explains(difference)
  )?.rule

const all = (message: Message | undefined, name: string): ReadonlyArray<string> =>
  (message?.fields ?? []).filter(([each]) => each.toLowerCase() === name).map(([, value]) => value)

const only = (message: Message | undefined, name: string): string => {
  const values = all(message, name)
  return values.length === 1 ? values[0]! : ""
}

const isLate = ([name]: readonly [string, string]): boolean => /^(?:host|content-length|transfer-encoding)$/i.test(name)

const isHost = (text: string): boolean => {
  const port = /:(\d*)$/.exec(text)?.[1] ?? ""
  return /^(?:\[[0-9a-f:.]+\]|(?:[\w.~!$&'()*+;=-]|%[0-9a-f]{2})+)(?::\d*)?$/i.test(text) && Number(port) <= 65_535
}

/** RFC 9112 §3.2.1 to §3.2.4. */
const isTargetFor = (method: string, target: string): boolean => {
  if (/[^!-~]|#/.test(target)) return false
  if (method === "CONNECT") return /:\d+$/.test(target) && isHost(target)
  if (target === "*") return method === "OPTIONS"
  return target.startsWith("/") || isHost(/^https?:\/\/([^/?]*)/i.exec(target)?.[1] ?? "")
}

const targetOf = (message: Message | undefined): string => message?.start.slice(message.start.indexOf(" ") + 1) ?? ""
const methodOf = (message: Message | undefined): string => message?.start.split(" ")[0] ?? ""

const literal = (text: string): string => text.replaceAll(/[^\w ]/g, "\\$&")

const hasVersion = ({ message, role, wire }: Case, versions: RegExp): boolean =>
  [...wire.matchAll(/HTTP\/(\d\.\d)/g)].some(
    ({ 1: version, index }) =>
      versions.test(version!) &&
      (role === "server"
        ? wire.slice(0, index).endsWith(`${message?.start} `)
        : wire.startsWith(` ${methodOf(message)}`, index + 8))
  )

/** RFC 9112 §6.3, rules 1 and 2. */
const isBodiless = ({ asked, message }: Case): boolean =>
  asked?.method === "HEAD" || /^(?:1\d\d|204|304) /.test(message?.start ?? "")

/** RFC 9112 §7.1.1. */
const chunkLine =
  /^[0-9a-f]+(?:[\t ]*;[\t ]*[!#-'*+.0-9^-z|~-]+(?:[\t ]*=[\t ]*(?:[!#-'*+.0-9^-z|~-]+|"(?:[^"\\]|\\.)*"))?)*$/i

const tabbedCoding = /^transfer-encoding:[^\r\n]*chunked[^\r\n]*\t[ \t]*\r$/im

const host = "Host: a\r\n"
const chunked = "Transfer-Encoding: chunked\r\n"
const post = `POST / HTTP/1.1\r\n${host}`
const next = `GET / HTTP/1.1\r\n${host}\r\n`
const ok = "HTTP/1.1 200 OK\r\n"

export const rows: ReadonlyArray<Row> = [
  {
    rule: "RFC 9112 §3.2: a request has exactly one Host",
    kind: "stricter",
    role: "server",
    example: `GET / HTTP/1.1\r\n${host}Host: b\r\n\r\n`,
    explains: ({ here, message }) => here.refusal?.tag === "InvalidHost" && all(message, "host").length !== 1
  },
  {
    rule: "RFC 9112 §3.2: the value of Host is a host",
    kind: "stricter",
    role: "server",
    example: "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    explains: ({ here, message }) => here.refusal?.tag === "InvalidHost" && !isHost(only(message, "host"))
  },
  {
    rule: "RFC 9112 §3.2: a request target has one of four forms",
    kind: "stricter",
    role: "server",
    example: `GET ftp://a/ HTTP/1.1\r\n${host}\r\n`,
    explains: ({ here, message }) =>
      here.refusal?.tag === "MalformedHead" && !isTargetFor(methodOf(message), targetOf(message))
  },
  {
    rule: "RFC 9112 §3: a request line has a version, and one space before it and before the target",
    kind: "stricter",
    role: "server",
    example: `GET  / HTTP/1.1\r\n${host}\r\n`,
    explains: ({ here, message, wire }) =>
      here.refusal?.tag === "MalformedHead" &&
      (!wire.includes(`${message?.start} HTTP/`) ||
        new RegExp(`${literal(methodOf(message))}(?: {2}|\\t)|${literal(targetOf(message))} {2}HTTP`).test(wire))
  },
  {
    rule: "RFC 9112 §2.2: only CR LF is an empty line in front of a request, and only one is passed over",
    kind: "stricter",
    role: "server",
    example: `\r\n\r\n${next}`,
    explains: ({ here, message, wire }) =>
      /^(?:the method is no token|a bare CR)$/.test(here.refusal?.detail ?? "") &&
      new RegExp(`[\r\n]${literal(message?.start ?? "")}`).test(wire)
  },
  {
    rule: "RFC 9110 §2.5: a major version that is not 1 is another protocol",
    kind: "stricter",
    role: "both",
    example: `GET / HTTP/2.0\r\n${host}\r\n`,
    explains: (one) => one.here.refusal?.tag === "UnsupportedVersion" && hasVersion(one, /^[^1]/)
  },
  {
    rule: "RFC 9110 §6.5.1: no framing and no routing in trailers",
    kind: "stricter",
    role: "both",
    example: `${post}${chunked}\r\n0\r\nHost: b\r\n\r\n`,
    explains: ({ here, message }) => here.refusal?.tag === "InvalidFraming" && (message?.trailers ?? []).some(isLate)
  },
  {
    rule: "RFC 9112 §6.1: a second Transfer-Encoding is an attack",
    kind: "stricter",
    role: "both",
    example: `${post}Transfer-Encoding: x\r\n${chunked}\r\n0\r\n\r\n`,
    explains: ({ here, message }) =>
      here.refusal?.tag === "InvalidFraming" && all(message, "transfer-encoding").length > 1
  },
  {
    rule: "RFC 9112 §6.1: Transfer-Encoding in HTTP/1.0 is faulty framing",
    kind: "stricter",
    role: "both",
    example: `POST / HTTP/1.0\r\n${host}${chunked}\r\n0\r\n\r\n`,
    explains: (one) =>
      one.here.refusal?.tag === "InvalidFraming" &&
      all(one.message, "transfer-encoding").length > 0 &&
      hasVersion(one, /^1\.0/)
  },
  {
    rule: "RFC 9112 §6.1: a coding that is not understood is not passed over",
    kind: "stricter",
    role: "both",
    example: `${post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    explains: ({ here, message }) =>
      here.refusal?.tag === "UnsupportedCoding" &&
      only(message, "transfer-encoding")
        .split(",")
        .some((one) => one.trim().toLowerCase() !== "chunked")
  },
  {
    rule: "RFC 9112 §7: a list of codings, of which none is empty, and chunked has no parameter",
    kind: "stricter",
    role: "both",
    example: `${post}Transfer-Encoding: , chunked\r\n\r\n0\r\n\r\n`,
    explains: ({ here, message }) =>
      here.refusal?.tag === "InvalidFraming" && !/^chunked$|^$/i.test(only(message, "transfer-encoding"))
  },
  {
    rule: "RFC 9110 §8.6: a Content-Length above 2^53 - 1 is none that could be counted",
    kind: "stricter",
    role: "both",
    example: "HTTP/1.1 204 No Content\r\nContent-Length: 9007199254740993\r\n\r\n",
    explains: ({ here, message }) =>
      here.refusal?.tag === "InvalidFraming" && Number(only(message, "content-length")) > Number.MAX_SAFE_INTEGER
  },
  {
    rule: "RFC 9112 §7.1.1: an extension has a name, and a token or a quoted text for its value",
    kind: "stricter",
    role: "both",
    example: `${post}${chunked}\r\n1;=b\r\nx\r\n0\r\n\r\n`,
    explains: ({ here, wire }) =>
      here.refusal?.tag === "MalformedChunk" &&
      wire.split("\r\n").some((line) => /^[0-9a-f]+[\t ]*;/i.test(line) && !chunkLine.test(line))
  },
  {
    rule: "RFC 9112 §7.1: a chunk size is bounded, its zeros too",
    kind: "stricter",
    role: "both",
    example: `${post}${chunked}\r\n00000000000000000001\r\nx\r\n0\r\n\r\n`,
    explains: ({ here, wire }) => here.refusal?.tag === "MalformedChunk" && /^[0-9a-f]{14,}[;\r]/im.test(wire)
  },
  {
    rule: "RFC 9110 §10.1.1: another expectation is not met",
    kind: "stricter",
    role: "server",
    example: `${post}Expect: x; 100-continue\r\nContent-Length: 1\r\n\r\nx`,
    explains: ({ here, message }) =>
      here.refusal?.tag === "UnmetExpectation" &&
      all(message, "expect").some((list) =>
        list.split(",").some((one) => !/^[\t ]*(?:100-continue[\t ]*)?$/i.test(one))
      )
  },
  {
    rule: "RFC 9110 §9.3.6: CONNECT has no content",
    kind: "stricter",
    role: "server",
    example: `CONNECT a:1 HTTP/1.1\r\n${host}Content-Length: 1\r\n\r\nx`,
    explains: ({ here, message }) =>
      here.refusal?.tag === "InvalidFraming" &&
      methodOf(message) === "CONNECT" &&
      all(message, "content-length").length + all(message, "transfer-encoding").length > 0
  },
  {
    rule: "RFC 9110 §5.5: no control characters, in a reason phrase neither",
    kind: "stricter",
    role: "client",
    example: "HTTP/1.1 200 \v\r\nContent-Length: 0\r\n\r\n",
    explains: ({ here, wire }) =>
      here.refusal?.tag === "MalformedHead" && /^HTTP[^\r\n]*[^\t\r\n -~\x80-\xff]/m.test(wire)
  },
  {
    rule: "RFC 9110 §15: a status is at least 100",
    kind: "stricter",
    role: "client",
    example: "HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n",
    explains: ({ here, message }) => here.refusal?.tag === "MalformedHead" && Number(methodOf(message)) < 100
  },
  {
    rule: "RFC 9110 §15.2.2: no upgrade but to what was asked for",
    kind: "stricter",
    role: "client",
    example: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n",
    explains: ({ asked, here, message }) =>
      here.refusal?.tag === "UnexpectedResponse" && methodOf(message) === "101" && asked?.upgrade === undefined
  },
  {
    rule: "RFC 9112 §2.2: an empty line in front is for requests",
    kind: "stricter",
    role: "client",
    example: `\r\n${ok}Content-Length: 0\r\n\r\n`,
    explains: ({ here, wire }) => here.refusal?.tag === "MalformedHead" && /(?:^|\n)[\r\n]+HTTP\//.test(wire)
  },
  {
    rule: "RFC 9110 §2.5: a higher minor version is taken for 1",
    kind: "laxer",
    role: "both",
    example: `GET / HTTP/1.2\r\n${host}\r\n`,
    explains: (one) => hasVersion(one, /^1\.[2-9]/)
  },
  {
    rule: "RFC 9110 §16.1: a method that is not registered",
    kind: "laxer",
    role: "server",
    example: `x! / HTTP/1.1\r\n${host}\r\n`,
    explains: ({ message }) => !Http.METHODS.includes(methodOf(message))
  },
  {
    rule: "RFC 9112 §7.1.1: bad white space in a chunk extension is passed over",
    kind: "laxer",
    role: "both",
    example: `${post}${chunked}\r\n1 ; a = b\r\nx\r\n0\r\n\r\n`,
    explains: ({ message, wire }) =>
      /^chunked$/i.test(only(message, "transfer-encoding")) &&
      /^[0-9a-f]+[^\r\n]*[\t ]*[;=][^\r\n]*\r$/im.test(wire) &&
      /^[0-9a-f]+[^\r\n]*[\t ]/im.test(wire)
  },
  {
    rule: "RFC 9110 §5.5: a tab around a value is not its own",
    kind: "laxer",
    role: "both",
    example: `${post}Transfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n`,
    explains: ({ wire }) => /^transfer-encoding:[^\r\n]*\t/im.test(wire)
  },
  {
    rule: "RFC 9110 §7.8: an Upgrade that is not taken up does not end HTTP",
    kind: "laxer",
    role: "server",
    example: `GET / HTTP/1.1\r\n${host}Connection: upgrade\r\nUpgrade: a\r\n\r\n${next}`,
    explains: ({ before, node }) => node.refusal === undefined && all(before, "upgrade").length > 0
  },
  {
    rule: "RFC 9110 §6.5.1: Connection among trailers, and Proxy-Connection, say nothing",
    kind: "laxer",
    role: "server",
    example: `${post}${chunked}\r\n0\r\nConnection: close\r\n\r\n${next}`,
    explains: ({ before, node }) =>
      node.refusal?.tag === "HPE_CLOSED_CONNECTION" &&
      (before?.trailers.some(([name]) => /^(?:proxy-)?connection$/i.test(name)) === true ||
        all(before, "proxy-connection").length > 0)
  },
  {
    rule: "RFC 9112 §9.6: only a final response ends the connection",
    kind: "laxer",
    role: "client",
    example: `HTTP/1.0 103 Early Hints\r\n\r\n${ok}Content-Length: 0\r\n\r\n`,
    explains: ({ before, node, wire }) =>
      node.refusal?.tag === "HPE_CLOSED_CONNECTION" &&
      (/^HTTP\/1\.0 1\d\d/m.test(wire) ||
        (methodOf(before).startsWith("1") &&
          before?.fields.some(([name]) => /^(?:proxy-)?connection$/i.test(name)) === true))
  },
  {
    rule: "RFC 9112 §6.3: fields do not frame a response that has no body",
    kind: "laxer",
    role: "client",
    method: "HEAD",
    example: `${ok}${chunked}Content-Length: 3\r\n\r\n`,
    explains: (one) => isBodiless(one) && all(one.message, "transfer-encoding").length > 0
  },
  {
    rule: "RFC 9112 §9.2: bytes behind a response end the connection",
    kind: "persistence",
    role: "client",
    example: `${ok}Content-Length: 0\r\n\r\nx`,
    explains: ({ here }) => here.refusal?.tag === "UnexpectedResponse"
  },
  {
    rule: "RFC 9112 §6.3: a response without a body needs no framing to be at its end",
    kind: "persistence",
    role: "client",
    method: "HEAD",
    example: `${ok}\r\n`,
    explains: (one) => isBodiless(one) && all(one.message, "content-length").length === 0
  },
  {
    rule: "RFC 9112 §9.3: close wins over keep-alive, in HTTP/1.0 too",
    kind: "persistence",
    role: "both",
    example: "HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive, close\r\n\r\n",
    explains: ({ message }) => /(?:^|,)[\t ]*close[\t ]*(?:,|$)/i.test(all(message, "connection").join(","))
  },
  {
    rule: "RFC 9112 §C.2.2: Proxy-Connection is no field of HTTP",
    kind: "persistence",
    role: "both",
    example: `GET / HTTP/1.1\r\n${host}Proxy-Connection: close\r\n\r\n`,
    explains: ({ message }) => all(message, "proxy-connection").length > 0
  },
  {
    rule: "RFC 9110 §5.5: a tab behind a value is not its own, and so the chunks are checked",
    kind: "stricter",
    role: "both",
    example: `${ok}Transfer-Encoding: chunked\t\r\n\r\n1\r\nxy\r\n0\r\n\r\n`,
    explains: ({ wire }) => tabbedCoding.test(wire)
  },
  {
    rule: "RFC 9110 §5.5: a tab behind a value is not its own",
    kind: "different",
    role: "both",
    example: `${ok}Transfer-Encoding: chunked\t\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
    // Node does not find the coding, and hands the chunks over as they are.
    explains: ({ message, wire }) => tabbedCoding.test(wire) && /^chunked$/i.test(only(message, "transfer-encoding"))
  }
]
