/**
 * Feeds the parts of gRPC that read bytes and text with random and damaged
 * input, for as long as you like:
 *
 * ```sh
 * npm run fuzz:grpc-messages -- [seconds, default 60] [seed]
 * ```
 *
 * Nothing may throw. Messages are what a plain reading of the whole finds,
 * however the bytes are cut, and what is held of one stays in proportion to what
 * has come. What was written is read back: messages, `grpc-message`, metadata,
 * timeouts and details. A failure prints the seed of its round, with which it
 * can be run again.
 */

import * as Assert from "node:assert/strict"
import * as GrpcBase64 from "@sluice/core/protocol/grpc/GrpcBase64"
import { GrpcCallState, type Input, transitions } from "@sluice/core/protocol/grpc/GrpcCallState"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as GrpcErrorDetails from "@sluice/core/protocol/grpc/GrpcErrorDetails"
import { GrpcMessageReader, type Options } from "@sluice/core/protocol/grpc/GrpcMessageReader"
import * as GrpcMessageWriter from "@sluice/core/protocol/grpc/GrpcMessageWriter"
import * as GrpcMetadata from "@sluice/core/protocol/grpc/GrpcMetadata"
import type * as GrpcStatus from "@sluice/core/protocol/grpc/GrpcStatus"
import * as GrpcTimeout from "@sluice/core/protocol/grpc/GrpcTimeout"
import * as HttpField from "@sluice/core/protocol/http/HttpField"
import { Http2Fields } from "@sluice/core/protocol/http2/Http2Fields"
import * as Duration from "effect/Duration"
import * as Chunkings from "../harness/Chunkings.ts"
import * as Hex from "../harness/Hex.ts"
import { SeededRandom } from "../harness/SeededRandom.ts"
import * as FuzzRun from "./FuzzRun.ts"

const bytesOf = (random: SeededRandom, length: number): Uint8Array =>
  Uint8Array.from({ length }, () => random.below(256))

const sizes = [0, 0, 1, 2, 3, 10, 100, 5_000]
const characters = ["a", "Z", " ", "%", "%4", "%41", "%e2%98", "é", "☺", "😈", "\ud800", "\n", "\0", ",", "=", "\x7f"]

const textOf = (random: SeededRandom): string => random.list(8, () => random.pick(characters)).join("")

/** UTF-8 has no halves of characters. */
const wellFormed = (text: string): string =>
  new TextDecoder("utf-8", { ignoreBOM: true }).decode(new TextEncoder().encode(text))

const damage = (random: SeededRandom, bytes: Uint8Array): Uint8Array => {
  const damaged = Array.from(bytes)
  for (let count = random.below(4); count > 0; count--) {
    const at = random.below(damaged.length + 1)
    const kind = random.below(3)
    if (kind === 0) damaged[at] = random.pick([0, 1, 0xff, 0x80, random.below(256)])
    else if (kind === 1) damaged.splice(at, 1 + random.below(4))
    else damaged.splice(at, 0, ...random.list(6, () => random.below(256)))
  }
  return Uint8Array.from(damaged, (byte) => byte ?? 0)
}

const cutAtRandom = (random: SeededRandom, bytes: Uint8Array): ReadonlyArray<Uint8Array> => {
  const positions = new Set(random.list(random.pick([2, 10, 100]), () => random.below(Math.max(1, bytes.length))))
  return Chunkings.cut(
    bytes,
    [...positions].sort((left, right) => left - right)
  )
}

const shown = (form: GrpcMessageWriter.Form, message: Uint8Array): string =>
  `${form} ${Buffer.from(message).toString("base64")}`

/** Length-Prefixed-Message read plainly, all at once. */
const readPlainly = (wire: Uint8Array, options: Options): ReadonlyArray<string> => {
  const lines: Array<string> = []
  const view = new DataView(wire.buffer, wire.byteOffset, wire.length)
  for (let at = 0; at < wire.length; ) {
    const flag = view.getUint8(at)
    if (flag > 1) return [...lines, "InvalidFlag"]
    if (flag === 1 && options.compression === "none") return [...lines, "UnexpectedCompression"]
    if (at + 5 > wire.length) return [...lines, "TruncatedMessage"]
    const length = view.getUint32(at + 1)
    if (length > options.maxReceiveBytes) return [...lines, "MessageTooLarge"]
    if (at + 5 + length > wire.length) return [...lines, "TruncatedMessage"]
    lines.push(shown(flag === 1 ? "compressed" : "plain", wire.subarray(at + 5, at + 5 + length)))
    at += 5 + length
  }
  return lines
}

const read = (chunks: ReadonlyArray<Uint8Array>, options: Options): ReadonlyArray<string> => {
  const reader = new GrpcMessageReader(options)
  const lines: Array<string> = []
  for (const chunk of chunks) {
    reader.push(chunk)
    for (let message = reader.next(); message !== undefined; message = reader.next()) {
      lines.push(shown(reader.form, message))
    }
    const held = (Reflect.get(reader, "payload") as Uint8Array).length
    Assert.ok(held <= Math.max(131_072, reader.waitingBytes * 4), `${held} bytes for ${reader.waitingBytes}`)
    Assert.ok(reader.waitingBytes < 5 + options.maxReceiveBytes || options.maxReceiveBytes === 0)
  }
  const violation = reader.end()
  return violation === undefined ? lines : [...lines, violation._tag]
}

