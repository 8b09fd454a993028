/** Golden bytes, equality with protobuf-es for every type of `test/vectors/protobuf`, and what is refused how. */
import * as ChildProcess from "node:child_process"
import { create, getExtension, type Message, setExtension, toBinary } from "@bufbuild/protobuf"
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt"
import * as ProtobufCodec from "@sluice/core/protobuf/ProtobufCodec"
import { ProtobufViolation } from "@sluice/core/protobuf/ProtobufViolation"
import { assert, describe, it } from "vitest"
import { hex } from "../../harness/Hex.ts"
import * as ProtobufInits from "../../harness/ProtobufInits.ts"
import * as ProtobufMessages from "../../harness/ProtobufMessages.ts"
import * as editions from "../../harness/protobuf/sluice/test/editions_pb.ts"
import * as hot from "../../harness/protobuf/sluice/test/hot_pb.ts"
import * as two from "../../harness/protobuf/sluice/test/proto2_pb.ts"
import * as three from "../../harness/protobuf/sluice/test/proto3_pb.ts"
import { SeededRandom } from "../../harness/SeededRandom.ts"

describe("golden bytes", () => {
  const { SingularSchema, RepeatedSchema, ChoiceSchema, MapsSchema, SparseSchema, WrappedSchema } = three
  const rows: ReadonlyArray<
    readonly [what: string, message: Message, descriptor: ProtobufCodec.Descriptor, wire: string]
  > = [
    ["one field", create(hot.TextSchema, { text: "hi" }), hot.TextSchema, "0a 02 6869"],
    ["no field that is set", create(SingularSchema), SingularSchema, ""],
    ["a double", create(SingularSchema, { doubleValue: 1.5 }), SingularSchema, "09 000000000000f83f"],
    ["-0 is not 0", create(SingularSchema, { doubleValue: -0 }), SingularSchema, "09 0000000000000080"],
    ["NaN", create(SingularSchema, { floatValue: Number.NaN }), SingularSchema, "15 0000c07f"],
    ["a float's infinity", create(SingularSchema, { floatValue: -Infinity }), SingularSchema, "15 000080ff"],
    ["int64 of -1", create(SingularSchema, { int64Value: -1n }), SingularSchema, "18 ffffffffffffffffff01"],
    [
      "uint64 of 2^64-1",
      create(SingularSchema, { uint64Value: 2n ** 64n - 1n }),
      SingularSchema,
      "20 ffffffffffffffffff01"
    ],
    [
      "int32 of -2 has ten bytes",
      create(SingularSchema, { int32Value: -2 }),
      SingularSchema,
      "28 feffffffffffffffff01"
    ],
    ["fixed64", create(SingularSchema, { fixed64Value: 1n }), SingularSchema, "31 0100000000000000"],
    ["fixed32", create(SingularSchema, { fixed32Value: 0xfffffffe }), SingularSchema, "3d feffffff"],
    ["bool", create(SingularSchema, { boolValue: true }), SingularSchema, "40 01"],
    ["text", create(SingularSchema, { stringValue: "é" }), SingularSchema, "4a 02 c3a9"],
    ["bytes", create(SingularSchema, { bytesValue: Uint8Array.of(0, 255) }), SingularSchema, "52 02 00ff"],
    ["uint32", create(SingularSchema, { uint32Value: 300 }), SingularSchema, "58 ac02"],
    ["sfixed32", create(SingularSchema, { sfixed32Value: -1 }), SingularSchema, "65 ffffffff"],
    ["sfixed64", create(SingularSchema, { sfixed64Value: -2n }), SingularSchema, "69 feffffffffffffff"],
    ["zigzag of 32 bits", create(SingularSchema, { sint32Value: -(2 ** 31) }), SingularSchema, "70 ffffffff0f"],
    [
      "zigzag of 64 bits",
      create(SingularSchema, { sint64Value: -(2n ** 63n) }),
      SingularSchema,
      "78 ffffffffffffffffff01"
    ],
    ["an enum's unknown value", create(SingularSchema, { color: 77 as three.Color }), SingularSchema, "8001 4d"],
    ["an empty message within", create(SingularSchema, { leaf: {} }), SingularSchema, "8a01 00"],
    [
      "presence of 0",
      create(three.OptionalSchema, { int32Value: 0, stringValue: "" }),
      three.OptionalSchema,
      "28 00 4a 00"
    ],
    ["a packed list", create(RepeatedSchema, { int32Values: [1, 300] }), RepeatedSchema, "2a 03 01 ac02"],
    [
      "a list that is not",
      create(three.UnpackedSchema, { int32Values: [1, 300] }),
      three.UnpackedSchema,
      "28 01 28 ac02"
    ],
    ["a oneof's 0", create(ChoiceSchema, { choice: { case: "int32Value", value: 0 } }), ChoiceSchema, "28 00"],
    ["a map", create(MapsSchema, { byInt32: { 7: "a" } }), MapsSchema, "1a 05 08 07 12 01 61"],
    ["by number, not by place", create(SparseSchema, { last: "z", first: 1 }), SparseSchema, "08 01 faffffff0f 01 7a"],
    ["a value that is wrapped", create(WrappedSchema, { string: "a" }), WrappedSchema, "42 03 0a 01 61"],
    ["groups", create(two.GroupsSchema, { single: { number: 5 } }), two.GroupsSchema, "0b 08 05 0c"],
    [
      "a delimited message",
      create(editions.FeaturesSchema, { required: "", delimited: {} }),
      editions.FeaturesSchema,
      "1a 00 2b 2c"
    ]
  ]
  for (const [what, message, descriptor, wire] of rows) {
    it(what, () => {
      const codec = ProtobufCodec.make(descriptor)
      assert.strictEqual(codec.strategy, "Compiled")
      assert.strictEqual(Buffer.from(codec.encode(message)).toString("hex"), wire.replaceAll(" ", ""))
      assert.deepStrictEqual(codec.decode(hex(wire)), message)
      ProtobufMessages.sameVerdict(codec, hex(wire))
    })
  }
})

