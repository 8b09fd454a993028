import { assert, describe, it } from "@effect/vitest"
import { Dialer } from "@sluice/core/transport/Dialer"
import { Listener } from "@sluice/core/transport/Listener"
import type { Transport } from "@sluice/core/transport/Transport"
import * as NodeCertificates from "@sluice/node/NodeCertificates"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { identity, trusting } from "../harness/Certificates.ts"
import { leaveNoHandles } from "../harness/NodeHandles.ts"
import { accept, local, pair, tlsFile } from "../harness/NodeNet.ts"
import { echo, record } from "../harness/TransportContract.ts"

leaveNoHandles()

describe("NodeTransport", () => {
  it.live("its two layers find each other", () =>
    Effect.gen(function* () {
      const listener = yield* Listener
      const { transports } = yield* accept(listener)
      const client = yield* Effect.flatMap(Dialer, (dialer) => dialer.dial(listener.address))
      echo(yield* Queue.take(transports))
      const received = record(client)
      client.write(Buffer.from("hello"))
      yield* received.until(() => received.text === "hello")
      client.end()
      yield* received.saw("close")
      assert.isUndefined(received.closeError)
    }).pipe(Effect.scoped, Effect.provide(Layer.merge(NodeTransport.layerListener(local), NodeTransport.layerDialer())))
  )
})

const tls = { certificates: identity("a") }
const trusted = ["127.0.0.1"]
const files = { certificate: tlsFile("a.pem"), key: tlsFile("a.key") }

const listenWith = (options: NodeTransport.ListenerOptions) =>
  Layer.build(NodeTransport.layerListener({ ...local, ...options } as NodeTransport.ListenerOptions))
const dialerWith = (options: NodeTransport.DialerOptions) => Layer.build(NodeTransport.layerDialer(options))

/** Dials an address that nobody answers: only an option that is read first can be the end of it. */
const dialWith = (options: Parameters<Dialer["Service"]["dial"]>[1]) =>
  NodeTransport.makeDialer().dial({ host: "127.0.0.1", port: 1 }, options)

/** Upgrades one side of an open pair. */
const upgradeWith = (options: Parameters<Transport["upgrade"]>[0]) =>
  Effect.flatMap(pair(local), ([client]) => client.upgrade(options))

const outside: ReadonlyArray<
  readonly [option: string, value: string, effect: Effect.Effect<unknown, unknown, Scope.Scope>]
> = [
  ["backlog", "0", listenWith({ backlog: 0 })],
  ["backlog", "1.5", listenWith({ backlog: 1.5 })],
  ["maxConnections", "0", listenWith({ maxConnections: 0 })],
  ["maxConnections", "NaN", listenWith({ maxConnections: Number.NaN })],
  ["maxOpening", "0", listenWith({ maxOpening: 0 })],
  ["handshakeTimeout", "0", listenWith({ tls: { ...tls, handshakeTimeout: 0 } })],
  ["handshakeTimeout", "30 days", listenWith({ tls: { ...tls, handshakeTimeout: "30 days" } })],
  ["handshakeTimeout", "Infinity", listenWith({ tls: { ...tls, handshakeTimeout: Duration.infinity } })],
  ["proxyProtocol.timeout", "0", listenWith({ proxyProtocol: { trusted, timeout: 0 } })],
  ["proxyProtocol.timeout", "30 days", listenWith({ proxyProtocol: { trusted, timeout: "30 days" } })],
  ["proxyProtocol.maxPayloadBytes", "0", listenWith({ proxyProtocol: { trusted, maxPayloadBytes: 0 } })],
  ["proxyProtocol.trusted", "10.0.0.0/33", listenWith({ proxyProtocol: { trusted: ["10.0.0.0/33"] } })],
  ["proxyProtocol.trusted", "proxy.test", listenWith({ proxyProtocol: { trusted: ["proxy.test"] } })],
  ["keepAliveDelay", "999 millis", listenWith({ keepAliveDelay: "999 millis" })],
  ["keepAliveDelay", "10 hours", dialerWith({ keepAliveDelay: "10 hours" })],
  ["keepAliveDelay", "Infinity", dialerWith({ keepAliveDelay: Duration.infinity })],
  ["connectTimeout", "0", dialerWith({ connectTimeout: 0 })],
  ["connectTimeout", "30 days", dialerWith({ connectTimeout: "30 days" })],
  ["connectTimeout", "0", dialWith({ connectTimeout: 0 })],
  ["connectTimeout", "30 days", dialWith({ connectTimeout: "30 days" })],
  ["handshakeTimeout", "30 days", dialWith({ tls: trusting("a.test", { handshakeTimeout: "30 days" }) })],
  ["handshakeTimeout", "Infinity", upgradeWith({ role: "client", handshakeTimeout: Duration.infinity })],
  ["handshakeTimeout", "0", upgradeWith({ role: "server", ...tls, handshakeTimeout: 0 })],
  ["debounce", "0", NodeCertificates.fromFiles(files, { debounce: 0 })],
  ["pollInterval", "30 days", NodeCertificates.fromFiles(files, { pollInterval: "30 days" })]
]

describe("an option outside of its range is a defect that names it, before anything is open", () => {
  outside.forEach(([option, value, effect], row) => {
    it.live(`${row}: ${option} ${value}`, () =>
      Effect.gen(function* () {
        const cause = yield* Effect.flip(Effect.sandbox(effect))
        const defect = Result.getOrUndefined(Cause.findDefect(cause))
        if (!(defect instanceof RangeError)) return assert.fail(Cause.pretty(cause))
        assert.isTrue(defect.message.startsWith(`${option} must be `), defect.message)
        assert.include(defect.message, value)
      }).pipe(Effect.scoped)
    )
  })
})