/** A stream on which anything comes. */
const messages = (random: SeededRandom): void => {
  const options: Options = {
    maxReceiveBytes: random.pick([0, 3, 100, 5_000, 4_194_304]),
    compression: random.pick(["negotiated", "none"])
  }
  const chunks: Array<Uint8Array> = []
  for (let count = random.below(12); count > 0; count--) {
    const size = random.below(200) === 0 ? 300_000 : random.pick(sizes)
    const form = random.pick(["plain", "compressed"] as const)
    GrpcMessageWriter.write({ write: (bytes) => chunks.push(bytes.slice()) }, bytesOf(random, size), form)
  }
  const clean = Hex.concat(chunks)
  const wire = random.pick([clean, clean, damage(random, clean), bytesOf(random, random.below(40))])
  const expected = readPlainly(wire, options)
  Assert.deepEqual(read([wire], options), expected)
  for (let tries = 0; tries < 3; tries++) Assert.deepEqual(read(cutAtRandom(random, wire), options), expected)
}

const randomDetail = (random: SeededRandom): GrpcErrorDetails.Detail => {
  const text = () => wellFormed(textOf(random))
  switch (random.below(5)) {
    case 0:
      return GrpcErrorDetails.ErrorInfo({
        reason: text(),
        domain: text(),
        metadata: Object.fromEntries(random.list(3, () => [random.pick([text(), "__proto__"]), text()]))
      })
    case 1:
      return GrpcErrorDetails.RetryInfo({ retryDelay: Duration.millis(random.below(10 ** 9) - 1000) })
    case 2:
      return GrpcErrorDetails.BadRequest({
        fieldViolations: random.list(3, () => ({ field: text(), description: text() }))
      })
    case 3:
      return GrpcErrorDetails.DebugInfo({ stackEntries: random.list(3, text), detail: text() })
    default:
      return GrpcErrorDetails.Any({ typeUrl: `x${text()}`, value: bytesOf(random, random.below(20)) })
  }
}

const fieldsOf = (record: HttpField.FieldsInput): Http2Fields => {
  const fields = new Http2Fields()
  for (const [name, value] of Object.entries(record)) {
    for (const one of [value ?? []].flat()) {
      Assert.ok(HttpField.isValue(one) && HttpField.trim(one, 0, one.length) === one, `${name}: ${one}`)
      fields.add(name, one)
    }
  }
  return fields
}

/** Statuses and their details, there and back; and details that were damaged on the way. */
const errors = (random: SeededRandom): void => {
  const details = random.list(3, () => randomDetail(random))
  const metadata = GrpcMetadata.make({
    a: random.list(2, () => "b"),
    "c-bin": random.list(2, () => bytesOf(random, random.below(9)))
  })
  const code = (1 + random.below(16)) as GrpcStatus.FailureCode
  const message = wellFormed(textOf(random))
  const trailers = GrpcError.toTrailers(GrpcError.make(code, message, { details, metadata }))
  const found = GrpcError.fromTrailers(fieldsOf(trailers), 200)?.reason
  Assert.deepEqual([found?.code, found?.message, found?.details], [code, message, details])
  Assert.deepEqual(found?.metadata.entries(), metadata.entries())

  const damaged = damage(random, GrpcErrorDetails.encode({ code, message, details }))
  const status = GrpcErrorDetails.decode(damaged)
  if (status !== undefined) Assert.deepEqual(GrpcErrorDetails.decode(GrpcErrorDetails.encode(status)), status)
  const hostile = {
    "grpc-status": random.pick(["5", "", "99", textOf(random)]),
    "grpc-message": random.list(10, () => String.fromCharCode(random.below(256))).join(""),
    "grpc-status-details-bin": random.pick([GrpcBase64.encode(damaged), textOf(random)]),
    "x-bin": textOf(random)
  }
  const fields = new Http2Fields()
  for (const [name, value] of Object.entries(hostile)) fields.add(name, value)
  GrpcError.fromTrailers(fields, 200)?.reason.metadata.entries()
}

const timeouts = (random: SeededRandom): void => {
  const millis = (random.below(10 ** 9) * 10 ** random.below(10)) / 10 ** random.below(10)
  const text = GrpcTimeout.format(millis)!
  Assert.match(text, /^[0-9]{1,8}[HMSmun]$/)
  const found = GrpcTimeout.parseMillis(text)!
  Assert.ok(found >= millis * (1 - 1e-12) || text === "99999999H", `${text} for ${millis}`)
  Assert.ok(found <= millis * 1.001 + 0.000_002, `${text} for ${millis}`)
  const any = random.list(10, () => random.pick([..."0123456789HMSmun -+.e"])).join("")
  Assert.equal(GrpcTimeout.parseMillis(any) !== undefined, /^[0-9]{1,8}[HMSmun]$/.test(any), any)
}

/** Both sides of a call walk through the same states, and agree on whose fault it is. */
const calls = (random: SeededRandom): void => {
  const kind = random.pick(["unary", "client_streaming", "server_streaming", "bidi_streaming"] as const)
  const [client, server] = [new GrpcCallState("client", kind), new GrpcCallState("server", kind)]
  const inputs = Object.keys(transitions.Ended) as ReadonlyArray<Input>
  for (let count = random.below(12); count > 0; count--) {
    const input = random.pick(inputs)
    const code = random.pick([0, 5] as const)
    const [left, right] = [client.step(input, code), server.step(input, code)]
    Assert.equal(client.state, server.state)
    Assert.equal(left?._tag, right?._tag)
    if (left !== undefined) Assert.deepEqual([left.fault, right?.fault].sort(), ["caller", "peer"])
  }
}

await FuzzRun.run(FuzzRun.parse(process.argv.slice(2)), (seed) => {
  for (const subject of [messages, errors, timeouts, calls]) subject(new SeededRandom(seed))
})