describe("the same as protobuf-es", () => {
  for (const descriptor of ProtobufMessages.descriptors) {
    it(descriptor.typeName, () => {
      const codec = ProtobufCodec.make(descriptor)
      const verdicts = { read: 0, refused: 0 }
      const read = (bytes: Uint8Array) => {
        verdicts[ProtobufMessages.sameVerdict(codec, bytes) ? "read" : "refused"]++
      }
      for (let seed = 0; seed < 24; seed++) {
        const random = new SeededRandom(seed)
        const bytes = ProtobufMessages.sameBytes(codec, ProtobufMessages.message(random, descriptor))
        assert.isTrue(ProtobufMessages.sameVerdict(codec, bytes))
        read(ProtobufMessages.damage(random, bytes))
        const wire = ProtobufMessages.wire(random, descriptor)
        read(wire)
        read(ProtobufMessages.damage(random, wire))
      }
      assert.isAbove(verdicts.read, 0)
      assert.isAbove(verdicts.refused, 0)
    })
  }
  it("every prefix of a message", () => {
    const codec = ProtobufCodec.make(hot.MixedSchema)
    const bytes = codec.encode(
      create(hot.MixedSchema, { name: "ü", score: 1, created: 1n << 60n, tags: ["a", ""], parent: {}, counts: [1, -1] })
    )
    for (let end = 0; end <= bytes.length; end++) ProtobufMessages.sameVerdict(codec, bytes.subarray(0, end))
  })
  it("bytes in a Buffer, somewhere in its memory", () => {
    const codec = ProtobufCodec.make(hot.MixedSchema)
    const bytes = toBinary(hot.MixedSchema, create(hot.MixedSchema, { score: 1.5, token: Uint8Array.of(1), name: "é" }))
    ProtobufMessages.sameVerdict(codec, Buffer.from([9, ...bytes, 9]).subarray(1, -1))
    ProtobufMessages.sameVerdict(codec, Uint8Array.from([9, ...bytes, 9]).subarray(1, -1))
  })
  it("descriptors, as reflection sends them", () => {
    const codec = ProtobufCodec.make(FileDescriptorProtoSchema)
    for (const { file } of ProtobufMessages.descriptors) {
      assert.isTrue(ProtobufMessages.sameVerdict(codec, ProtobufMessages.sameBytes(codec, file.proto)))
    }
  })
  it("extensions", () => {
    const codec = ProtobufCodec.make(two.Optional2Schema)
    const made = create(two.Optional2Schema, { stringValue: "a" })
    setExtension(made, two.note, "kept")
    setExtension(made, two.marks, [1, 2])
    const decoded = codec.decode(ProtobufMessages.sameBytes(codec, made))
    if (decoded instanceof ProtobufViolation) assert.fail(decoded.message)
    assert.strictEqual(getExtension(decoded, two.note), "kept")
    assert.deepStrictEqual(getExtension(decoded, two.marks), [1, 2])
  })
})

