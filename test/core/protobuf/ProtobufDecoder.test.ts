/** How fields are read that come in other ways than an encoder writes them. Each row is compared with protobuf-es too. */
import { type DescMessage, fromBinary } from "@bufbuild/protobuf"
import * as ProtobufCodec from "@sluice/core/protobuf/ProtobufCodec"
import { assert, describe, it } from "vitest"
import { hex } from "../../harness/Hex.ts"
import * as ProtobufMessages from "../../harness/ProtobufMessages.ts"
import { FeaturesSchema } from "../../harness/protobuf/sluice/test/editions_pb.ts"
import { DefaultsSchema, GroupsSchema, Optional2Schema } from "../../harness/protobuf/sluice/test/proto2_pb.ts"
import * as three from "../../harness/protobuf/sluice/test/proto3_pb.ts"

const { ChoiceSchema, MapsSchema, RepeatedSchema, SingularSchema, TreeSchema, UnpackedSchema, WrappedSchema } = three

const rows: ReadonlyArray<
  readonly [what: string, descriptor: DescMessage, wire: string, name: string, value: unknown]
> = [
  ["the last of a singular field counts", SingularSchema, "28 01 28 02", "int32Value", 2],
  ["an int32 of ten bytes", SingularSchema, "28 ffffffffffffffffff01", "int32Value", -1],
  ["an int32 of 64 bits loses the upper ones", SingularSchema, "28 8180808010", "int32Value", 1],
  ["a varint with zeros behind it", SingularSchema, "28 8180808000", "int32Value", 1],
  ["a bool of 2 is true", SingularSchema, "40 02", "boolValue", true],
  ["an open enum keeps what it does not know", SingularSchema, "8001 63", "color", 99],
  ["packed, where it is declared unpacked", UnpackedSchema, "2a 02 01 02", "int32Values", [1, 2]],
  ["unpacked, where it is declared packed", RepeatedSchema, "28 01 28 02", "int32Values", [1, 2]],
  ["both ways at once", RepeatedSchema, "28 01 2a 02 02 03 28 04", "int32Values", [1, 2, 3, 4]],
  ["an empty packed list", RepeatedSchema, "2a 00", "int32Values", []],
  [
    "a message comes in parts",
    SingularSchema,
    "8a01 03 0a 01 61 8a01 02 10 05",
    "leaf",
    { $typeName: "sluice.test.Leaf", name: "a", size: 5 }
  ],
  ["the last of a oneof counts", ChoiceSchema, "28 01 40 01", "choice", { case: "boolValue", value: true }],
  [
    "a message of a oneof comes in parts",
    ChoiceSchema,
    "8a01 03 0a 01 61 8a01 02 10 05",
    "choice",
    { case: "leaf", value: { $typeName: "sluice.test.Leaf", name: "a", size: 5 } }
  ],
  ["a map's entry without a key", MapsSchema, "1a 03 12 01 61", "byInt32", { 0: "a" }],
  ["a map's entry without a value", MapsSchema, "1a 02 08 05", "byInt32", { 5: "" }],
  ["a map's empty entry", MapsSchema, "1a 00", "byInt32", { 0: "" }],
  ["a map's value before its key", MapsSchema, "1a 05 12 01 61 08 07", "byInt32", { 7: "a" }],
  ["a map's key twice", MapsSchema, "1a 05 08 07 12 01 61 1a 05 08 07 12 01 62", "byInt32", { 7: "b" }],
  ["what else is in a map's entry", MapsSchema, "1a 07 08 07 12 01 61 18 01", "byInt32", { 7: "a" }],
  ["a wrapped value comes in parts", WrappedSchema, "0a 09 09 000000000000f83f 0a 00", "double", 1.5],
  ["an empty wrapper is its 0", WrappedSchema, "3a 00", "bool", false],
  [
    "a map's value comes in parts",
    MapsSchema,
    "ca02 0c 0a 01 78 12 03 0a 01 61 12 02 10 05",
    "ofLeaf",
    { x: { $typeName: "sluice.test.Leaf", name: "a", size: 5 } }
  ],
  // As protobuf-es 2.17: the enum's value is lost where there are unknown fields too.
  [
    "a closed enum's unknown value beside an unknown field",
    GroupsSchema,
    "28 63 9806 01",
    "$unknown",
    [{ no: 99, wireType: 0, data: hex("01") }]
  ],
  [
    "a closed enum's unknown value is no value",
    GroupsSchema,
    "28 63",
    "$unknown",
    [{ no: 5, wireType: 0, data: hex("63") }]
  ],
  [
    "unknown fields are kept",
    SingularSchema,
    "9a06 01 07 a006 8001",
    "$unknown",
    [
      { no: 99, wireType: 2, data: hex("01 07") },
      { no: 100, wireType: 0, data: hex("8001") }
    ]
  ],
  [
    "an unknown group is kept",
    SingularSchema,
    "9b06 08 05 9c06",
    "$unknown",
    [{ no: 99, wireType: 3, data: hex("08 05 9c06") }]
  ],
  ["presence of a 0", Optional2Schema, "28 00", "int32Value", 0],
  ["a delimited message comes in parts", FeaturesSchema, "1a 00 2b 2c 2b 08 01 2c", "delimited", "as protobuf-es"],
  // As protobuf-es: a field is read in the way of its type.
  ["an int32 with the tag of bytes", SingularSchema, "2a 05", "int32Value", 5],
  ["a group where a message was", TreeSchema, "0b 00", "left", "as protobuf-es"],
  // As protobuf-es: a field may reach behind the end of its message.
  [
    "text that is longer than its message",
    SingularSchema,
    "8a01 02 0a 01 61",
    "leaf",
    { $typeName: "sluice.test.Leaf", name: "a", size: 0 }
  ]
]

describe("reads", () => {
  for (const [what, descriptor, wire, name, value] of rows) {
    it(what, () => {
      const codec = ProtobufCodec.make(descriptor)
      assert.strictEqual(codec.strategy, "Compiled")
      assert.isTrue(ProtobufMessages.sameVerdict(codec, hex(wire)))
      if (value === "as protobuf-es") return
      assert.deepStrictEqual((codec.decode(hex(wire)) as unknown as Record<string, unknown>)[name], value)
    })
  }
})
it("a map's key may be __proto__", () => {
  const decoded = ProtobufCodec.make(MapsSchema).decode(hex("3a 0e 0a 09 '__proto__' 12 01 61")) as three.Maps
  assert.deepStrictEqual(Object.entries(decoded.byString), [["__proto__", "a"]])
  assert.strictEqual(Object.getPrototypeOf(decoded.byString), Object.prototype)
})
it("defaults stay on the prototype", () => {
  const decoded = ProtobufCodec.make(DefaultsSchema).decode(hex("28 05")) as object
  assert.deepStrictEqual(Object.keys(decoded), ["$typeName", "int32Value"])
  assert.strictEqual(Object.getPrototypeOf(decoded), Object.getPrototypeOf(fromBinary(DefaultsSchema, hex(""))))
})
