/**
 * What a connection costs above its transport: a chunk comes, a fiber that
 * waits for it wakes, answers, and waits again. The transport does nothing.
 */
import * as LengthDelimited from "@sluice/core/codec/LengthDelimited"
import * as Connection from "@sluice/core/session/Connection"
import * as ConnectionOptions from "@sluice/core/session/ConnectionOptions"
import type * as Timers from "@sluice/core/session/Timers"
import * as Effect from "effect/Effect"
import type { Cases } from "./Case.ts"
import { SilentTransport } from "./SilentTransport.ts"

const framesPerChunk = 64
const frame = Buffer.concat([Buffer.of(0, 0, 0, 64), Buffer.alloc(64)])
const manyFrames = Buffer.concat(Array.from({ length: framesPerChunk }, () => frame))
const small = Buffer.alloc(64)

/** No deadline is ever reached here. */
const noTimers: Timers.Timers = { now: () => 0, set() {}, clear() {}, soon() {}, size: () => 0 }

/** A run: one chunk comes, and the handler has answered when `onBytes` returns. */
const answering = (
  chunk: Uint8Array,
  handler: (connection: Connection.Connection) => Effect.Effect<never, unknown>
): (() => number) => {
  const transport = new SilentTransport()
  const { connection } = Connection.makeUnsafe("server", transport, noTimers, ConnectionOptions.resolve())
  Effect.runFork(handler(connection))
  return () => {
    transport.receiver?.onBytes(chunk)
    return transport.sentBytes
  }
}

const byCallback = (): (() => number) => {
  const transport = new SilentTransport()
  transport.attach({ onBytes: (chunk) => void transport.write(chunk), onDrain() {}, onEnd() {}, onClose() {} })
  return () => {
    transport.receiver?.onBytes(small)
    return transport.sentBytes
  }
}

const bytes = Effect.fnUntraced(function* (connection: Connection.Connection) {
  while (true) yield* connection.send(yield* connection.receive)
})

const frames = Effect.fnUntraced(function* (connection: Connection.Connection) {
  const framed = connection.framed(LengthDelimited.codec)
  while (true) yield* framed.send(yield* framed.receive)
})

const batches = Effect.fnUntraced(function* (connection: Connection.Connection) {
  const framed = connection.framed(LengthDelimited.codec)
  while (true) yield* framed.sendAll(yield* framed.receiveAll)
})

export const cases: Cases = {
  "a fiber": { operationsPerRun: 1, run: answering(small, bytes) },
  "a callback": { operationsPerRun: 1, run: byCallback() },
  "frame by frame": { operationsPerRun: framesPerChunk, run: answering(manyFrames, frames) },
  "frames in batches": { operationsPerRun: framesPerChunk, run: answering(manyFrames, batches) }
}
