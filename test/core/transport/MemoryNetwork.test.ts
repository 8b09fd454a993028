import { assert, describe, it } from "@effect/vitest"
import * as Dialer from "@sluice/core/transport/Dialer"
import { Listener } from "@sluice/core/transport/Listener"
import * as MemoryNetwork from "@sluice/core/transport/MemoryNetwork"
import type { Transport } from "@sluice/core/transport/Transport"
import type { TransportError } from "@sluice/core/transport/TransportError"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Scope from "effect/Scope"
import { bytes, record, transportContract, turns } from "../../harness/TransportContract.ts"

/** Keeps what it is handed. */
class Accepting {
  readonly transports: Array<Transport> = []
  onTransport(transport: Transport): void {
    this.transports.push(transport)
  }
  onRefused(): void {}
}

const target = { host: "server.test", port: 7 }

/** A listener that accepts, and what it accepted. */
const accepting = (network: MemoryNetwork.MemoryNetwork["Service"], options: MemoryNetwork.ListenOptions = target) =>
  Effect.gen(function* () {
    const listener = yield* network.listen(options)
    const acceptor = new Accepting()
    yield* listener.accept(acceptor)
    return { listener, accepted: acceptor.transports }
  })

const reasonOf = <A, R>(effect: Effect.Effect<A, TransportError, R>) =>
  Effect.map(Effect.flip(effect), (error) => error.reason._tag)

const portOf = (address: NetAddress.SocketAddress): number =>
  NetAddress.isInetAddress(address) ? address.port : Number.NaN

transportContract(
  "MemoryNetwork",
  Effect.gen(function* () {
    const network = MemoryNetwork.make()
    const { accepted } = yield* accepting(network)
    const client = yield* network.dial(target)
    return [client, accepted[0]!] as const
  })
)

