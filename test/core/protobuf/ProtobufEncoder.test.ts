/** What the compiled function itself writes, without help by protobuf-es; `ProtobufCodec.test.ts` has the golden bytes. */
import { type DescMessage, type Message, toBinary } from "@bufbuild/protobuf"
import * as ProtobufSupport from "@sluice/core/protobuf/ProtobufSupport"
import * as ProtobufUnit from "@sluice/core/protobuf/ProtobufUnit"
import { ProtobufWriter } from "@sluice/core/protobuf/ProtobufWriter"
import { assert, describe, it } from "vitest"
import * as ProtobufMessages from "../../harness/ProtobufMessages.ts"
import { TextSchema } from "../../harness/protobuf/sluice/test/hot_pb.ts"
import { RequiredSchema } from "../../harness/protobuf/sluice/test/proto2_pb.ts"
import { SeededRandom } from "../../harness/SeededRandom.ts"

const encode = (descriptor: DescMessage, message: Message): Uint8Array => {
  const writer = new ProtobufWriter()
  writer.open(0, 64)
  ProtobufUnit.of(descriptor).encode(writer, message as ProtobufUnit.Fields)
  return writer.close()
}

describe("writes itself what protobuf-es writes", () => {
  for (const descriptor of ProtobufMessages.descriptors) {
    if (ProtobufSupport.reasonAgainst(descriptor) !== undefined) continue
    it(descriptor.typeName, () => {
      for (let seed = 1_000; seed < 1_012; seed++) {
        const message = ProtobufMessages.message(new SeededRandom(seed), descriptor)
        assert.isTrue(Buffer.from(encode(descriptor, message)).equals(toBinary(descriptor, message)), `${seed}`)
      }
    })
  }
})
it("throws on what it leaves to protobuf-es", () => {
  const text = ProtobufUnit.of(TextSchema).create()
  for (const value of [5, null, undefined, {}])
    assert.throws(() => encode(TextSchema, Object.assign(text, { text: value })))
  assert.throws(() => encode(RequiredSchema, text))
  assert.throws(() => encode(RequiredSchema, ProtobufUnit.of(RequiredSchema).create()))
})