describe("what a message is made of: the same as to make it first", () => {
  for (const descriptor of ProtobufMessages.descriptors) {
    it(descriptor.typeName, () => {
      const codec = ProtobufCodec.make(descriptor)
      for (let seed = 0; seed < 24; seed++) {
        const random = new SeededRandom(seed)
        const init = ProtobufInits.of(random, descriptor, ProtobufMessages.message(random, descriptor))
        assert.strictEqual(ProtobufInits.sameBytes(codec, init), "written")
      }
    })
  }
  const { SingularSchema, RepeatedSchema, TreeSchema, ChoiceSchema, MapsSchema } = three
  const rows: ReadonlyArray<readonly [descriptor: ProtobufCodec.Descriptor, init: object, "written" | "refused"]> = [
    [SingularSchema, {}, "written"],
    [SingularSchema, { int32Value: undefined, leaf: undefined, stringValue: null }, "written"],
    [SingularSchema, { int32Value: "7" }, "written"],
    [SingularSchema, { bytesValue: [1, 300] }, "written"],
    [SingularSchema, Object.create({ int32Value: 1 }), "written"],
    [SingularSchema, { int32Value: 2 ** 31 }, "refused"],
    [SingularSchema, { stringValue: 5 }, "written"],
    [SingularSchema, { leaf: 5 }, "refused"],
    [SingularSchema, { leaf: create(hot.TextSchema, { text: "x" }) }, "written"],
    [TreeSchema, { left: { left: {}, label: "a" }, children: [{}, { label: "b" }] }, "written"],
    [TreeSchema, { left: [] }, "refused"],
    [RepeatedSchema, { int32Values: { length: 2, 0: 1, 1: 2 } }, "written"],
    [RepeatedSchema, { int32Values: [1, undefined] }, "refused"],
    [MapsSchema, { byInt32: ["a", "b"] }, "written"],
    [MapsSchema, { byInt32: { x: "a" } }, "refused"],
    [ChoiceSchema, { choice: { case: "nobody", value: 1 } }, "written"],
    [ChoiceSchema, { choice: { case: "stringValue", value: undefined } }, "written"],
    [two.RequiredSchema, {}, "refused"],
    [two.Optional2Schema, { stringValue: "" }, "written"]
  ]
  for (const [descriptor, init, expected] of rows) {
    it(`${descriptor.name} of ${JSON.stringify(init)} is ${expected}`, () => {
      assert.strictEqual(ProtobufInits.sameBytes(ProtobufCodec.make(descriptor), init), expected)
      assert.strictEqual(ProtobufInits.sameBytes(ProtobufCodec.plain(descriptor), init), expected)
    })
  }
  it("a message of its type is written as it is, with what it does not know", () => {
    const made = create(SingularSchema, { int32Value: 1 })
    made.$unknown = [{ no: 900_000, wireType: 0, data: Uint8Array.of(1) }]
    for (const codec of [ProtobufCodec.make(SingularSchema), ProtobufCodec.plain(SingularSchema)]) {
      assert.isTrue(Buffer.from(codec.encodeInit(made)).equals(toBinary(SingularSchema, made)))
    }
  })
  it("a message of another type is refused, and not taken for fields of the same names", () => {
    for (const codec of [ProtobufCodec.make(SingularSchema), ProtobufCodec.plain(SingularSchema)]) {
      assert.throws(() => codec.encodeInit(create(hot.TextSchema) as object), "cannot use")
    }
  })
  it("bytes before it are the caller's", () => {
    const codec = ProtobufCodec.make(hot.TextSchema)
    for (const text of ["a", "a".repeat(9_000)]) {
      assert.isTrue(
        Buffer.from(codec.encodeInit({ text }, 5).subarray(5)).equals(codec.encode(create(hot.TextSchema, { text })))
      )
    }
  })
})

