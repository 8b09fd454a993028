/**
 * A scripted peer for one engine: what it sends, what it expects, and how time
 * passes between. One script runs at every split of what is sent.
 *
 * ```ts
 * WireScript.run(() => new ToyEngine(options), [
 *   WireScript.send("'hi' 0a"),
 *   WireScript.expect("'hi' 0a"),
 *   WireScript.advance(5_000),
 *   WireScript.expectAbort
 * ])
 * ```
 *
 * Bytes that are not expected fail the next `advance` or `expect…`, or the end
 * of the script.
 *
 * @since 0.1.0
 */
import type { Engine } from "@sluice/core/protocol/Engine"
import * as Chunkings from "./Chunkings.ts"
import * as Hex from "./Hex.ts"

export type Step<E extends Engine = Engine> =
  | { readonly kind: "send"; readonly bytes: Uint8Array }
  | { readonly kind: "expect"; readonly bytes: Uint8Array }
  | { readonly kind: "advance"; readonly millis: number }
  | { readonly kind: "end" | "close" | "expectOpen" | "expectEnd" | "expectAbort" }
  | { readonly kind: "command"; readonly body: (engine: E, nowMillis: number) => void }

/** The peer sends bytes, written as for `Hex.hex`. */
export const send = (wire: string): Step => ({ kind: "send", bytes: Hex.hex(wire) })
/** The engine has sent these bytes since the last `expect`, and no others. */
export const expect = (wire: string): Step => ({ kind: "expect", bytes: Hex.hex(wire) })
/** Time passes; every deadline on the way is served at its own time. */
export const advance = (millis: number): Step => ({ kind: "advance", millis })
/** The peer ends its side. */
export const end: Step = { kind: "end" }
/** The transport is lost. */
export const close: Step = { kind: "close" }
/** Nothing was sent, and the transport is wanted further. */
export const expectOpen: Step = { kind: "expectOpen" }
/** Nothing was sent, and the engine has ended its side. */
export const expectEnd: Step = { kind: "expectEnd" }
/** Nothing was sent, and the engine has given up the transport. */
export const expectAbort: Step = { kind: "expectAbort" }
/** The engine's owner does something: `command((engine) => engine.sendLine("hi"))`. */
export const command = <E extends Engine>(body: (engine: E, nowMillis: number) => void): Step<E> => ({
  kind: "command",
  body
})

/**
 * Runs the script with each `send` whole, byte by byte and at every cut, each
 * time with a new engine. Returns the engines, for a look at their calls.
 */
export const run = <E extends Engine>(make: () => E, steps: ReadonlyArray<Step<E>>): ReadonlyArray<E> => {
  const splits = steps.map((step) => (step.kind === "send" ? Chunkings.everySplit(step.bytes) : []))
  const most = splits.reduce((count, each) => Math.max(count, each.length), 1)
  return Array.from({ length: most }, (_, turn) => {
    const chunks = splits.map((each) => each[turn % each.length] ?? [])
    return new Runner(make()).run(steps, chunks)
  })
}

class Runner<E extends Engine> {
  private readonly engine: E
  private nowMillis = 0

  constructor(engine: E) {
    this.engine = engine
  }

  run(steps: ReadonlyArray<Step<E>>, chunks: ReadonlyArray<ReadonlyArray<Uint8Array>>): E {
    steps.forEach((step, index) => {
      const where = `step ${index + 1} (${step.kind})`
      for (const chunk of chunks[index]!) this.engine.receive(chunk.slice(), this.nowMillis)
      this.step(step, chunks[index]!.length > 1 ? `${where}, received as ${Chunkings.show(chunks[index]!)}` : where)
    })
    this.nothingSent("the end of the script")
    return this.engine
  }

  private step(step: Step<E>, where: string): void {
    if (step.kind === "expect") this.same(Hex.show(this.takeSent()), Hex.show(step.bytes), where)
    else if (step.kind === "advance") {
      this.nothingSent(where)
      this.passTime(this.nowMillis + step.millis)
    } else if (step.kind === "end") this.engine.receiveEnd(this.nowMillis)
    else if (step.kind === "close") this.engine.receiveClose(this.nowMillis)
    else if (step.kind === "command") step.body(this.engine, this.nowMillis)
    else if (step.kind === "expectOpen") this.closing("open", where)
    else if (step.kind === "expectEnd") this.closing("end", where)
    else if (step.kind === "expectAbort") this.closing("abort", where)
  }

  private closing(expected: "open" | "end" | "abort", where: string): void {
    this.nothingSent(where)
    this.same(this.engine.output.closing, expected, where)
  }

  private nothingSent(where: string): void {
    this.same(Hex.show(this.takeSent()), "", where)
  }

  private passTime(untilMillis: number): void {
    while (this.engine.deadlineMillis <= untilMillis) {
      this.nowMillis = Math.max(this.nowMillis, this.engine.deadlineMillis)
      this.engine.advance(this.nowMillis)
      if (this.engine.output.closing === "abort") break
      if (this.engine.deadlineMillis <= this.nowMillis) {
        throw new Error(`WireScript: the deadline at ${this.nowMillis} ms was not served`)
      }
    }
    this.nowMillis = untilMillis
  }

  private takeSent(): Uint8Array {
    return Hex.concat(this.engine.output.take())
  }

  private same(actual: string, expected: string, where: string): void {
    if (actual !== expected) throw new Error(`WireScript: ${where}: expected <${expected}>, but got <${actual}>`)
  }
}
