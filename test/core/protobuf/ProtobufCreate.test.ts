import * as Assert from "node:assert/strict"
import { create } from "@bufbuild/protobuf"
import * as ProtobufCreate from "@sluice/core/protobuf/ProtobufCreate"
import type { Fields } from "@sluice/core/protobuf/ProtobufUnit"
import { assert, describe, it } from "vitest"
import * as ProtobufMessages from "../../harness/ProtobufMessages.ts"
import { DefaultsSchema } from "../../harness/protobuf/sluice/test/proto2_pb.ts"
import { RepeatedSchema } from "../../harness/protobuf/sluice/test/proto3_pb.ts"

const compile = (descriptor: (typeof ProtobufMessages.descriptors)[number]) =>
  ProtobufCreate.compile(create(descriptor) as Fields, descriptor)

describe("as protobuf-es makes it", () => {
  for (const descriptor of ProtobufMessages.descriptors) {
    it(descriptor.typeName, () => {
      const expected = create(descriptor)
      const made = compile(descriptor)()
      Assert.deepStrictEqual(made, expected)
      assert.deepStrictEqual(Object.keys(made), Object.keys(expected))
      assert.strictEqual(Object.getPrototypeOf(made), Object.getPrototypeOf(expected))
    })
  }
})
it("messages do not share lists, maps and oneofs", () => {
  for (const descriptor of ProtobufMessages.descriptors) {
    const make = compile(descriptor)
    const [one, other] = [make(), make()]
    for (const name of Object.keys(one)) {
      const value = one[name]
      if (typeof value === "object" && !(value instanceof Uint8Array)) assert.notStrictEqual(value, other[name], name)
    }
  }
})
it("defaults are read, and are not set", () => {
  const made = compile(DefaultsSchema)()
  assert.strictEqual(made.int32Value, -7)
  assert.isFalse(Object.hasOwn(made, "int32Value"))
})
it("lists are empty", () => assert.deepStrictEqual(compile(RepeatedSchema)().boolValues, []))
