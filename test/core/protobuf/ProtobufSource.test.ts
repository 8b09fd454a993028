import { ScalarType } from "@bufbuild/protobuf"
import * as Source from "@sluice/core/protobuf/ProtobufSource"
import { assert, it } from "vitest"
import { FeaturesSchema } from "../../harness/protobuf/sluice/test/editions_pb.ts"
import { MapsSchema, TreeSchema } from "../../harness/protobuf/sluice/test/proto3_pb.ts"

it("names cannot leave their quotes", () => {
  const name = '"];throw 1;["\u2028\n\\'
  const read = Source.build<(value: object) => unknown>({}, `(value) => value${Source.at(name)}`)
  assert.strictEqual(read({ [name]: 5 }), 5)
})
it("literals are what they were", () => {
  for (const value of [0, -0, 1.5, -7, Number.NaN, Infinity, 0n, -5n, "", 'a"b', true, false]) {
    assert.deepStrictEqual(Source.build({}, Source.literal(value)), value)
  }
})
it("what a function uses has names", () => {
  assert.strictEqual(Source.build<() => number>({ one: 1, two: 2 }, "() => one + two")(), 3)
})
it("code is strict", () => {
  assert.throws(() => Source.build<() => void>({}, "() => { undeclared = 1 }")(), ReferenceError)
})
it("an enum is an int32, and a message no scalar", () => {
  const { open, plain, packed } = FeaturesSchema.field
  assert.deepStrictEqual([open!, plain!, packed!].map(Source.scalarOf), [ScalarType.INT32, undefined, ScalarType.INT32])
})
it("wire types of all scalars", () => {
  const scalars = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 15, 16, 17, 18] as const
  assert.deepStrictEqual(scalars.map(Source.wireTypeOf), [1, 5, 0, 0, 0, 1, 5, 0, 2, 2, 0, 5, 1, 0, 0])
})
it("children are named once", () => {
  const names = (fields: typeof TreeSchema.fields) => Source.childrenOf(fields).map((child) => child.name)
  assert.deepStrictEqual(names(TreeSchema.fields), ["Tree", "Leaf"])
  assert.deepStrictEqual(names(MapsSchema.fields), ["Leaf", "Tree"])
})
