/**
 * Why a header block cannot be decoded, or is not handed out.
 *
 * RFC 9113 §4.3: a block that is not decoded whole leaves the tables of the
 * two sides apart, and "MUST" end the connection with `COMPRESSION_ERROR`; so
 * does every {@link Violation}. A list that is only too long was decoded, and
 * costs its own stream. These are plain reasons: the session makes errors of
 * them.
 *
 * @since 0.1.0
 */

/** The rules of header blocks, each with the section that has it. @category models */
export type Rule = keyof typeof rules

/** The peer's block breaks a rule of the format. @category reasons */
export class InvalidHeaderBlock {
  readonly _tag = "InvalidHeaderBlock"
  readonly fault = "peer"
  readonly errorCode = "COMPRESSION_ERROR"
  readonly rule: Rule
  constructor(rule: Rule) {
    this.rule = rule
  }
  get message() {
    return rules[this.rule]
  }
}

/** The block is so far above the limit of its list that it is given up, and the connection with it. @category reasons */
export class HeaderBlockTooLarge {
  readonly _tag = "HeaderBlockTooLarge"
  readonly fault = "limit"
  readonly errorCode = "COMPRESSION_ERROR"
  readonly limitBytes: number
  constructor(limitBytes: number) {
    this.limitBytes = limitBytes
  }
  get message() {
    return `a header block grows above ${this.limitBytes} bytes`
  }
}

/** What ends the connection. @category models */
export type Violation = InvalidHeaderBlock | HeaderBlockTooLarge

/**
 * The block was decoded, and the tables are in step, but its list is above the
 * limit and was not handed out to its end. A server answers with `status`.
 *
 * @category reasons
 */
export class HeaderListTooLarge {
  readonly _tag = "HeaderListTooLarge"
  readonly fault = "limit"
  readonly status = 431
  /** RFC 7541 §4.1: names and values, with 32 bytes more for each field. */
  readonly receivedBytes: number
  readonly limitBytes: number
  constructor(receivedBytes: number, limitBytes: number) {
    this.receivedBytes = receivedBytes
    this.limitBytes = limitBytes
  }
  get message() {
    return `a header list of ${this.receivedBytes} bytes is above the limit of ${this.limitBytes}`
  }
}

const rules = {
  "integer too large": "RFC 7541 §5.1: an integer is larger, or has more octets, than anything that is counted",
  "invalid Huffman code": "RFC 7541 §5.2: a string has EOS, or a padding that is not the beginning of EOS",
  "unknown index": "RFC 7541 §2.3.3: an index is 0, or above the entries of both tables",
  "table size above the setting": "RFC 7541 §6.3: a table size is above SETTINGS_HEADER_TABLE_SIZE",
  "table size late": "RFC 7541 §4.2: a table size comes behind a field",
  "table size repeated": "RFC 7541 §4.2: more than two table sizes in a block",
  "table size missing": "RFC 7541 §4.2: a lower SETTINGS_HEADER_TABLE_SIZE is not followed by a table size",
  "block cut off": "RFC 9113 §4.3: the header block ends within a field"
} as const
