/**
 * Compares the codec of messages with protobuf-es, on random messages of every
 * type in `test/vectors/protobuf`, on what is left of them after damage, and on
 * random fields, for as long as you like:
 *
 * ```sh
 * node --conditions=@sluice/source test/fuzz/protobuf.ts [seconds, default 60] [seed]
 * ```
 *
 * Both must write the same bytes, also of what a message is made of, and read the same values or refuse. Nothing
 * may throw. A failure prints the seed of its round, with which it can be run again.
 */
import * as ProtobufCodec from "@sluice/core/protobuf/ProtobufCodec"
import * as ProtobufInits from "../harness/ProtobufInits.ts"
import * as ProtobufMessages from "../harness/ProtobufMessages.ts"
import { SeededRandom } from "../harness/SeededRandom.ts"
import * as FuzzRun from "./FuzzRun.ts"

await FuzzRun.run(FuzzRun.parse(process.argv.slice(2)), (seed) => {
  const random = new SeededRandom(seed)
  const codec = ProtobufCodec.make(random.pick(ProtobufMessages.descriptors))
  const bytes = ProtobufMessages.sameBytes(codec, ProtobufMessages.message(random, codec.descriptor))
  ProtobufMessages.sameVerdict(codec, bytes)
  const message = ProtobufMessages.message(random, codec.descriptor)
  ProtobufInits.sameBytes(codec, ProtobufInits.of(random, codec.descriptor, message))
  for (let count = 0; count < 4; count++) {
    ProtobufMessages.sameVerdict(codec, ProtobufMessages.damage(random, bytes))
    const wire = ProtobufMessages.wire(random, codec.descriptor)
    ProtobufMessages.sameVerdict(codec, wire)
    ProtobufMessages.sameVerdict(codec, ProtobufMessages.damage(random, wire))
  }
  return 15
})
