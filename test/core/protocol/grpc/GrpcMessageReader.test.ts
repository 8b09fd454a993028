import { assert, describe, it } from "@effect/vitest"
import { GrpcMessageReader, type Options } from "@sluice/core/protocol/grpc/GrpcMessageReader"
import * as Chunkings from "../../../harness/Chunkings.ts"
import * as Hex from "../../../harness/Hex.ts"

const plain: Options = { maxReceiveBytes: 4, compression: "none" }
const compressed: Options = { maxReceiveBytes: 4, compression: "negotiated" }

/** What is read of chunks, and of their end. */
const read = (chunks: ReadonlyArray<Uint8Array>, options: Options): ReadonlyArray<string> => {
  const reader = new GrpcMessageReader(options)
  const lines: Array<string> = []
  for (const chunk of chunks) {
    reader.push(chunk)
    for (let message = reader.next(); message !== undefined; message = reader.next()) {
      lines.push(`${reader.form} ${Hex.show(message)}`.trimEnd())
    }
    assert.isUndefined(reader.next())
  }
  const violation = reader.end()
  if (violation !== undefined) lines.push(`${violation._tag}: ${violation.message}`)
  assert.strictEqual(reader.end(), violation)
  return lines
}

describe("gRPC over HTTP/2: Length-Prefixed-Message, at every cut", () => {
  const rows: ReadonlyArray<readonly [rule: string, options: Options, wire: string, lines: ReadonlyArray<string>]> = [
    ["nothing", plain, "", []],
    ["one message", plain, "00 00000003 616263", ["plain 61 62 63"]],
    ["an empty message", plain, "00 00000000", ["plain"]],
    ["empty messages in a row", plain, "00 00000000 00 00000000", ["plain", "plain"]],
    ["two messages", plain, "00 00000001 61 00 00000002 6263", ["plain 61", "plain 62 63"]],
    [
      "an empty message in between",
      plain,
      "00 00000001 61 00 00000000 00 00000001 62",
      ["plain 61", "plain", "plain 62"]
    ],
    ["a compressed message", compressed, "01 00000002 6162", ["compressed 61 62"]],
    ["both in turn", compressed, "01 00000001 61 00 00000001 62", ["compressed 61", "plain 62"]],
    [
      "the Compressed-Flag must be 0 without Message-Encoding",
      plain,
      "00 00000001 61 01 00000001 61",
      ["plain 61", "UnexpectedCompression: a message has the compressed flag, but there is no grpc-encoding"]
    ],
    [
      "a flag that is none",
      plain,
      "02 00000001 61",
      ["InvalidFlag: a message begins with the flag 2, which is neither 0 nor 1"]
    ],
    [
      "a flag that is none, where messages may be compressed",
      compressed,
      "ff",
      ["InvalidFlag: a message begins with the flag 255, which is neither 0 nor 1"]
    ],
    ["at the limit", plain, "00 00000004 61626364", ["plain 'abcd'"]],
    [
      "above the limit",
      plain,
      "00 00000005 6162636465",
      ["MessageTooLarge: a message of 5 bytes or more is above the limit of 4"]
    ],
    [
      "above the limit by its head alone",
      plain,
      "00 ffffffff",
      ["MessageTooLarge: a message of 4294967295 bytes or more is above the limit of 4"]
    ],
    [
      "the end within a prefix",
      plain,
      "00 00000001 61 00 0000",
      ["plain 61", "TruncatedMessage: the stream ended 3 bytes into a message"]
    ],
    ["the end behind a prefix", plain, "00 00000001", ["TruncatedMessage: the stream ended 5 bytes into a message"]],
    ["the end within a message", plain, "00 00000002 61", ["TruncatedMessage: the stream ended 6 bytes into a message"]]
  ]
  for (const [rule, options, wire, lines] of rows) {
    it(rule, () => {
      for (const chunks of Chunkings.everySplit(Hex.hex(wire))) {
        assert.deepStrictEqual(read(chunks, options), lines, Chunkings.show(chunks))
      }
    })
  }
})

