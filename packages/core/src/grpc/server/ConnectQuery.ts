/**
 * The request of a call that comes by GET (Connect, "Unary-Get-Request"): it
 * stands in the query of the target, in any order and among other parameters.
 *
 * ```text
 *  ?connect=v1&encoding=json&message=%7B%22name%22%3A%22Buf%22%7D
 *  ?connect=v1&base64=1&compression=gzip&encoding=proto&message=…
 * ```
 *
 * Never throws: what is no percent-encoding or no base64 is `undefined`.
 *
 * @internal
 * @since 0.1.0
 */
import { hexDigits, hexValue } from "../../bytes/Ascii.ts"
import * as Latin1 from "../../bytes/Latin1.ts"
import * as GrpcBase64 from "../../protocol/grpc/GrpcBase64.ts"

/** What stands in a query; of a name that comes twice, the first. @category models */
export class ConnectQuery {
  private readonly values: ReadonlyMap<string, string>

  /** The whole target of a request. */
  constructor(target: string) {
    const values = new Map<string, string>()
    const at = target.indexOf("?")
    for (const pair of at < 0 ? [] : target.slice(at + 1).split("&")) {
      const end = pair.indexOf("=")
      const name = end < 0 ? pair : pair.slice(0, end)
      if (!values.has(name)) values.set(name, end < 0 ? "" : pair.slice(end + 1))
    }
    this.values = values
  }

  has(name: string): boolean {
    return this.values.has(name)
  }

  /** The value of a name, a character a byte. */
  get(name: string): string | undefined {
    const bytes = this.bytesOf(name)
    return bytes === undefined ? undefined : Latin1.decode(bytes, 0, bytes.length)
  }

  /** The bytes of the message; `undefined` where there are none. */
  get message(): Uint8Array | undefined {
    if (this.get("base64") !== "1") return this.bytesOf("message")
    // RFC 4648 §5: the alphabet for URLs; the other one is taken too.
    return fromUrl(this.get("message"))
  }

  private bytesOf(name: string): Uint8Array | undefined {
    const value = this.values.get(name)
    return value === undefined ? undefined : percentDecoded(value)
  }
}

const fromUrl = (text: string | undefined): Uint8Array | undefined =>
  // A plus sign that was not escaped stands for a space by now.
  text === undefined
    ? undefined
    : GrpcBase64.decode(text.replaceAll("-", "+").replaceAll(" ", "+").replaceAll("_", "/"))

/** As forms encode: a plus sign is a space. Targets have no characters but ASCII. */
const percentDecoded = (value: string): Uint8Array | undefined => {
  const bytes = new Uint8Array(value.length)
  let end = 0
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at)
    if (code === percent) {
      const [high, low] = [value.charCodeAt(at + 1), value.charCodeAt(at + 2)]
      if (hexDigits[high] !== 1 || hexDigits[low] !== 1) return undefined
      bytes[end++] = (hexValue(high) << 4) | hexValue(low)
      at += 2
    } else bytes[end++] = code === plus ? space : code
  }
  return bytes.subarray(0, end)
}

const percent = 0x25
const plus = 0x2b
const space = 0x20
