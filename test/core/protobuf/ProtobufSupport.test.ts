import { StructSchema } from "@bufbuild/protobuf/wkt"
import * as ProtobufSupport from "@sluice/core/protobuf/ProtobufSupport"
import { assert, it } from "vitest"
import * as ProtobufMessages from "../../harness/ProtobufMessages.ts"
import { ChoiceSchema, WrappedSchema } from "../../harness/protobuf/sluice/test/proto3_pb.ts"

it("only fields that are JSON in memory stand against compiling", () => {
  const against = ProtobufMessages.descriptors.filter((one) => ProtobufSupport.reasonAgainst(one) !== undefined)
  assert.deepStrictEqual(
    against.map((one) => [one.name, ProtobufSupport.reasonAgainst(one)]),
    [
      ["Json", "JsonField"],
      ["HoldsJson", "JsonField"]
    ]
  )
})
it("a Struct itself is a message as others are", () => {
  assert.isUndefined(ProtobufSupport.reasonAgainst(StructSchema))
})
it("wrappers are singular, and in no oneof", () => {
  const names = (fields: typeof WrappedSchema.fields) => fields.filter(ProtobufSupport.isWrapper).map((one) => one.name)
  assert.strictEqual(names(WrappedSchema.fields).length, 9)
  assert.notInclude(names(WrappedSchema.fields), "list")
  assert.deepStrictEqual(names(ChoiceSchema.fields), [])
})
