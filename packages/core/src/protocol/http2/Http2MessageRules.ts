/**
 * What makes a message malformed (RFC 9113 §8.1.1).
 *
 * @internal
 * @since 0.1.0
 */
import type { Http2Fields } from "./Http2Fields.ts"
import { Http2RequestHead, Http2ResponseHead } from "./Http2Head.ts"

/** Takes the next field of a section; returns what is wrong with it. @category rules */
export const add = (section: Http2Fields, name: string, value: string): string | undefined => {
  if (section instanceof Http2RequestHead) {
    if (name === ":method") section.method = value
    else if (name === ":scheme") section.scheme = value
    else if (name === ":authority") section.authority = value
    else if (name === ":path") section.path = value
    else if (name === ":protocol") section.protocol = value
    else section.add(name, value)
    if (name === "content-length") section.lengthBytes = Number(value)
    return undefined
  }
  if (section instanceof Http2ResponseHead && name === ":status") section.status = Number(value)
  else section.add(name, value)
  return undefined
}

/** The section is whole; returns what is wrong with it. @category rules */
export const end = (_section: Http2Fields, _connectProtocol: boolean): string | undefined => undefined
