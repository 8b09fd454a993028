/** Decoding messages of protobuf: of one field, of ten kinds of fields, and of a list of 100 messages. */
import { fromBinary } from "@bufbuild/protobuf"
import * as ProtobufCodec from "@sluice/core/protobuf/ProtobufCodec"
import type { Case, Cases } from "./Case.ts"
import { type Subject, subjects } from "./ProtobufMessages.ts"

const fieldsOf = (message: object): number => ("$typeName" in message ? 1 : 2)

const ours = ({ descriptor, bytes }: Subject): Case => {
  const codec = ProtobufCodec.make(descriptor)
  return { operationsPerRun: 1, run: () => fieldsOf(codec.decode(bytes)) }
}
const es = ({ descriptor, bytes }: Subject): Case => ({
  operationsPerRun: 1,
  run: () => fieldsOf(fromBinary(descriptor, bytes))
})
const js = ({ type, bytes }: Subject): Case => ({ operationsPerRun: 1, run: () => fieldsOf(type.decode(bytes)) })

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
