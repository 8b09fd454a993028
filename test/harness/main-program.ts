/** A process for the tests of `NodeMain`: what it does is its first argument. */
import { Dialer } from "@sluice/core/transport/Dialer"
import { Listener } from "@sluice/core/transport/Listener"
import * as NodeMain from "@sluice/node/NodeMain"
import * as NodeServices from "@sluice/node/NodeServices"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"

const print = (line: string) => Effect.sync(() => console.log(line))

const local = { host: "127.0.0.1", port: 0 }

const server = (drain: Effect.Effect<void>) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      yield* Listener
      yield* Effect.addFinalizer(() => Effect.andThen(print("draining"), drain))
      yield* print("ready")
    })
  ).pipe(Layer.provide(NodeTransport.layerListener(local)))

const twice = Effect.gen(function* () {
  const first = yield* NodeTransport.makeListener(local)
  if (NetAddress.isInetAddress(first.address)) {
    yield* NodeTransport.makeListener({ ...local, port: first.address.port })
  }
})

const dialed = Effect.gen(function* () {
  const listener = yield* NodeTransport.makeListener(local)
  const { dial } = yield* Dialer
  yield* dial(listener.address)
  yield* print("done")
}).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

switch (process.argv[2]) {
  case "drain":
    NodeMain.run(server(print("drained")))
    break
  case "stuck":
    NodeMain.run(server(Effect.never))
    break
  case "failure":
    NodeMain.run(Layer.effectDiscard(twice))
    break
  case "defect":
    NodeMain.run(Effect.die(new Error("a bug")))
    break
  case "ended":
    NodeMain.run(Effect.andThen(print("last"), Cause.done()))
    break
  case "untagged":
    NodeMain.run(Effect.fail({ why: "no error class" }))
    break
  default:
    NodeMain.run(dialed)
}