describe("MemoryNetwork: names and ports", () => {
  it.effect("a listener is found by its name and by its address", () =>
    Effect.gen(function* () {
      const network = MemoryNetwork.make()
      const { listener, accepted } = yield* accepting(network)
      const byName = yield* network.dial(target)
      const byAddress = yield* network.dial(listener.address)
      assert.strictEqual(accepted.length, 2)
      for (const client of [byName, byAddress]) {
        assert.strictEqual(NetAddress.formatSocketAddress(client.peer), "10.0.0.1:7")
      }
      assert.deepStrictEqual(
        accepted.map((transport) => transport.peer),
        [byName.local, byAddress.local]
      )
      assert.notStrictEqual(portOf(byName.local), portOf(byAddress.local))
    })
  )

  const hosts: ReadonlyArray<readonly [listen: string | undefined, dial: string, address: string]> = [
    [undefined, "127.0.0.1", "127.0.0.1:7"],
    [undefined, "localhost", "127.0.0.1:7"],
    ["localhost", "127.0.0.1", "127.0.0.1:7"],
    ["192.0.2.1", "192.0.2.1", "192.0.2.1:7"],
    ["2001:db8::1", "2001:DB8:0::1", "[2001:db8::1]:7"]
  ]
  for (const [host, dialed, address] of hosts) {
    it.effect(`${host ?? "no host"} is found at ${dialed}`, () =>
      Effect.gen(function* () {
        const network = MemoryNetwork.make()
        const { listener } = yield* accepting(network, { host, port: 7 })
        assert.strictEqual(NetAddress.formatSocketAddress(listener.address), address)
        yield* network.dial({ host: dialed, port: 7 })
      })
    )
  }

  it.effect("two names are two addresses, one name is always the same", () =>
    Effect.gen(function* () {
      const network = MemoryNetwork.make()
      const addresses = yield* Effect.forEach(
        [
          { host: "a.test", port: 1 },
          { host: "b.test", port: 1 },
          { host: "a.test", port: 2 }
        ],
        (options) => Effect.map(network.listen(options), (listener) => listener.address)
      )
      assert.deepStrictEqual(addresses.map(NetAddress.formatSocketAddress), ["10.0.0.1:1", "10.0.0.2:1", "10.0.0.1:2"])
    })
  )

  it.effect("an address is held by one listener at a time, and free when its scope has closed", () =>
    Effect.gen(function* () {
      const network = MemoryNetwork.make()
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* network.listen(target)
          assert.strictEqual(yield* reasonOf(network.listen(target)), "AddressInUse")
        })
      )
      const listener = yield* network.listen(target)
      yield* listener.close
      yield* listener.close
      yield* network.listen(target)
    })
  )

  it.effect("a listener that closed does not free the address of the one after it", () =>
    Effect.gen(function* () {
      const network = MemoryNetwork.make()
      const first = yield* network.listen(target)
      yield* first.close
      yield* accepting(network)
      yield* first.close
      yield* network.dial(target)
    })
  )

  it.effect("port 0 takes a port that is free", () =>
    Effect.gen(function* () {
      const network = MemoryNetwork.make()
      yield* network.listen({ port: 49_152 })
      yield* network.listen({ port: 49_153 })
      const ports = yield* Effect.forEach([1, 2, 3], () =>
        Effect.map(network.listen({ port: 0 }), (listener) => portOf(listener.address))
      )
      assert.strictEqual(new Set([...ports, 49_152, 49_153]).size, 5)
      for (const port of ports) assert.isAtLeast(port, 49_152)
    })
  )

  it.effect("port 0 takes a port also after as many connections as there are ports", () =>
    Effect.gen(function* () {
      const network = MemoryNetwork.make()
      yield* accepting(network)
      const before = yield* network.dial(target)
      // Attempts that are refused take a port too, and are quicker.
      for (let count = 0; count < 16_384; count++) yield* Effect.ignore(network.dial({ ...target, port: 8 }))
      const after = yield* network.dial(target)
      assert.strictEqual(portOf(before.local), 49_152)
      assert.strictEqual(portOf(after.local), 49_153)
      const listener = yield* network.listen({ port: 0 })
      assert.isAtLeast(portOf(listener.address), 49_152)
      assert.isAtMost(portOf(listener.address), 65_535)
    })
  )
})

describe("MemoryNetwork: what is refused", () => {
  it.effect("a name that nobody has", () =>
    Effect.gen(function* () {
      const network = MemoryNetwork.make()
      assert.strictEqual(yield* reasonOf(network.dial(target)), "NameNotResolved")
    })
  )

  it.effect("a port that nobody listens at, a closed listener, and an address of another kind", () =>
    Effect.gen(function* () {
      const network = MemoryNetwork.make()
      const listener = yield* network.listen(target)
      assert.strictEqual(yield* reasonOf(network.dial({ ...target, port: 8 })), "ConnectionRefused")
      assert.strictEqual(yield* reasonOf(network.dial({ path: "/run/app.sock" })), "ConnectionRefused")
      yield* listener.close
      assert.strictEqual(yield* reasonOf(network.dial(target)), "ConnectionRefused")
      assert.strictEqual(network.openCount(), 0)
    })
  )

  it.effect("TLS", () =>
    Effect.gen(function* () {
      const network = MemoryNetwork.make()
      yield* accepting(network)
      assert.strictEqual(yield* reasonOf(network.dial(target, { tls: {} })), "Unsupported")
    })
  )

  it.effect("what comes when the backlog is full", () =>
    Effect.gen(function* () {
      const network = MemoryNetwork.make()
      const listener = yield* network.listen({ ...target, backlog: 2 })
      yield* network.dial(target)
      yield* network.dial(target)
      assert.strictEqual(yield* reasonOf(network.dial(target)), "ConnectionRefused")
      const acceptor = new Accepting()
      yield* listener.accept(acceptor)
      assert.strictEqual(acceptor.transports.length, 2)
      yield* network.dial(target)
      assert.strictEqual(acceptor.transports.length, 3)
    })
  )

  it.effect("what comes without an acceptor, when there is no backlog", () =>
    Effect.gen(function* () {
      const network = MemoryNetwork.make()
      yield* network.listen({ ...target, backlog: 0 })
      assert.strictEqual(yield* reasonOf(network.dial(target)), "ConnectionRefused")
    })
  )
})

