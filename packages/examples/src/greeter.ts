/**
 * The greeter as an `effect/rpc` group: what client and server share, and the
 * handlers. None of it knows how it is carried.
 */
import * as Effect from "effect/Effect"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcGroup from "effect/rpc/RpcGroup"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

const Reply = Schema.Struct({ message: Schema.String })

export class Greeter extends RpcGroup.make(
  Rpc.make("SayHello", { payload: { name: Schema.String }, success: Reply }),
  Rpc.make("StreamHellos", { payload: { name: Schema.String }, success: Reply, stream: true })
) {}

export const handlers = Greeter.toLayer({
  SayHello: ({ name }) => Effect.succeed({ message: `Hello ${name}` }),
  StreamHellos: () => Stream.map(Stream.range(1, 5), (i) => ({ message: `Hello #${i}` }))
})
