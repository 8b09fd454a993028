/**
 * The body that is being sent: framed as its head has said, and held to what
 * it announced.
 *
 * @internal
 * @since 0.1.0
 */
import * as Utf8 from "../../bytes/Utf8.ts"
import type { Output } from "../Engine.ts"
import type { FieldsInput } from "../http/HttpField.ts"
import * as HttpField from "../http/HttpField.ts"
import type { Delimiter } from "./Http1BodyLength.ts"
import { writeChunk, writeLastChunk } from "./Http1Chunked.ts"
import { InvalidMessage } from "./Http1Error.ts"
import { prepare } from "./Http1HeadWriter.ts"

/** @category models */
export class Http1BodyWriter {
  private readonly output: Output
  private delimiter: Delimiter = "Empty"
  private leftBytes = 0

  constructor(output: Output) {
    this.output = output
  }

  /**
   * Makes ready for a body. Data for one that is `Empty` is dropped: it is the
   * body of a response that has none, such as that to HEAD.
   */
  begin(delimiter: Delimiter, lengthBytes: number | undefined): void {
    this.delimiter = delimiter
    this.leftBytes = lengthBytes ?? 0
  }

  /** Whether all is sent that was announced, so that the peer has a whole message before `end`. */
  get isSatisfied(): boolean {
    return this.delimiter === "Length" && this.leftBytes === 0
  }

  /** Sends data, unless it is more than was announced: then nothing of it. */
  write(data: Uint8Array | string): InvalidMessage | undefined {
    if (this.delimiter === "Empty") return undefined
    if (this.delimiter === "Chunked") {
      writeChunk(this.output, data)
      return undefined
    }
    const bytes = typeof data === "string" ? Utf8.encode(data) : data
    if (this.delimiter === "Length") {
      if (bytes.length > this.leftBytes) return new InvalidMessage("the body is longer than its Content-Length")
      this.leftBytes -= bytes.length
    }
    this.output.write(bytes)
    return undefined
  }

  /**
   * Ends the body, unless less has come than was announced. Trailers are sent
   * behind chunks, and dropped elsewhere: there is no place for them.
   */
  end(trailers: FieldsInput | undefined): InvalidMessage | undefined {
    if (this.delimiter === "Length" && this.leftBytes > 0) {
      return new InvalidMessage("the body is shorter than its Content-Length")
    }
    const lines = trailers === undefined ? "" : trailerLines(trailers)
    if (typeof lines !== "string") return lines
    if (this.delimiter === "Chunked") writeLastChunk(this.output, lines)
    return undefined
  }
}

const trailerLines = (trailers: FieldsInput): string | InvalidMessage => {
  for (const name of Object.keys(trailers)) {
    if (!HttpField.isTrailerName(name.toLowerCase())) return new InvalidMessage(`${name} cannot be a trailer`)
  }
  const prepared = prepare(trailers)
  return prepared instanceof InvalidMessage ? prepared : prepared.lines
}
