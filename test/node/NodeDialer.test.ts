import { assert, describe, it } from "@effect/vitest"
import * as Dialer from "@sluice/core/transport/Dialer"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { identity, trusting } from "../harness/Certificates.ts"
import { leaveNoHandles } from "../harness/NodeHandles.ts"
import { dialTo, listen, local, portOf, reasonOf, take } from "../harness/NodeNet.ts"
import { bytes, echo, record, turns } from "../harness/TransportContract.ts"

leaveNoHandles()

describe("dialing", () => {
  it.live("by name, by address, and through the service", () =>
    Effect.gen(function* () {
      const { listener, transports } = yield* listen(local)
      const { dial } = yield* Dialer.Dialer
      for (const target of [{ host: "localhost", port: portOf(listener) }, listener.address]) {
        const client = yield* dial(target)
        echo(yield* take(transports))
        const received = record(client)
        client.write(bytes("hello"))
        yield* received.until((self) => self.text === "hello")
        assert.strictEqual(String(client.peer), String(listener.address))
      }
    }).pipe(Effect.scoped, Effect.provide(NodeTransport.layerDialer()))
  )

  it.live("nobody listens: ConnectionRefused names the target", () =>
    Effect.gen(function* () {
      const { listener } = yield* listen(local)
      const port = portOf(listener)
      yield* listener.close
      const byAddress = yield* reasonOf(dialTo({ host: "127.0.0.1", port }), "ConnectionRefused")
      assert.strictEqual(byAddress.address, `127.0.0.1:${port}`)
      // Both families of localhost are tried; all of their errors come in one.
      const byName = yield* reasonOf(dialTo({ host: "localhost", port }), "ConnectionRefused")
      assert.strictEqual(byName.address, `localhost:${port}`)
    }).pipe(Effect.scoped)
  )

  it.live("RFC 6761 §6.4: names under .invalid do not resolve", () =>
    Effect.gen(function* () {
      const reason = yield* reasonOf(dialTo({ host: "nobody.invalid", port: 80 }), "NameNotResolved")
      assert.strictEqual(reason.host, "nobody.invalid")
    }).pipe(Effect.scoped)
  )

  it.effect("connectTimeout runs on the clock, and covers the TLS handshake", () =>
    Effect.gen(function* () {
      const { listener, transports } = yield* listen(local)
      const dialing = yield* Effect.forkChild(
        reasonOf(dialTo(listener.address, { tls: trusting("a.test"), connectTimeout: "3 seconds" }), "ConnectTimeout")
      )
      // The server is silent: its side sees the connection, and then its end.
      const received = record(yield* take(transports))
      yield* received.saw("bytes")
      yield* TestClock.adjust("3 seconds")
      const reason = yield* Fiber.join(dialing)
      assert.strictEqual(reason.limitMillis, Duration.toMillis("3 seconds"))
      yield* received.until((self) => self.events.includes("end") || self.events.includes("close"))
    }).pipe(Effect.scoped)
  )

  it.live("interruption leaves nothing open", () =>
    Effect.gen(function* () {
      const { listener, transports } = yield* listen(local)
      const dialing = yield* Effect.forkChild(dialTo(listener.address, { tls: trusting("a.test") }))
      const received = record(yield* take(transports))
      yield* received.saw("bytes")
      yield* Fiber.interrupt(dialing)
      yield* received.until((self) => self.events.includes("end") || self.events.includes("close"))
    }).pipe(Effect.scoped)
  )

  it.live("interruption while connecting leaves nothing open", () =>
    Effect.gen(function* () {
      const listener = yield* NodeTransport.makeListener(local)
      const dialing = yield* Effect.forkChild(dialTo(listener.address), { startImmediately: true })
      yield* Fiber.interrupt(dialing)
      // Time for the connection to come about, were it not given up.
      yield* turns
    }).pipe(Effect.scoped)
  )

  it.live("closing the scope destroys the transport", () =>
    Effect.gen(function* () {
      const { listener, transports } = yield* listen({ ...local, tls: { certificates: identity("a") } })
      const scope = yield* Scope.make()
      const client = yield* Scope.provide(dialTo(listener.address, { tls: trusting("a.test") }), scope)
      const received = record(yield* take(transports))
      yield* Scope.close(scope, Exit.void)
      yield* received.until((self) => self.events.includes("end") || self.events.includes("close"))
      yield* Effect.callback<void>((resume) => client.observeClose(() => resume(Effect.void)))
      assert.strictEqual(client.state, "closed")
    }).pipe(Effect.scoped)
  )
})
