/**
 * What makes a message malformed (RFC 9113 §8.1.1): the rules for fields
 * (§8.2) and pseudo-header fields (§8.3), for CONNECT (§8.5) and its extension
 * (RFC 8441 §4). A field is checked as it is decoded, and what must be there
 * when the section is whole.
 *
 * Stricter than RFC 9113 §8.2.1: names are tokens, and values have no control
 * character but HTAB (RFC 9110 §5.1, §5.5). Stricter than §8.3.1: a path
 * begins with a slash, and an authority is needed, whatever the scheme; `Host`
 * comes once, and is a host. RFC 9110 §9.3.6 (stricter): a CONNECT with
 * `Content-Length` is refused, since what follows it is no content.
 *
 * RFC 9110 §6.5.1: fields that cannot be trailers are passed over in them.
 * §10.1.1: an expectation that is not known is left to whoever answers.
 *
 * Hot path: `bench/` rows "http2". The fields of a connection are mostly those
 * of its last head, as the same texts, since they come from the table: these
 * are not looked at again. Memory: that head's fields.
 *
 * @internal
 * @since 0.1.0
 */
import { type ByteSet, byteSet, isMadeOf } from "../../bytes/Ascii.ts"
import { names as staticNames } from "../hpack/HpackStaticTable.ts"
import * as HttpContentLength from "../http/HttpContentLength.ts"
import { hasOnlyToken, hasToken, isToken, isTrailerName, valueBytes } from "../http/HttpField.ts"
import * as HttpTarget from "../http/HttpTarget.ts"
import type { Http2Fields } from "./Http2Fields.ts"
import { Http2RequestHead, Http2ResponseHead } from "./Http2Head.ts"

/** Checks the sections of one connection, one after the other. @category models */
export class Http2MessageRules {
  /** RFC 8441 §3: whether `:protocol` is known here. */
  private readonly connectProtocol: boolean
  /** What came, in the bits below. */
  private seen = 0
  private host = ""
  /** The fields of the last valid head. */
  private lastList: ReadonlyArray<string> = none

  constructor(connectProtocol: boolean) {
    this.connectProtocol = connectProtocol
  }

  /** Makes ready for a section. */
  begin(): void {
    this.seen = 0
    this.host = ""
  }

  /** Puts the next field into its section. Returns what is wrong with it. */
  add(section: Http2Fields, name: string, value: string): string | undefined {
    if (name.charCodeAt(0) === colon) return this.addPseudo(section, name, value)
    const kind = kindOf(name)
    if (kind === invalidName) return "a field name is no token in lower case"
    this.seen |= fieldBit
    const at = section.list.length + 1
    if (at >= this.lastList.length || value !== this.lastList[at]) {
      const detail = valueViolation(value)
      if (detail !== undefined) return detail
    }
    if (kind !== plain) {
      const detail = this.note(section, kind, name, value)
      if (detail !== undefined) return detail
    }
    if (section instanceof Http2RequestHead || section instanceof Http2ResponseHead || isTrailerName(name)) {
      section.add(name, value)
    }
    return undefined
  }

  /** The section is whole. Returns what is wrong with it. */
  end(section: Http2Fields): string | undefined {
    if (section instanceof Http2RequestHead) {
      const detail = this.requestViolation(section)
      if (detail !== undefined) return detail
    } else if (section instanceof Http2ResponseHead) {
      if ((this.seen & statusBit) === 0) return ":status is missing"
    } else return undefined
    this.lastList = section.list.length <= longestKept ? section.list : none
    return undefined
  }

  private addPseudo(section: Http2Fields, name: string, value: string): string | undefined {
    let bit = 0
    if (section instanceof Http2RequestHead) bit = this.setOfRequest(section, name, value)
    else if (section instanceof Http2ResponseHead) {
      if (name === ":status") {
        bit = statusBit
        section.status = statusOf(value)
        if (section.status < 100) return ":status is no number of three digits"
        if (section.status === 101) return "101 in HTTP/2"
      }
    } else return "a pseudo-header field in trailers"
    if (bit === 0) return "an unknown pseudo-header field"
    if ((this.seen & bit) !== 0) return `${name} came more than once`
    if ((this.seen & fieldBit) !== 0) return `${name} came behind a field`
    this.seen |= bit
    return undefined
  }