describe("what is refused", () => {
  const { SingularSchema, RepeatedSchema, TreeSchema } = three
  const groups = (depth: number) => hex(`${" c3 0c".repeat(depth)}${" c4 0c".repeat(depth)}`)
  const rows: ReadonlyArray<
    readonly [what: string, descriptor: ProtobufCodec.Descriptor, wire: Uint8Array, reason: string]
  > = [
    ["no value", SingularSchema, hex("28"), "Truncated"],
    ["half a varint", SingularSchema, hex("28 80"), "Truncated"],
    ["half a fixed64", SingularSchema, hex("31 00000000"), "Truncated"],
    ["text behind the end", SingularSchema, hex("4a 03 6162"), "Truncated"],
    ["a message behind the end", SingularSchema, hex("8a01 05 0a"), "Truncated"],
    ["a packed list behind the end", RepeatedSchema, hex("2a 05 01"), "Truncated"],
    ["a length of 4 GiB", SingularSchema, hex("52 ffffffff0f"), "Truncated"],
    ["an unknown field behind the end", SingularSchema, hex("9a06 05 00"), "Truncated"],
    ["a varint of 11 bytes", SingularSchema, hex("28 80808080808080808080 00"), "VarintTooLong"],
    ["a varint of 11 bytes, of 64 bits", SingularSchema, hex("18 80808080808080808080 00"), "VarintTooLong"],
    ["field 0", SingularSchema, hex("00 00"), "InvalidTag"],
    ["wire type 6", SingularSchema, hex("2e 00"), "InvalidTag"],
    ["wire type 7 of an unknown field", SingularSchema, hex("9f06 00"), "InvalidTag"],
    ["a tag of 33 bits", SingularSchema, hex("a8808080 10 00"), "InvalidTag"],
    ["a tag that is too long", SingularSchema, hex("a88080808000 00"), "InvalidTag"],
    ["the end of no group", SingularSchema, hex("9c06"), "InvalidTag"],
    ["an unknown group that another ends", SingularSchema, hex("9b06 a406"), "InvalidGroup"],
    ["a group that another ends", two.GroupsSchema, hex("0b 14"), "InvalidGroup"],
    ["a group without an end", two.GroupsSchema, hex("0b 08 05"), "InvalidGroup"],
    ["text that is not UTF-8", SingularSchema, hex("4a 02 c328"), "InvalidUtf8"],
    ["a key that is not UTF-8", three.MapsSchema, hex("3a 04 0a 02 c328"), "InvalidUtf8"],
    ["field 0 in a map's entry", three.MapsSchema, hex("1a 02 00 00"), "InvalidTag"],
    ["wire type 6 in a map's entry", three.MapsSchema, hex("1a 02 0e 00"), "InvalidTag"],
    ["100 groups in a map's entry", three.MapsSchema, inEntry(groups(100)), "TooDeep"],
    ["101 messages", TreeSchema, deepWire(101), "TooDeep"],
    ["100 unknown groups within a message", SingularSchema, groups(100), "TooDeep"]
  ]
  for (const [what, descriptor, wire, reason] of rows) {
    it(what, () => {
      for (const codec of [ProtobufCodec.make(descriptor), ProtobufCodec.plain(descriptor)]) {
        const decoded = codec.decode(wire)
        if (!(decoded instanceof ProtobufViolation)) assert.fail(`${codec.strategy} has read it`)
        assert.deepStrictEqual([decoded.reason, decoded.typeName], [reason, descriptor.typeName], codec.strategy)
      }
    })
  }
  it("100 messages are read", () => {
    assert.isTrue(ProtobufMessages.sameVerdict(ProtobufCodec.make(three.MapsSchema), inEntry(groups(99))))
    assert.isTrue(ProtobufMessages.sameVerdict(ProtobufCodec.make(TreeSchema), deepWire(100)))
    assert.isTrue(ProtobufMessages.sameVerdict(ProtobufCodec.make(SingularSchema), groups(99)))
  })
  it("text that is not UTF-8 passes where the field says so", () => {
    const codec = ProtobufCodec.make(editions.FeaturesSchema)
    const decoded = codec.decode(hex("1a 00 22 02 c328"))
    if (decoded instanceof ProtobufViolation) assert.fail(decoded.message)
    assert.strictEqual(decoded.unchecked, "\ufffd(")
  })
})

