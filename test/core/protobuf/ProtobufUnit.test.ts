import * as ProtobufReader from "@sluice/core/protobuf/ProtobufReader"
import * as ProtobufUnit from "@sluice/core/protobuf/ProtobufUnit"
import { assert, it } from "vitest"
import { hex } from "../../harness/Hex.ts"
import { LeafSchema, TreeSchema } from "../../harness/protobuf/sluice/test/proto3_pb.ts"

it("is made once for a type, also within others", () => {
  assert.strictEqual(ProtobufUnit.of(TreeSchema), ProtobufUnit.of(TreeSchema))
  assert.notStrictEqual(ProtobufUnit.of(TreeSchema), ProtobufUnit.of(LeafSchema))
})
it("a recursive type calls itself", () => {
  const unit = ProtobufUnit.of(TreeSchema)
  const reader = new ProtobufReader.ProtobufReader()
  const wire = hex("0a 05 0a 03 22 01 61")
  reader.begin(wire)
  const tree = unit.create()
  unit.decode(reader, tree, wire.length, 0, 1)
  assert.strictEqual((tree as unknown as { left: { left: { label: string } } }).left.left.label, "a")
})
it("depth counts from where it is called", () => {
  const unit = ProtobufUnit.of(TreeSchema)
  const reader = new ProtobufReader.ProtobufReader()
  const wire = hex("0a 00")
  const read = (depth: number) => {
    reader.begin(wire)
    unit.decode(reader, unit.create(), wire.length, 0, depth)
  }
  read(ProtobufReader.mostDepth - 1)
  assert.throws(() => read(ProtobufReader.mostDepth))
})
