/** What an attack is, and how one is made and judged. */
import * as Net from "node:net"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Target from "./Target.ts"

/** The attacked server, with a neighbour who only wants to be served. */
export interface Scene extends Target.Target {
  /** How much larger than in the tests the attack is. */
  readonly scale: number
  /** One request of the neighbour, on its own connection. */
  readonly neighbour: Effect.Effect<void>
  /** Ends the handlers that hold their requests. */
  readonly release: Effect.Effect<void>
  /** Waits until the server neither receives nor sends: the attack is at its height then. Looks at its memory. */
  readonly height: Effect.Effect<Target.Look>
}

export interface Attack {
  readonly name: string
  /** The options that hold against it. */
  readonly limit: string
  readonly options: Target.Options
  /** Attacks, and says what the attacker was answered. */
  readonly run: (scene: Scene) => Effect.Effect<string, never, Scope.Scope>
  /** What it must be. */
  readonly answer: string
  /** A reason for which the server has closed or refused connections; none where it is no fault. */
  readonly counted?: string
  /** How much memory the server may take for it, in bytes; times the scale. */
  readonly mostBytes: number
}

export interface Report {
  readonly name: string
  readonly limit: string
  readonly answer: string
  /** By how much the server's memory had grown at the height, and afterwards; in bytes. */
  readonly heightBytes: number
  readonly afterBytes: number
  readonly neighbourRequests: number
  /** Of the neighbour's requests, in milliseconds. */
  readonly neighbourMedianMillis: number
  readonly stats: Target.Look["stats"]
}

/** What collections leave uncertain. */
const noiseBytes = 6 * 1024 * 1024

export const make = Effect.fnUntraced(function* (host: Target.Host, attack: Attack, scale = 1) {
  const target = yield* host.serve(attack.options)
  const neighbour = new Neighbour(target.port)
  yield* Effect.addFinalizer(() => Effect.sync(() => neighbour.close()))
  for (let count = 0; count < 20; count++) yield* neighbour.ask
  const before = yield* target.look
  neighbour.millis.length = 0
  let heightBytes = 0
  const seen = (look: Target.Look) => {
    heightBytes = Math.max(heightBytes, look.memoryBytes - before.memoryBytes)
    return look
  }
  const look = Effect.map(target.look, seen)
  const scene: Scene = {
    ...target,
    look,
    scale,
    neighbour: neighbour.ask,
    release: target.release,
    height: atHeight(look, neighbour)
  }
  const answer = yield* Effect.scoped(attack.run(scene))
  for (let count = 0; count < 10; count++) yield* neighbour.ask
  neighbour.close()
  const after = yield* Effect.repeat(target.look, { while: ({ stats }) => stats.open + stats.waiting > 0 })
  const report: Report = {
    name: attack.name,
    limit: attack.limit,
    answer,
    heightBytes,
    afterBytes: after.memoryBytes - before.memoryBytes,
    neighbourRequests: neighbour.millis.length,
    neighbourMedianMillis: median(neighbour.millis),
    stats: after.stats
  }
  return report
}, Effect.scoped)

/** Fails where the limit did not hold. */
export const judge = (attack: Attack, report: Report, scale = 1): void => {
  const { answer, counted, mostBytes, name } = attack
  assert.strictEqual(report.answer, answer, name)
  assert.isBelow(report.heightBytes, mostBytes * scale + noiseBytes, `${name}: memory at the height`)
  assert.isBelow(report.afterBytes, noiseBytes, `${name}: memory afterwards`)
  assert.isAbove(report.neighbourRequests, 10, `${name}: the neighbour is served meanwhile`)
  if (counted === undefined) return
  const { closed, refused } = report.stats
  assert.isAbove((closed[counted] ?? 0) + (refused[counted] ?? 0), 0, `${name}: counted as ${counted}`)
}

/** Twice the same count of bytes, with the neighbour's own between: nothing else moves. */
const atHeight = (look: Effect.Effect<Target.Look>, neighbour: Neighbour): Effect.Effect<Target.Look> =>
  Effect.gen(function* () {
    let last = -1
    for (;;) {
      yield* neighbour.ask
      const now = yield* look
      const movedBytes = now.stats.receivedBytes + now.stats.sentBytes - neighbour.movedBytes
      if (movedBytes === last) return now
      last = movedBytes
    }
  })

const median = (values: ReadonlyArray<number>): number =>
  values.length === 0 ? Number.NaN : [...values].sort((a, b) => a - b)[values.length >> 1]!

const request = "GET / HTTP/1.1\r\nHost: neighbour\r\n\r\n"

/** Asks for `/` on one connection, and opens another where the server has closed it. */
class Neighbour {
  readonly millis: Array<number> = []
  movedBytes = 0
  private readonly port: number
  private socket: Net.Socket | undefined

  constructor(port: number) {
    this.port = port
  }

  readonly ask: Effect.Effect<void> = Effect.callback((resume) => {
    const fromMillis = performance.now()
    const attempt = () => {
      const socket = this.open()
      let received = ""
      const onData = (chunk: Buffer) => {
        received += chunk.toString("latin1")
        if (!received.endsWith("hello")) return
        leave()
        this.movedBytes += request.length + received.length
        this.millis.push(performance.now() - fromMillis)
        resume(Effect.void)
      }
      const onClose = () => {
        leave()
        this.socket = undefined
        attempt()
      }
      const leave = () => {
        socket.off("data", onData).off("close", onClose)
      }
      socket.on("data", onData).on("close", onClose)
      socket.write(request)
    }
    attempt()
  })

  close(): void {
    this.socket?.destroy()
    this.socket = undefined
  }

  private open(): Net.Socket {
    if (this.socket === undefined || this.socket.destroyed) {
      this.socket = Net.connect({ host: "127.0.0.1", port: this.port }).on("error", () => {})
    }
    return this.socket
  }
}
