/**
 * What a message is made of, in the ways that `create` takes it: plain objects
 * and messages within each other, fields that are left out, `undefined` or
 * `null`, and names that no field has.
 */
import * as Assert from "node:assert/strict"
import { create, type DescField, type DescMessage, type Message, toBinary } from "@bufbuild/protobuf"
import { isWrapperDesc } from "@bufbuild/protobuf/wkt"
import type { ProtobufCodec } from "@sluice/core/protobuf/ProtobufCodec"
import type { SeededRandom } from "./SeededRandom.ts"

type Loose = Record<string, unknown>

/**
 * An init shape like `message`. `plain`: of objects, arrays and `Uint8Array`s
 * alone, which a compiled encoder needs no help with; `any`: also of what it
 * leaves to protobuf-es.
 */
export const of = (
  random: SeededRandom,
  descriptor: DescMessage,
  message: Message,
  kind: "plain" | "any" = "any"
): object => {
  const fields = message as unknown as Loose
  const init: Loose = {}
  const put = (name: string, value: unknown) =>
    Object.defineProperty(init, name, { value, writable: true, enumerable: true, configurable: true })
  for (const field of shuffled(random, descriptor.fields)) {
    if (field.oneof !== undefined) continue
    const isSet = Object.hasOwn(fields, field.localName) && fields[field.localName] !== undefined
    if (isSet) put(field.localName, valueOf(random, field, fields[field.localName], kind))
    else if (random.below(4) === 0) put(field.localName, random.pick([undefined, null]))
  }
  for (const oneof of descriptor.oneofs) {
    const { case: name, value } = fields[oneof.localName] as { readonly case?: string; readonly value?: unknown }
    const field = oneof.fields.find((one) => one.localName === name)
    if (field !== undefined) put(oneof.localName, { case: name, value: valueOf(random, field, value, kind) })
    else if (random.below(2) === 0) {
      put(oneof.localName, random.pick([undefined, null, {}, { case: undefined }, { case: null }, { case: "nobody" }]))
    }
  }
  if (random.below(3) === 0) put("nobodyHasThis", random.pick([1, "x", {}, null]))
  if (random.below(8) === 0) put("$unknown", [{ no: 900_000, wireType: 0, data: Uint8Array.of(1) }])
  return init
}

const shuffled = <A>(random: SeededRandom, items: ReadonlyArray<A>): ReadonlyArray<A> =>
  random.below(2) === 0
    ? items
    : items
        .map((item) => [random.below(1_000), item] as const)
        .sort(([a], [b]) => a - b)
        .map(([, item]) => item)

const valueOf = (random: SeededRandom, field: DescField, value: unknown, kind: "plain" | "any"): unknown => {
  const single = (one: unknown) => singleOf(random, field, one, kind)
  if (field.fieldKind === "list") return (value as ReadonlyArray<unknown>).map(single)
  if (field.fieldKind !== "map") return single(value)
  const record: Loose = {}
  for (const key of Object.keys(value as Loose)) {
    const one = single((value as Loose)[key])
    Object.defineProperty(record, key, { value: one, writable: true, enumerable: true, configurable: true })
  }
  return record
}

const singleOf = (random: SeededRandom, field: DescField, value: unknown, kind: "plain" | "any"): unknown => {
  if (value instanceof Uint8Array) return kind === "any" && random.below(3) === 0 ? Array.from(value) : value
  if (field.message === undefined || isInMemoryOtherwise(field)) return value
  if (random.below(4) === 0) return value
  const init = of(random, field.message, value as Message, kind)
  // `create` takes from a message of another type what has the same names.
  return kind === "any" && random.below(8) === 0 ? Object.assign(init, { $typeName: "another.Type" }) : init
}

/** A wrapper's value in its place, or JSON. */
const isInMemoryOtherwise = (field: DescField): boolean =>
  (field.fieldKind === "message" && field.oneof === undefined && isWrapperDesc(field.message)) ||
  (field.message?.typeName === "google.protobuf.Struct" && field.parent.typeName !== "google.protobuf.Value")

/** The codec writes what protobuf-es writes of the message that it makes of `init`, or both throw the same. */
export const sameBytes = (codec: ProtobufCodec, init: object): "written" | "refused" => {
  const expected = outcome(() => toBinary(codec.descriptor, create(codec.descriptor, init as Loose)))
  const found = outcome(() => codec.encodeInit(init))
  Assert.deepEqual(found, expected)
  return "error" in expected ? "refused" : "written"
}

const outcome = (encode: () => Uint8Array): { readonly hex: string } | { readonly error: string } => {
  try {
    return { hex: Buffer.from(encode()).toString("hex") }
  } catch (cause) {
    return { error: String(cause) }
  }
}
