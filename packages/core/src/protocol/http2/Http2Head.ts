/**
 * Heads as they were received: the pseudo-header fields, and what the others
 * mean for the stream.
 *
 * Hot path: `bench/` rows "http2".
 *
 * @since 0.1.0
 */
import type { FieldRecord } from "../http/HttpFields.ts"
import { Http2Fields } from "./Http2Fields.ts"

/** @category models */
export class Http2RequestHead extends Http2Fields {
  /** As it came: methods are case-sensitive. */
  method = ""
  /** In lower case: `https` or `http`, or another one. Empty for a CONNECT without `protocol`. */
  scheme = ""
  /** Who is asked: `:authority`, or `Host` where only that came. Never empty. */
  authority = ""
  /** `/path?query`, or `*` of OPTIONS. Empty for a CONNECT without `protocol`. */
  path = ""
  /** RFC 8441 §4: what is asked for on the stream, as `websocket`; only with CONNECT. */
  protocol: string | undefined = undefined
  /** `Content-Length`; `undefined` where it did not come. */
  lengthBytes: number | undefined = undefined
  /** Whether `Expect` has `100-continue`. Where the head is all of the request it means nothing. */
  expectsContinue = false

  /** As for every field; `host` is {@link authority}, whichever of both came (RFC 9113 §8.3.1). */
  override header(name: string): string | undefined {
    return name === "host" ? this.authority : super.header(name)
  }

  protected override amend(record: FieldRecord): void {
    record.host = this.authority
  }
}

/** @category models */
export class Http2ResponseHead extends Http2Fields {
  /** From 100 to 999, and not 101. Above 599, a client takes it for 500 (RFC 9110 §15). */
  status = 0
  /** `Content-Length`; `undefined` where it did not come. */
  lengthBytes: number | undefined = undefined
}
