import { assert, describe, it } from "@effect/vitest"
import * as GrpcMessageWriter from "@sluice/core/protocol/grpc/GrpcMessageWriter"
import * as Hex from "../../../harness/Hex.ts"

describe("a message with its prefix", () => {
  const rows: ReadonlyArray<readonly [form: GrpcMessageWriter.Form, message: string, wire: string]> = [
    ["plain", "", "00 00 00 00 00"],
    ["plain", "616263", "00 00 00 00 03 61 62 63"],
    ["compressed", "616263", "01 00 00 00 03 61 62 63"]
  ]
  for (const [form, message, wire] of rows) {
    it(`${form} '${message}'`, () => assert.strictEqual(Hex.show(GrpcMessageWriter.join(Hex.hex(message), form)), wire))
  }
  it("lengths of four bytes", () => {
    const target = new Uint8Array(7).fill(0xee)
    GrpcMessageWriter.writePrefix(target, 1, 0xfedcba98, "compressed")
    assert.strictEqual(Hex.show(target), "ee 01 fe dc ba 98 ee")
    assert.throws(() => GrpcMessageWriter.writePrefix(target, 0, 2 ** 32, "plain"), RangeError)
  })
})

describe("written", () => {
  const written = (length: number): ReadonlyArray<Uint8Array> => {
    const chunks: Array<Uint8Array> = []
    const message = new Uint8Array(length).fill(7)
    GrpcMessageWriter.write({ write: (bytes) => chunks.push(bytes) }, message, "plain")
    assert.isTrue(Buffer.from(Hex.concat(chunks)).equals(GrpcMessageWriter.join(message, "plain")))
    if (chunks.length > 1) assert.strictEqual(chunks[1], message)
    return chunks
  }
  it("small ones are one write", () => {
    for (const length of [0, 1, 4_096, GrpcMessageWriter.joinBelowBytes]) assert.lengthOf(written(length), 1)
  })
  it("large ones go out as they are", () => {
    for (const length of [GrpcMessageWriter.joinBelowBytes + 1, 1e6]) assert.lengthOf(written(length), 2)
  })
})
