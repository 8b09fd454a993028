/** Messages that calls carry, for this codec, protobuf-es and protobufjs. */
import { create, type DescMessage, type Message, toBinary } from "@bufbuild/protobuf"
import protobufjs from "protobufjs"
import { ItemsSchema, MixedSchema, TextSchema } from "../../../test/harness/protobuf/sluice/test/hot_pb.ts"

export interface Subject {
  readonly descriptor: DescMessage
  readonly message: Message
  readonly bytes: Uint8Array
  /** The type, as protobufjs compiles it. */
  readonly type: protobufjs.Type
  /** The message, as protobufjs has it. */
  readonly plain: protobufjs.Message
}

const root = protobufjs.parse(`
  syntax = "proto3";
  package sluice.test;
  message Text { string text = 1; }
  message Mixed {
    int32 id = 1; string name = 2; bool active = 3; double score = 4; int64 created = 5;
    bytes token = 6; repeated string tags = 7; Mixed parent = 8; uint32 flags = 9; repeated int32 counts = 10;
  }
  message Items { repeated Item items = 1; }
  message Item { uint32 id = 1; string title = 2; double price = 3; }
`).root

const subject = (descriptor: DescMessage, message: Message): Subject => {
  const bytes = toBinary(descriptor, message)
  const type = root.lookupType(descriptor.typeName)
  return { descriptor, message, bytes, type, plain: type.decode(bytes) }
}

export const subjects = {
  one: subject(TextSchema, create(TextSchema, { text: "hello world" })),
  mixed: subject(
    MixedSchema,
    create(MixedSchema, {
      id: 123_456,
      name: "Ada Lovelace of London",
      active: true,
      score: 0.75,
      created: 1_700_000_000_000n,
      token: new Uint8Array(16).fill(7),
      tags: ["alpha", "beta"],
      parent: { id: 1, name: "parent" },
      flags: 5,
      counts: [1, 200, 30_000]
    })
  ),
  list: subject(
    ItemsSchema,
    create(ItemsSchema, {
      items: Array.from({ length: 100 }, (_, index) => ({ id: index, title: `item number ${index}`, price: index / 4 }))
    })
  )
} as const satisfies Record<string, Subject>
