/** Encoding messages of protobuf: of one field, of ten kinds of fields, and of a list of 100 messages. */
import { toBinary } from "@bufbuild/protobuf"
import * as ProtobufCodec from "@sluice/core/protobuf/ProtobufCodec"
import type { Case, Cases } from "./Case.ts"
import { type Subject, subjects } from "./ProtobufMessages.ts"

const ours = ({ descriptor, message }: Subject): Case => {
  const codec = ProtobufCodec.make(descriptor)
  return { operationsPerRun: 1, run: () => codec.encode(message).length }
}
const es = ({ descriptor, message }: Subject): Case => ({
  operationsPerRun: 1,
  run: () => toBinary(descriptor, message).length
})
const js = ({ type, plain }: Subject): Case => ({ operationsPerRun: 1, run: () => type.encode(plain).finish().length })

export const cases: Cases = {
  "one field": ours(subjects.one),
  "one field, protobuf-es": es(subjects.one),
  "one field, protobufjs": js(subjects.one),
  mixed: ours(subjects.mixed),
  "mixed, protobuf-es": es(subjects.mixed),
  "mixed, protobufjs": js(subjects.mixed),
  list: ours(subjects.list),
  "list, protobuf-es": es(subjects.list),
  "list, protobufjs": js(subjects.list)
}