describe("memory", () => {
  const options: Options = { maxReceiveBytes: 4_194_304, compression: "none" }
  const messageOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => index * 7)
  const wireOf = (message: Uint8Array): Uint8Array => {
    const wire = new Uint8Array(message.length + 5)
    new DataView(wire.buffer).setUint32(1, message.length)
    wire.set(message, 5)
    return wire
  }
  /** The memory that a message which is cut has so far. */
  const heldBytes = (reader: GrpcMessageReader): number => (Reflect.get(reader, "payload") as Uint8Array).length

  it("a message that is whole in its chunk is a view of it", () => {
    const reader = new GrpcMessageReader(options)
    const chunk = Hex.hex("00 00000003 616263 00 00000001 64")
    reader.push(chunk)
    for (const start of [5, 13]) {
      const message = reader.next()
      assert.strictEqual(message?.buffer, chunk.buffer)
      assert.strictEqual(message?.byteOffset, start)
    }
  })
  it("also where its prefix was cut off", () => {
    const reader = new GrpcMessageReader(options)
    reader.push(Hex.hex("00 0000"))
    assert.isUndefined(reader.next())
    const chunk = Hex.hex("0003 616263 00")
    reader.push(chunk)
    assert.strictEqual(reader.next()?.buffer, chunk.buffer)
  })
  it("a length alone takes none, and a message never takes more than itself", () => {
    const reader = new GrpcMessageReader(options)
    const message = messageOf(1_000_000)
    const wire = wireOf(message)
    reader.push(wire.slice(0, 5))
    reader.next()
    assert.strictEqual(heldBytes(reader), 0)
    reader.push(wire.slice(5, 6))
    reader.next()
    assert.isAtMost(heldBytes(reader), 4_096)
    const arrays = new Set<ArrayBufferLike>()
    let at = 6
    for (; at + 10_000 < wire.length; at += 10_000) {
      reader.push(wire.slice(at, at + 10_000))
      assert.isUndefined(reader.next())
      assert.isAtMost(heldBytes(reader), Math.min(1_000_000, Math.max(4_096, 4 * at + 40_000)))
      assert.strictEqual(reader.waitingBytes, at + 10_000)
      arrays.add((Reflect.get(reader, "payload") as Uint8Array).buffer)
    }
    // It grows in leaps: what has come is not copied with every chunk.
    assert.strictEqual(arrays.size, 4)
    reader.push(wire.slice(at))
    assert.deepStrictEqual(reader.next(), message)
    assert.strictEqual(reader.waitingBytes, 0)
  })
  it("messages of the sizes that a network cuts", () => {
    for (const length of [131_071, 131_072, 131_073, 314_159, 4_194_304]) {
      const message = messageOf(length)
      const wire = wireOf(message)
      const reader = new GrpcMessageReader(options)
      let found: Uint8Array | undefined
      for (let at = 0; at < wire.length; at += 16_384) {
        assert.isUndefined(found)
        reader.push(wire.subarray(at, at + 16_384))
        found = reader.next()
      }
      assert.isTrue(found !== undefined && Buffer.from(found).equals(message))
      assert.isUndefined(reader.end())
    }
  })
  it("an idle reader holds no chunk, and one that has failed neither", () => {
    const chunkOf = (reader: GrpcMessageReader) => Reflect.get(reader, "chunk") as Uint8Array
    const reader = new GrpcMessageReader(options)
    reader.push(Hex.hex("00 00000001 61"))
    reader.next()
    reader.next()
    assert.lengthOf(chunkOf(reader), 0)
    reader.push(Hex.hex("00 00000001 61 02 616263"))
    reader.next()
    reader.next()
    assert.strictEqual(reader.violation?._tag, "InvalidFlag")
    assert.lengthOf(chunkOf(reader), 0)
    reader.push(Hex.hex("00 00000001 61"))
    assert.isUndefined(reader.next())
    assert.lengthOf(chunkOf(reader), 0)
  })
  it("lets go of an unfinished message", () => {
    const reader = new GrpcMessageReader(options)
    reader.push(Hex.hex("00 00000005 61"))
    reader.next()
    reader.release()
    assert.strictEqual(reader.waitingBytes, 0)
    assert.strictEqual(heldBytes(reader), 0)
    assert.isUndefined(reader.end())
  })
})

it("messages wait in the chunk until they are taken, and the next chunk waits for that", () => {
  const reader = new GrpcMessageReader(plain)
  reader.push(Hex.hex("00 00000001 61 00 00000001 62"))
  assert.strictEqual(reader.next()?.[0], 0x61)
  assert.throws(() => reader.push(Hex.hex("00")), RangeError)
  assert.strictEqual(reader.next()?.[0], 0x62)
  reader.push(Hex.hex("00"))
})