  /** Returns the bit of the pseudo-header field, 0 where it is not known. */
  private setOfRequest(head: Http2RequestHead, name: string, value: string): number {
    switch (name) {
      case ":method":
        head.method = value
        return methodBit
      case ":scheme":
        head.scheme = value
        return schemeBit
      case ":authority":
        head.authority = value
        return authorityBit
      case ":path":
        head.path = value
        return pathBit
      case ":protocol":
        head.protocol = value
        return this.connectProtocol ? protocolBit : 0
      default:
        return 0
    }
  }

  /** Fields that mean something for the stream, or cannot be in HTTP/2. */
  private note(section: Http2Fields, kind: number, name: string, value: string): string | undefined {
    const isRequest = section instanceof Http2RequestHead
    switch (kind) {
      case connectionSpecific:
        return `${name} in HTTP/2`
      case transferCodings:
        if (!isRequest) return section instanceof Http2ResponseHead ? "te in a response" : undefined
        return hasOnlyToken(value, "trailers") ? undefined : "te has more than trailers"
      case contentLength:
        return isRequest || section instanceof Http2ResponseHead ? this.noteLength(section, value) : undefined
      case host:
        if (!isRequest) return undefined
        if ((this.seen & hostBit) !== 0) return "host came more than once"
        this.seen |= hostBit
        this.host = value
        return undefined
      default:
        if (isRequest && hasToken(value, "100-continue")) section.expectsContinue = true
        return undefined
    }
  }

  private noteLength(head: Http2RequestHead | Http2ResponseHead, value: string): string | undefined {
    // CVE-2020-8287: of two, one recipient reads the first and another the second.
    if (head.lengthBytes !== undefined) return "content-length came more than once"
    head.lengthBytes = HttpContentLength.parse(value)
    return head.lengthBytes === undefined ? "content-length is no number" : undefined
  }

  private requestViolation(head: Http2RequestHead): string | undefined {
    const { seen } = this
    const { method, path, protocol } = head
    if ((seen & methodBit) === 0) return ":method is missing"
    if (method !== "GET" && method !== "POST" && !isToken(method)) return ":method is no token"
    if (method === "CONNECT") {
      if (head.lengthBytes !== undefined) return "CONNECT has no content"
      if (protocol === undefined) return this.connectViolation(head)
    }
    if (protocol !== undefined) {
      if (method !== "CONNECT") return ":protocol without CONNECT"
      if (!isToken(protocol)) return ":protocol is no token"
      if ((seen & authorityBit) === 0) return ":authority is missing"
    }
    if ((seen & schemeBit) === 0) return ":scheme is missing"
    if ((seen & pathBit) === 0) return ":path is missing"
    if (!isScheme(head)) return ":scheme is malformed"
    if (path.charCodeAt(0) !== slash && (path !== "*" || method !== "OPTIONS")) return ":path is malformed"
    if (!isMadeOf(HttpTarget.targetBytes, path, 0, path.length)) return ":path is malformed"
    return this.authorityViolation(head)
  }

  /** RFC 9113 §8.5. */
  private connectViolation(head: Http2RequestHead): string | undefined {
    if ((this.seen & (schemeBit | pathBit)) !== 0) return "CONNECT with :scheme or :path"
    if (!HttpTarget.isAuthority(head.authority, "required")) return ":authority of CONNECT has no host and port"
    return this.hostViolation(head)
  }

  private authorityViolation(head: Http2RequestHead): string | undefined {
    if ((this.seen & (authorityBit | hostBit)) === 0) return ":authority is missing"
    if ((this.seen & authorityBit) === 0) head.authority = this.host
    if (head.authority !== lastAuthority) {
      if (!HttpTarget.isAuthority(head.authority, "optional")) return ":authority is no host"
      lastAuthority = head.authority
    }
    return this.hostViolation(head)
  }