describe("MemoryNetwork: listeners", () => {
  it.effect("what waited is handed over in its order, with what was sent meanwhile", () =>
    Effect.gen(function* () {
      const network = MemoryNetwork.make()
      const listener = yield* network.listen(target)
      for (const text of ["first", "second"]) (yield* network.dial(target)).write(bytes(text))
      const acceptor = new Accepting()
      yield* listener.accept(acceptor)
      const heard = acceptor.transports.map((transport) => record(transport))
      yield* turns
      assert.deepStrictEqual(
        heard.map((one) => one.text),
        ["first", "second"]
      )
    })
  )

  it.effect("a new acceptor takes the place of the one before", () =>
    Effect.gen(function* () {
      const network = MemoryNetwork.make()
      const { listener, accepted } = yield* accepting(network)
      const second = new Accepting()
      yield* listener.accept(second)
      yield* network.dial(target)
      assert.deepStrictEqual([accepted.length, second.transports.length], [0, 1])
    })
  )

  it.effect("closing cuts what waits, and lets live what was accepted", () =>
    Effect.gen(function* () {
      const network = MemoryNetwork.make()
      const waiting = yield* Effect.scoped(
        Effect.gen(function* () {
          yield* network.listen(target)
          return yield* network.dial(target).pipe(Scope.provide(yield* Scope.make()))
        })
      )
      assert.strictEqual(waiting.state, "closed")
      const { listener } = yield* accepting(network)
      const served = yield* network.dial(target)
      yield* listener.close
      yield* turns
      assert.strictEqual(served.state, "open")
    })
  )
})

describe("MemoryNetwork: openCount", () => {
  it.effect("counts both sides, and is 0 when the scopes have closed", () =>
    Effect.gen(function* () {
      const network = MemoryNetwork.make()
      const { accepted } = yield* accepting(network)
      const scope = yield* Scope.make()
      yield* network.dial(target).pipe(Scope.provide(scope))
      assert.strictEqual(network.openCount(), 2)
      const other = yield* network.dial(target).pipe(Scope.provide(scope))
      assert.strictEqual(network.openCount(), 4)
      other.end()
      accepted[1]!.end()
      record(other)
      record(accepted[1]!)
      yield* turns
      assert.strictEqual(network.openCount(), 2)
      yield* Scope.close(scope, Exit.void)
      yield* turns
      assert.strictEqual(network.openCount(), 0)
    })
  )

  it.effect("one that the acceptor destroys at once is not counted for ever", () =>
    Effect.gen(function* () {
      const network = MemoryNetwork.make()
      const listener = yield* network.listen(target)
      yield* listener.accept({ onTransport: (transport) => transport.destroy(), onRefused: () => {} })
      yield* network.dial(target)
      yield* turns
      assert.strictEqual(network.openCount(), 0)
    })
  )
})

describe("MemoryNetwork: layers", () => {
  it.effect("a listener and a dialer of one network meet", () =>
    Effect.gen(function* () {
      const listener = yield* Listener
      const dialer = yield* Dialer.Dialer
      const acceptor = new Accepting()
      yield* listener.accept(acceptor)
      const client = yield* dialer.dial(target)
      client.write(new Uint8Array(4))
      client.write(new Uint8Array(4))
      assert.strictEqual(client.bufferedBytes, 5)
      assert.strictEqual(acceptor.transports.length, 1)
    }).pipe(
      Effect.provide(
        Layer.merge(MemoryNetwork.layerListener(target), MemoryNetwork.layerDialer).pipe(
          Layer.provide(MemoryNetwork.layer({ bufferBytes: 3 }))
        )
      )
    )
  )
})
