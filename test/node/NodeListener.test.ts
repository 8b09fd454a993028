import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Path from "node:path"
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import type { Transport } from "@sluice/core/transport/Transport"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import { leaveNoHandles } from "../harness/NodeHandles.ts"
import {
  accept,
  closed,
  dialTo,
  listen,
  local,
  pair,
  portOf,
  rawClient,
  reasonOf,
  take,
  temporaryDirectory
} from "../harness/NodeNet.ts"
import { bytes, echo, record, turns } from "../harness/TransportContract.ts"

leaveNoHandles()

describe("binding", () => {
  it.live("a port in use fails the layer and names the address", () =>
    Effect.gen(function* () {
      const { listener } = yield* listen(local)
      const port = portOf(listener)
      const reason = yield* reasonOf(
        Layer.build(NodeTransport.layerListener({ host: "127.0.0.1", port })),
        "AddressInUse"
      )
      assert.strictEqual(reason.address, `127.0.0.1:${port}`)
    }).pipe(Effect.scoped)
  )

  it.live("an address of another machine", () =>
    Effect.gen(function* () {
      const reason = yield* reasonOf(NodeTransport.makeListener({ host: "192.0.2.1" }), "AddressUnavailable")
      assert.strictEqual(reason.address, "192.0.2.1:0")
    }).pipe(Effect.scoped)
  )

  it.live("the port that was taken is told, and free again after close", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const listener = yield* Scope.provide(NodeTransport.makeListener(local), scope)
      const port = portOf(listener)
      assert.isAbove(port, 0)
      yield* Scope.close(scope, Exit.void)
      yield* listener.close
      const again = yield* NodeTransport.makeListener({ ...local, port })
      assert.strictEqual(portOf(again), port)
    }).pipe(Effect.scoped)
  )

  it.live("reusePort: two listeners on one port", () =>
    Effect.gen(function* () {
      const first = yield* NodeTransport.makeListener({ ...local, reusePort: true })
      const second = yield* NodeTransport.makeListener({ ...local, port: portOf(first), reusePort: true })
      assert.strictEqual(portOf(second), portOf(first))
    }).pipe(Effect.scoped)
  )
})

describe("options", () => {
  it("a path and a port exclude each other", () => {
    expectTypeOf<{ path: string; mode: number }>().toExtend<NodeTransport.ListenerOptions>()
    expectTypeOf<{ port: number; host: string }>().toExtend<NodeTransport.ListenerOptions>()
    expectTypeOf<{ path: string; port: number }>().not.toExtend<NodeTransport.ListenerOptions>()
    expectTypeOf<{ path: string; host: string }>().not.toExtend<NodeTransport.ListenerOptions>()
    expectTypeOf<{ path: string; noDelay: boolean }>().not.toExtend<NodeTransport.ListenerOptions>()
    expectTypeOf<{ port: number; mode: number }>().not.toExtend<NodeTransport.ListenerOptions>()
  })
})

describe("accepting", () => {
  it.live("connections that come before anyone accepts wait, and lose no byte", () =>
    Effect.gen(function* () {
      const listener = yield* NodeTransport.makeListener(local)
      const client = yield* dialTo(listener.address)
      client.write(bytes("early"))
      yield* turns
      const { transports } = yield* accept(listener)
      const server = yield* take(transports)
      const received = record(server)
      yield* received.saw("bytes")
      assert.strictEqual(received.text, "early")
    }).pipe(Effect.scoped)
  )

  it.live("at most `backlog` of them wait", () =>
    Effect.gen(function* () {
      const listener = yield* NodeTransport.makeListener({ ...local, backlog: 1 })
      yield* dialTo(listener.address)
      const second = echo(yield* dialTo(listener.address))
      yield* second.saw("close")
      const { transports } = yield* accept(listener)
      yield* take(transports)
      assert.strictEqual(yield* Queue.size(transports), 0)
    }).pipe(Effect.scoped)
  )

  it.live("a new acceptor takes the place of the one before", () =>
    Effect.gen(function* () {
      const { listener, transports: first } = yield* listen(local)
      const { transports: second } = yield* accept(listener)
      yield* dialTo(listener.address)
      yield* take(second)
      assert.strictEqual(yield* Queue.size(first), 0)
    }).pipe(Effect.scoped)
  )

  it.live("one connection above maxConnections is closed and reported; room is made by a close", () =>
    Effect.gen(function* () {
      const { listener, refusals, transports } = yield* listen({ ...local, maxConnections: 1 })
      const client = yield* dialTo(listener.address)
      const server = yield* take(transports)
      yield* closed(yield* rawClient(listener))
      const { reason } = yield* Queue.take(refusals)
      assert.deepInclude(reason, { _tag: "TooManyConnections", limit: "total", limitCount: 1 })
      const atServer = echo(server)
      record(client)
      client.end()
      yield* atServer.saw("close")
      yield* dialTo(listener.address)
      yield* take(transports)
    }).pipe(Effect.scoped)
  )

  it.live("close: transports live on, nobody is accepted any more", () =>
    Effect.gen(function* () {
      const { listener, transports } = yield* listen(local)
      const client = yield* dialTo(listener.address)
      echo(yield* take(transports))
      yield* listener.close
      yield* listener.close
      const received = record(client)
      client.write(bytes("still here"))
      yield* received.until((self) => self.text === "still here")
      yield* reasonOf(dialTo(listener.address), "ConnectionRefused")
    }).pipe(Effect.scoped)
  )

  it.live("close destroys what was never accepted", () =>
    Effect.gen(function* () {
      const listener = yield* NodeTransport.makeListener(local)
      const client = echo(yield* dialTo(listener.address))
      yield* turns
      yield* listener.close
      yield* client.saw("close")
    }).pipe(Effect.scoped)
  )

  it.live("IPv4 clients of a dual-stack listener have IPv4 addresses", () =>
    Effect.gen(function* () {
      const { listener, transports } = yield* listen({ host: "::", port: 0 })
      yield* dialTo({ host: "127.0.0.1", port: portOf(listener) })
      const server = yield* take(transports)
      assert.isTrue(NetAddress.isInetAddressV4(server.peer), String(server.peer))
    }).pipe(Effect.scoped)
  )
})

