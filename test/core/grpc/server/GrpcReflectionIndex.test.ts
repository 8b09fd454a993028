import { create, createFileRegistry, fromBinary, type MessageInitShape } from "@bufbuild/protobuf"
import {
  type FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  FileDescriptorProtoSchema as FileSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type
} from "@bufbuild/protobuf/wkt"
import { assert, describe, it } from "@effect/vitest"
import type { Service } from "@sluice/core/grpc/GrpcMethod"
import * as Index from "@sluice/core/grpc/server/GrpcReflectionIndex"

type File = MessageInitShape<typeof FileDescriptorProtoSchema>

const text = (name: string, number: number) => ({
  name,
  number,
  type: Type.STRING,
  label: Label.OPTIONAL,
  jsonName: name
})

/** `a` imports `b` and `c`, and both `d`; nobody imports `lone`. */
const files: ReadonlyArray<File> = [
  {
    name: "d/d.proto",
    package: "d",
    messageType: [{ name: "Base", field: [text("name", 1)], extensionRange: [{ start: 100, end: 200 }] }]
  },
  {
    name: "b/b.proto",
    package: "b",
    dependency: ["d/d.proto"],
    extension: [{ ...text("by_b", 102), extendee: ".d.Base" }]
  },
  {
    name: "c/c.proto",
    package: "c",
    dependency: ["d/d.proto"],
    messageType: [{ name: "Holder", extension: [{ ...text("by_c", 101), extendee: ".d.Base" }] }]
  },
  {
    name: "a/a.proto",
    package: "a",
    dependency: ["b/b.proto", "c/c.proto"],
    messageType: [
      {
        name: "Outer",
        field: [{ ...text("choice", 1), oneofIndex: 0 }],
        oneofDecl: [{ name: "one" }],
        nestedType: [
          {
            name: "Inner",
            field: [text("deep", 1)],
            enumType: [{ name: "Kind", value: [{ name: "FIRST", number: 0 }] }]
          }
        ]
      }
    ],
    enumType: [{ name: "Colour", value: [{ name: "RED", number: 0 }] }],
    service: [{ name: "Z", method: [{ name: "Do", inputType: ".a.Outer", outputType: ".a.Outer.Inner" }] }]
  },
  {
    name: "lone.proto",
    messageType: [{ name: "Lone" }],
    service: [{ name: "B", method: [{ name: "Do", inputType: ".Lone", outputType: ".Lone" }] }]
  }
]

const registry = createFileRegistry(
  create(FileDescriptorSetSchema, { file: files.map((file) => create(FileSchema, { syntax: "proto2", ...file })) })
)

const service = (name: string): Service => registry.getService(name)!

const index = new Index.GrpcReflectionIndex([service("a.Z"), service("B")])

describe("GrpcReflectionIndex", () => {
  it("services are in the order of their names", () => assert.deepStrictEqual(index.services, ["B", "a.Z"]))

  it("files are found by the names that imports have, those of imports too", () => {
    for (const { name } of files) assert.strictEqual(index.fileNamed(name!)?.proto.name, name)
    for (const name of ["a/a", "a.proto", "", "/a/a.proto"]) assert.isUndefined(index.fileNamed(name), name)
  })

  const symbols: Readonly<Record<string, string | undefined>> = {
    "a.Z": "a/a.proto",
    "a.Z.Do": "a/a.proto",
    "a.Outer": "a/a.proto",
    "a.Outer.choice": "a/a.proto",
    "a.Outer.one": "a/a.proto",
    "a.Outer.Inner": "a/a.proto",
    "a.Outer.Inner.deep": "a/a.proto",
    "a.Outer.Inner.Kind": "a/a.proto",
    "a.Outer.Inner.FIRST": "a/a.proto",
    "a.Colour": "a/a.proto",
    "a.RED": "a/a.proto",
    "b.by_b": "b/b.proto",
    "c.Holder.by_c": "c/c.proto",
    "d.Base": "d/d.proto",
    B: "lone.proto",
    "B.Do": "lone.proto",
    Lone: "lone.proto",
    // An enum's values are siblings of the enum.
    "a.Colour.RED": undefined,
    "a.Z.do": undefined,
    ".a.Z": undefined,
    a: undefined,
    "": undefined,
    constructor: undefined
  }
  for (const [name, file] of Object.entries(symbols)) {
    it(`the file of "${name}"`, () => assert.strictEqual(index.fileOfSymbol(name)?.proto.name, file))
  }

  it("extensions are found by what they extend", () => {
    assert.strictEqual(index.fileOfExtension("d.Base", 101)?.proto.name, "c/c.proto")
    assert.strictEqual(index.fileOfExtension("d.Base", 102)?.proto.name, "b/b.proto")
    assert.isUndefined(index.fileOfExtension("d.Base", 103))
    assert.isUndefined(index.fileOfExtension("a.Outer", 101))
    assert.deepStrictEqual(index.extensionNumbers("d.Base"), [101, 102])
    assert.deepStrictEqual(index.extensionNumbers("a.Outer.Inner"), [])
    for (const name of ["a.Z", "a.Colour", "a.None"]) assert.isUndefined(index.extensionNumbers(name), name)
  })

  it("what the services do not need is not told", () => {
    const alone = new Index.GrpcReflectionIndex([service("B")])
    assert.isUndefined(alone.fileNamed("a/a.proto"))
    assert.isUndefined(alone.fileOfSymbol("d.Base"))
  })

  it("a file comes first, and what it imports once", () => {
    const names = Index.withImports(service("a.Z").file).map((file) => file.proto.name)
    assert.deepStrictEqual(names, ["a/a.proto", "b/b.proto", "c/c.proto", "d/d.proto"])
  })

  it("a file's bytes are its description, and made once", () => {
    const { file } = service("a.Z")
    const bytes = Index.bytesOf(file)
    assert.deepStrictEqual(fromBinary(FileSchema, bytes), file.proto)
    assert.strictEqual(Index.bytesOf(file), bytes)
  })
})