/** So many messages within each other: each one's field 1 is the next. */
function deepWire(depth: number): Uint8Array {
  let bytes: ReadonlyArray<number> = []
  for (let level = 1; level < depth; level++) bytes = [0x0a, ...lengthOf(bytes.length), ...bytes]
  return Uint8Array.from(bytes)
}

/** An entry of field 3, of what no entry has. */
function inEntry(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from([0x1a, ...lengthOf(bytes.length), ...bytes])
}

function lengthOf(count: number): ReadonlyArray<number> {
  return count < 128 ? [count] : [(count & 127) | 128, count >> 7]
}

describe("what is not of its type", () => {
  const { SingularSchema } = three
  const codec = ProtobufCodec.make(SingularSchema)
  const loose = (fields: object) => Object.assign(create(SingularSchema), fields)
  const rows: ReadonlyArray<readonly [what: string, fields: object]> = [
    ["a number out of range", { int32Value: 2 ** 31 }],
    ["a fraction", { uint32Value: 1.5 }],
    ["a bigint out of range", { uint64Value: -1n }],
    ["a float out of range", { floatValue: 1e300 }],
    ["no number", { int32Value: "x" }],
    ["no message", { leaf: create(hot.TextSchema) }],
    ["no list", { leaf: 5 }]
  ]
  for (const [what, fields] of rows) {
    it(`${what} is refused as by protobuf-es`, () => {
      const made = loose(fields)
      let said = ""
      try {
        toBinary(SingularSchema, made)
      } catch (cause) {
        said = String(cause)
      }
      assert.isNotEmpty(said)
      assert.throws(() => codec.encode(made), said.replace(/^\w+: /, ""))
      // And the next message is written as if nothing had been, into the shared memory.
      const bytes = ProtobufMessages.sameBytes(codec, create(SingularSchema, { int32Value: 1 }))
      assert.isAbove(bytes.buffer.byteLength, bytes.length)
    })
  }
  it("another message is refused", () => {
    assert.throws(() => codec.encode(create(hot.TextSchema) as unknown as three.Singular), "cannot use")
  })
  it("a required field that is not set is refused", () => {
    assert.throws(() => ProtobufCodec.make(two.RequiredSchema).encode(create(two.RequiredSchema)), "required")
  })
  it("what protobuf-es converts is converted", () => {
    ProtobufMessages.sameBytes(codec, loose({ int32Value: "5", int64Value: 7, boolValue: 1, uint64Value: "0" }))
  })
  it("a getter may encode too", () => {
    const made = create(hot.TextSchema)
    const inner: Array<Uint8Array> = []
    Object.defineProperty(made, "text", {
      get: () => {
        inner.push(codec.encode(create(SingularSchema, { int32Value: 1 })))
        return "outer"
      }
    })
    const bytes = ProtobufCodec.make(hot.TextSchema).encode(made)
    assert.strictEqual(Buffer.from(bytes).toString("latin1"), "\n\u0005outer")
    assert.deepStrictEqual([...inner[0]!], [0x28, 1])
  })
})