  /** RFC 9113 §8.3.1: who is asked for by the one must not be another by the other. */
  private hostViolation(head: Http2RequestHead): string | undefined {
    if ((this.seen & hostBit) === 0 || this.host === head.authority) return undefined
    if (normalOf(this.host, head.scheme) === normalOf(head.authority, head.scheme)) return undefined
    return "host is another than :authority"
  }
}

const colon = 0x3a
const slash = 0x2f
const none: ReadonlyArray<string> = []

/** Names and values of heads that are kept. */
const longestKept = 64

const methodBit = 1
const schemeBit = 2
const authorityBit = 4
const pathBit = 8
const protocolBit = 16
const statusBit = 32
const hostBit = 64
/** A field that is no pseudo-header field. */
const fieldBit = 128

/** What a name means. */
const invalidName = -1
const plain = 0
const connectionSpecific = 1
const transferCodings = 2
const host = 3
const contentLength = 4
const expect = 5

/** RFC 9110 §5.1 and RFC 9113 §8.2.1: a token without upper-case letters. */
const nameBytes: ByteSet = /*#__PURE__*/ byteSet(..."!#$%&'*+.^_`|~", "-", "0-9", "a-z")

/** Names that were checked. Those of one peer after the other, so they are bounded. */
const kinds: Map<string, number> = /*#__PURE__*/ (() => {
  const made = new Map<string, number>()
  for (const name of staticNames) if (name !== "" && name.charCodeAt(0) !== colon) made.set(name, plain)
  // RFC 9113 §8.2.2.
  for (const name of ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"]) {
    made.set(name, connectionSpecific)
  }
  return made.set("te", transferCodings).set("host", host).set("content-length", contentLength).set("expect", expect)
})()

const mostKinds = 512
const longestKnownName = 64

const kindOf = (name: string): number => {
  const known = kinds.get(name)
  if (known !== undefined) return known
  if (name === "" || !isMadeOf(nameBytes, name, 0, name.length)) return invalidName
  if (kinds.size < mostKinds && name.length <= longestKnownName) kinds.set(name, plain)
  return plain
}

/** RFC 9113 §8.2.1. */
const valueViolation = (value: string): string | undefined => {
  const end = value.length
  if (end === 0) return undefined
  if (isBlank(value.charCodeAt(0)) || isBlank(value.charCodeAt(end - 1))) return "white space around a field value"
  return isMadeOf(valueBytes, value, 0, end) ? undefined : "a control character in a field value"
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09

/** A number of three digits (RFC 9110 §15); 0 where it is none. */
const statusOf = (text: string): number => (text.length === 3 ? (HttpContentLength.parse(text) ?? 0) : 0)

/** RFC 3986 §3.1: `ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )`, in any case; put in lower case. */
const isScheme = (head: Http2RequestHead): boolean => {
  const { scheme } = head
  if (scheme === "https" || scheme === "http") return true
  head.scheme = scheme.toLowerCase()
  const first = head.scheme.charCodeAt(0)
  return first >= 0x61 && first <= 0x7a && isMadeOf(schemeBytes, head.scheme, 0, scheme.length)
}

const schemeBytes: ByteSet = /*#__PURE__*/ byteSet(..."+.", "-", "0-9", "a-z")

/** A server has few names: the last one that was found valid. */
let lastAuthority: string | undefined

/** RFC 3986 §6.2.2.1 and §6.2.3: in lower case, without the port of the scheme or an empty one. */
const normalOf = (authority: string, scheme: string): string => {
  const lower = authority.toLowerCase()
  const port = scheme === "https" ? ":443" : scheme === "http" ? ":80" : ":"
  if (lower.endsWith(port)) return lower.slice(0, -port.length)
  return lower.endsWith(":") ? lower.slice(0, -1) : lower
}
