/** What the compiled function itself writes, without help by protobuf-es; `ProtobufCodec.test.ts` has the golden bytes. */
import { create, type DescMessage, type Message, toBinary } from "@bufbuild/protobuf"
import * as ProtobufSupport from "@sluice/core/protobuf/ProtobufSupport"
import * as ProtobufUnit from "@sluice/core/protobuf/ProtobufUnit"
import { ProtobufWriter } from "@sluice/core/protobuf/ProtobufWriter"
import { assert, describe, it } from "vitest"
import * as ProtobufInits from "../../harness/ProtobufInits.ts"
import * as ProtobufMessages from "../../harness/ProtobufMessages.ts"
import { TextSchema } from "../../harness/protobuf/sluice/test/hot_pb.ts"
import { RequiredSchema } from "../../harness/protobuf/sluice/test/proto2_pb.ts"
import {
  ChoiceSchema,
  MapsSchema,
  RepeatedSchema,
  SingularSchema,
  TreeSchema
} from "../../harness/protobuf/sluice/test/proto3_pb.ts"
import { SeededRandom } from "../../harness/SeededRandom.ts"

const encode = (descriptor: DescMessage, message: Message): Uint8Array => {
  const writer = new ProtobufWriter()
  writer.open(0, 64)
  ProtobufUnit.of(descriptor).encode(writer, message as ProtobufUnit.Fields)
  return writer.close()
}

const encodeInit = (descriptor: DescMessage, init: object): Uint8Array => {
  const writer = new ProtobufWriter()
  writer.open(0, 64)
  ProtobufUnit.of(descriptor).encodeInit(writer, init as ProtobufUnit.Fields)
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

describe("writes itself what protobuf-es would make and write", () => {
  for (const descriptor of ProtobufMessages.descriptors) {
    if (ProtobufSupport.reasonAgainst(descriptor) !== undefined) continue
    it(descriptor.typeName, () => {
      for (let seed = 2_000; seed < 2_024; seed++) {
        const random = new SeededRandom(seed)
        const init = ProtobufInits.of(random, descriptor, ProtobufMessages.message(random, descriptor), "plain")
        const expected = toBinary(descriptor, create(descriptor, init as Record<string, unknown>))
        assert.isTrue(Buffer.from(encodeInit(descriptor, init)).equals(expected), `${seed}`)
      }
    })
  }
})
describe("leaves to protobuf-es what a message might be made of otherwise", () => {
  const rows: ReadonlyArray<readonly [what: string, descriptor: DescMessage, init: unknown]> = [
    ["a message of another type", SingularSchema, ProtobufUnit.of(TextSchema).create()],
    ["a list for a message", TreeSchema, { left: [] }],
    ["a text for a message", TreeSchema, { left: "x" }],
    ["nothing for a message of a list", TreeSchema, { children: [null] }],
    ["what is like a list", RepeatedSchema, { int32Values: { length: 1, 0: 1 } }],
    ["a list for a map", MapsSchema, { byInt32: ["a"] }],
    ["a list for bytes", SingularSchema, { bytesValue: [1] }],
    ["a list for the bytes of a oneof", ChoiceSchema, { choice: { case: "bytesValue", value: [1] } }],
    ["nothing for what a oneof has", ChoiceSchema, { choice: { case: "stringValue" } }],
    ["a required field that is not given", RequiredSchema, {}],
    ["no object", SingularSchema, "x"],
    ["null", SingularSchema, null]
  ]
  for (const [what, descriptor, init] of rows) {
    it(what, () => assert.throws(() => encodeInit(descriptor, init as object)))
  }
})