describe("memory", () => {
  const codec = ProtobufCodec.make(hot.MixedSchema)
  it("messages do not reach into each other, whatever their lengths", () => {
    const random = new SeededRandom(3)
    const written = Array.from({ length: 2_000 }, () => {
      const made = create(hot.MixedSchema, { name: "x".repeat(random.pick([1, 20, 500, 5_000, 40_000, 200_000])) })
      if (random.below(50) > 0) made.name = made.name.slice(0, 300)
      return [codec.encode(made), toBinary(hot.MixedSchema, made)] as const
    })
    for (const [bytes, expected] of written) assert.isTrue(Buffer.from(bytes).equals(expected))
  })
  it("a large message is not held by small ones behind it", () => {
    codec.encode(create(hot.MixedSchema, { token: new Uint8Array(100_000) }))
    for (let count = 0; count < 200; count++) {
      const bytes = codec.encode(create(hot.MixedSchema, { id: 1 }))
      assert.isAtMost(bytes.buffer.byteLength, 8_192)
    }
  })
  it("bytes before the message are the caller's", () => {
    for (const made of [
      create(hot.MixedSchema, { name: "a" }),
      create(hot.MixedSchema, { name: "a".repeat(9_000) }),
      Object.assign(create(hot.MixedSchema), { id: "5" })
    ]) {
      const bytes = codec.encode(made, 5)
      const expected = Buffer.from(toBinary(hot.MixedSchema, made))
      assert.isTrue(expected.equals(bytes.subarray(5)))
    }
  })
  it("bytes of a decoded message are views", () => {
    const wire = hex("32 02 0102 9a06 01 07")
    const decoded = codec.decode(wire)
    if (decoded instanceof ProtobufViolation) assert.fail(decoded.message)
    assert.strictEqual(decoded.token.buffer, wire.buffer)
    assert.strictEqual(decoded.$unknown![0]!.data.buffer, wire.buffer)
  })
})

describe("what is left to protobuf-es", () => {
  it("fields that are JSON in memory, however deep", () => {
    assert.strictEqual(ProtobufCodec.make(three.JsonSchema).strategy, "JsonField")
    assert.strictEqual(ProtobufCodec.make(three.HoldsJsonSchema).strategy, "JsonField")
  })
  it("everything, where code may not be made of text", () => {
    const program = `
      import * as ProtobufCodec from "@sluice/core/protobuf/ProtobufCodec"
      import { TextSchema } from "./test/harness/protobuf/sluice/test/hot_pb.ts"
      const codec = ProtobufCodec.make(TextSchema)
      const decoded = codec.decode(Uint8Array.of(10, 1, 97))
      console.log(codec.strategy, codec.encode(decoded).join(), decoded.text, codec.decode(Uint8Array.of(10)).reason)`
    const options = ["--disallow-code-generation-from-strings", "--conditions=@sluice/source", "--input-type=module"]
    const root = new URL("../../../", import.meta.url)
    const said = ChildProcess.execFileSync(process.execPath, [...options, "--eval", program], { cwd: root })
    assert.strictEqual(String(said).trim(), "NoCodeGeneration 10,1,97 a Truncated")
  })
  it("a codec is made once", () => {
    assert.strictEqual(ProtobufCodec.make(hot.TextSchema), ProtobufCodec.make(hot.TextSchema))
  })
})