describe("losing a connection", () => {
  it.live("a reset is ConnectionLost, and the peer's address is still known", () =>
    Effect.gen(function* () {
      const { listener, transports } = yield* listen(local)
      const raw = yield* rawClient(listener)
      const server = yield* take(transports)
      const received = record(server)
      const { localPort } = raw
      raw.resetAndDestroy()
      yield* received.saw("close")
      assert.deepStrictEqual(received.events, ["close"])
      assert.deepInclude(received.closeError?.reason, { _tag: "ConnectionLost", code: "ECONNRESET" })
      assert.strictEqual(String(server.peer), `127.0.0.1:${localPort}`)
    }).pipe(Effect.scoped)
  )

  it.live("a write to a peer that is gone is dropped, and ends in ConnectionLost", () =>
    Effect.gen(function* () {
      const [client, server] = yield* pair(local)
      const atServer: ReturnType<typeof record> = record(server, { onEnd: () => keepWriting(server) })
      record(client)
      client.destroy()
      yield* atServer.saw("close")
      assert.strictEqual(atServer.closeError?.reason._tag, "ConnectionLost")
      assert.isFalse(server.write(bytes("more")))
    }).pipe(Effect.scoped)
  )
})

const keepWriting = (transport: Transport): void => {
  if (transport.state === "closed") return
  transport.write(bytes("anyone?"))
  setImmediate(() => keepWriting(transport))
}

describe("Unix sockets", () => {
  it.live("the file goes with the listener; addresses are its path and the empty one", () =>
    Effect.gen(function* () {
      const path = Path.join(yield* temporaryDirectory, "app.sock")
      const { listener, transports } = yield* listen({ path, mode: 0o600 })
      assert.strictEqual(Fs.statSync(path).mode & 0o777, 0o600)
      const client = yield* dialTo({ path })
      const server = yield* take(transports)
      assert.strictEqual(NetAddress.formatSocketAddress(listener.address), path)
      assert.deepStrictEqual(
        [client.peer, client.local, server.local, server.peer].map(NetAddress.formatSocketAddress),
        [path, "", path, ""]
      )
      yield* listener.close
      assert.isFalse(Fs.existsSync(path))
      yield* reasonOf(dialTo({ path }), "ConnectionRefused")
    }).pipe(Effect.scoped)
  )

  it.live("a dead socket's file is taken over", () =>
    Effect.gen(function* () {
      const path = Path.join(yield* temporaryDirectory, "stale.sock")
      yield* leaveStale(path)
      assert.isTrue(Fs.lstatSync(path).isSocket())
      yield* reasonOf(dialTo({ path }), "ConnectionRefused")
      const { transports } = yield* listen({ path })
      yield* dialTo({ path })
      yield* take(transports)
    }).pipe(Effect.scoped)
  )

  it.live("a listener that lives keeps its file", () =>
    Effect.gen(function* () {
      const path = Path.join(yield* temporaryDirectory, "live.sock")
      const { transports } = yield* listen({ path })
      const reason = yield* reasonOf(NodeTransport.makeListener({ path }), "AddressInUse")
      assert.strictEqual(reason.address, `unix://${path}`)
      // The first is the question whether anyone lives there.
      yield* take(transports)
      yield* dialTo({ path })
      yield* take(transports)
    }).pipe(Effect.scoped)
  )

  it.live("a file that is no socket is never removed", () =>
    Effect.gen(function* () {
      const path = Path.join(yield* temporaryDirectory, "notes.txt")
      Fs.writeFileSync(path, "precious")
      yield* reasonOf(NodeTransport.makeListener({ path }), "AddressInUse")
      assert.strictEqual(Fs.readFileSync(path, "utf8"), "precious")
    }).pipe(Effect.scoped)
  )

  it.live("a path that the system cannot hold is told as that", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const path = (length: number) => Path.join(directory, "x".repeat(length - directory.length - 1))
      const reason = yield* reasonOf(NodeTransport.makeListener({ path: path(108) }), "AddressUnavailable")
      assert.strictEqual(reason.detail, "the path is too long (at most 107 bytes)")
      yield* reasonOf(NodeTransport.makeListener({ path: `\0${"x".repeat(107)}` }), "AddressUnavailable")
      yield* listen({ path: path(107) })
      assert.isTrue(Fs.existsSync(path(107)))
    }).pipe(Effect.scoped)
  )

  it.live("a directory that does not exist", () =>
    Effect.gen(function* () {
      const path = Path.join(yield* temporaryDirectory, "missing", "app.sock")
      yield* reasonOf(NodeTransport.makeListener({ path }), "AddressUnavailable")
    }).pipe(Effect.scoped)
  )
})

/** Leaves a socket file behind as a killed server does: the name is moved away while it closes. */
const leaveStale = (path: string) =>
  Effect.callback<void>((resume) => {
    const server = Net.createServer()
    server.listen(`${path}.live`, () => {
      Fs.renameSync(`${path}.live`, path)
      server.close(() => resume(Effect.void))
    })
  })
