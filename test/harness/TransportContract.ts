/**
 * The rules of `Transport`, as tests that any implementation runs.
 *
 * `makePair` opens two transports that are each other's peer, both fresh:
 * paused, and attached to nobody.
 */
import { assert, describe, it } from "@effect/vitest"
import type { Receiver, Transport } from "@sluice/core/transport/Transport"
import * as TransportError from "@sluice/core/transport/TransportError"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export type MakePair = Effect.Effect<readonly [client: Transport, server: Transport], unknown, Scope.Scope>

/** What a receiver was told, and a way to wait for it. */
export class Recorder implements Receiver {
  readonly events: Array<string> = []
  readonly chunks: Array<Uint8Array> = []
  receivedBytes = 0
  closeError: TransportError.TransportError | undefined
  private readonly waiters = new Set<() => void>()
  private readonly react: Partial<Receiver>

  constructor(react: Partial<Receiver> = {}) {
    this.react = react
  }

  onBytes(chunk: Uint8Array): void {
    this.chunks.push(chunk)
    this.receivedBytes += chunk.length
    if (this.events.at(-1) !== "bytes") this.events.push("bytes")
    this.react.onBytes?.(chunk)
    this.wake()
  }

  onDrain(): void {
    this.events.push("drain")
    this.react.onDrain?.()
    this.wake()
  }

  onEnd(): void {
    this.events.push("end")
    this.react.onEnd?.()
    this.wake()
  }

  onClose(error: TransportError.TransportError | undefined): void {
    this.events.push("close")
    this.closeError = error
    this.react.onClose?.(error)
    this.wake()
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString()
  }

  /** Waits until `holds`, which is asked again after every call. */
  until(holds: (self: this) => boolean): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const check = () => {
        if (!holds(this)) return
        this.waiters.delete(check)
        resume(Effect.void)
      }
      this.waiters.add(check)
      check()
      return Effect.sync(() => this.waiters.delete(check))
    })
  }

  /** Waits for an event by its name. */
  saw(event: string): Effect.Effect<void> {
    return this.until((self) => self.events.includes(event))
  }

  private wake(): void {
    for (const check of [...this.waiters]) check()
  }
}

/** Attaches a recorder and lets the transport flow. */
export const record = (transport: Transport, react?: Partial<Receiver>): Recorder => {
  const recorder = new Recorder(react)
  transport.attach(recorder)
  transport.resume()
  return recorder
}

/** Attaches a recorder that sends everything back, the end of the stream too. */
export const echo = (transport: Transport): Recorder =>
  record(transport, { onBytes: (chunk) => transport.write(chunk), onEnd: () => transport.end() })

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Waits for all that is ready now: a few turns of the platform's event loop. */
export const turns = Effect.callback<void>((resume) => {
  let left = 5
  const next = () => (left-- === 0 ? resume(Effect.void) : setImmediate(next))
  next()
})

/** Writes until the transport asks to wait. */
export const fill = (transport: Transport): number => {
  const chunk = new Uint8Array(64 * 1024)
  let count = 1
  while (transport.write(chunk)) count++
  return count * chunk.length
}

export const transportContract = (name: string, makePair: MakePair): void => {
  const rule = (title: string, body: (client: Transport, server: Transport) => Effect.Effect<void>) =>
    it.live(title, () => Effect.flatMap(makePair, ([client, server]) => body(client, server)).pipe(Effect.scoped))

  describe(`${name}: the rules of Transport`, () => {
    rule("1: a new transport is paused, with and without a receiver", (client, server) =>
      Effect.gen(function* () {
        const received = new Recorder()
        client.write(bytes("early"))
        client.end()
        yield* turns
        server.attach(received)
        yield* turns
        assert.deepStrictEqual(received.events, [])
        server.resume()
        yield* received.saw("end")
        assert.strictEqual(received.text, "early")
        assert.deepStrictEqual(received.events, ["bytes", "end"])
      })
    )

    rule("1: resume before attach delivers at attach", (client, server) =>
      Effect.gen(function* () {
        client.write(bytes("early"))
        server.resume()
        yield* turns
        const received = new Recorder()
        server.attach(received)
        assert.deepStrictEqual(received.events, [])
        yield* received.until((self) => self.text === "early")
      })
    )

    rule(
      "attach within a callback: the new receiver hears all that follows, a destroy at once, too",
      (client, server) =>
        Effect.gen(function* () {
          const second = new Recorder()
          const first = record(server, {
            onBytes: () => {
              server.attach(second)
              server.destroy()
            }
          })
          client.write(bytes("hello"))
          yield* second.saw("close")
          assert.deepStrictEqual(first.events, ["bytes"])
          assert.deepStrictEqual(second.events, ["close"])
        })
    )

    rule("2: bytes come in order, in chunks that are never empty", (client, server) =>
      Effect.gen(function* () {
        const received = record(server)
        let expected = ""
        for (let index = 0; index < 500; index++) {
          expected += `${index};`
          client.write(bytes(`${index};`))
          if (index % 50 === 0) client.write(new Uint8Array(0))
        }
        client.end()
        yield* received.saw("end")
        assert.strictEqual(received.text, expected)
        assert.isTrue(received.chunks.every((chunk) => chunk.length > 0))
        assert.strictEqual(server.receivedBytes, expected.length)
        assert.strictEqual(client.sentBytes, expected.length)
      })
    )

    rule("2: nothing is delivered while paused, not even the end", (client, server) =>
      Effect.gen(function* () {
        const received: Recorder = record(server, {
          onBytes: () => {
            if (["first", "firstsecond"].includes(received.text)) server.pause()
          }
        })
        client.write(bytes("first"))
        yield* received.until((self) => self.text === "first")
        client.write(bytes("second"))
        client.end()
        yield* turns
        assert.strictEqual(received.text, "first")
        assert.deepStrictEqual(received.events, ["bytes"])
        server.resume()
        yield* received.until((self) => self.text === "firstsecond")
        yield* turns
        assert.deepStrictEqual(received.events, ["bytes"])
        server.resume()
        yield* received.saw("end")
        assert.deepStrictEqual(received.events, ["bytes", "end"])
      })
    )

    rule("3: half-close: the other side still sends, and is told of the end once", (client, server) =>
      Effect.gen(function* () {
        const atClient = record(client)
        const atServer = record(server)
        client.end()
        yield* atServer.saw("end")
        assert.strictEqual(server.state, "open")
        server.write(bytes("still here"))
        yield* atClient.saw("bytes")
        server.end()
        yield* atClient.saw("close")
        yield* atServer.saw("close")
        assert.strictEqual(atClient.text, "still here")
        assert.deepStrictEqual(atClient.events, ["bytes", "end", "close"])
        assert.deepStrictEqual(
          atServer.events.filter((event) => event !== "drain"),
          ["end", "close"]
        )
      })
    )

    rule("4: destroy closes once, later, and without an error of its own", (client, server) =>
      Effect.gen(function* () {
        const atClient = record(client)
        const atServer = record(server)
        client.destroy()
        client.destroy()
        client.pause()
        client.resume()
        client.end()
        assert.deepStrictEqual(atClient.events, [])
        yield* atClient.saw("close")
        yield* Effect.race(atServer.saw("end"), atServer.saw("close"))
        server.destroy()
        yield* atServer.saw("close")
        yield* turns
        assert.deepStrictEqual(atClient.events, ["close"])
        assert.isUndefined(atClient.closeError)
        assert.strictEqual(client.state, "closed")
      })
    )

    rule("4: the error of destroy is told at the close; the first one counts", (client) =>
      Effect.gen(function* () {
        const atClient = record(client)
        const error = TransportError.make(new TransportError.IdleTimeout(1_000))
        client.destroy(error)
        client.destroy(TransportError.make(new TransportError.Closed()))
        yield* atClient.saw("close")
        assert.strictEqual(atClient.closeError, error)
      })
    )

    rule("4: a paused transport that is destroyed is closed too", (client) =>
      Effect.gen(function* () {
        const atClient = new Recorder()
        client.attach(atClient)
        client.destroy()
        yield* atClient.saw("close")
      })
    )

    rule("4: nothing comes after destroy, from inside onBytes", (client, server) =>
      Effect.gen(function* () {
        const atServer = record(server, { onBytes: () => server.destroy() })
        client.write(bytes("one"))
        client.write(bytes("two"))
        client.write(new Uint8Array(300_000))
        yield* atServer.saw("close")
        assert.deepStrictEqual(atServer.events, ["bytes", "close"])
        assert.lengthOf(atServer.chunks, 1)
      })
    )

    rule("4: nothing comes after destroy, of what was buffered while paused", (client, server) =>
      Effect.gen(function* () {
        const atServer = record(server, { onBytes: (chunk) => (chunk[0] === 0 ? server.pause() : server.destroy()) })
        client.write(Uint8Array.of(0))
        yield* atServer.saw("bytes")
        for (let index = 1; index < 5; index++) {
          client.write(Uint8Array.of(index))
          yield* turns
        }
        client.end()
        yield* turns
        server.resume()
        yield* atServer.saw("close")
        assert.lengthOf(atServer.chunks, 2)
        assert.deepStrictEqual(atServer.events, ["bytes", "close"])
      })
    )

    rule("4: a close before attach is told to who attaches later", (client) =>
      Effect.gen(function* () {
        const closed = new Recorder()
        client.observeClose(() => closed.onClose(undefined))
        client.destroy()
        yield* closed.saw("close")
        const late = new Recorder()
        client.attach(late)
        assert.deepStrictEqual(late.events, [])
        yield* late.saw("close")
      })
    )

    rule("4: close observers come after the receiver; at once when it is closed", (client) =>
      Effect.gen(function* () {
        const atClient = record(client)
        client.observeClose(() => atClient.events.push("first observer"))
        client.observeClose(() => atClient.events.push("second observer"))
        const error = TransportError.make(new TransportError.Closed())
        client.destroy(error)
        yield* atClient.saw("second observer").pipe(Effect.raceFirst(Effect.andThen(atClient.saw("close"), turns)))
        assert.deepStrictEqual(atClient.events, ["close", "first observer", "second observer"])
        let seen: unknown
        client.observeClose((error) => {
          seen = error
        })
        assert.strictEqual(seen, error)
      })
    )

    rule("5: a peer that does not read fills the buffer; drain comes when it does", (client, server) =>
      Effect.gen(function* () {
        const atClient = record(client)
        let total = fill(client)
        // What the system takes over in the meantime makes room: fill until it takes nothing more.
        for (let round = 0; round < 100; round++) {
          yield* turns
          if (!atClient.events.includes("drain")) break
          atClient.events.length = 0
          total += fill(client)
        }
        assert.notInclude(atClient.events, "drain")
        assert.isAbove(client.bufferedBytes, 0)
        assert.strictEqual(client.sentBytes, total)
        const atServer = record(server)
        yield* atClient.saw("drain")
        yield* atServer.until((self) => self.receivedBytes === total)
        yield* turns
        assert.strictEqual(client.bufferedBytes, 0)
        assert.strictEqual(server.receivedBytes, total)
      })
    )

    rule("5: what was buffered goes with destroy", (client) =>
      Effect.gen(function* () {
        const atClient = record(client)
        for (let round = 0; round < 20; round++) fill(client)
        assert.isAbove(client.bufferedBytes, 0)
        client.destroy()
        yield* atClient.saw("close")
        assert.strictEqual(client.bufferedBytes, 0)
      })
    )

    rule("5: after end and after destroy bytes are dropped", (client, server) =>
      Effect.gen(function* () {
        const atServer = record(server)
        client.write(bytes("last"))
        client.end()
        assert.isFalse(client.write(bytes("more")))
        assert.isFalse(client.writeAll([bytes("more"), bytes("and more")]))
        assert.strictEqual(client.sentBytes, 4)
        yield* atServer.saw("end")
        assert.strictEqual(atServer.text, "last")
        server.destroy()
        assert.isFalse(server.write(bytes("more")))
        assert.strictEqual(server.sentBytes, 0)
      })
    )

    rule("5: writeAll keeps the order of its chunks and of the writes around it", (client, server) =>
      Effect.gen(function* () {
        const atServer = record(server)
        client.write(bytes("a"))
        client.writeAll([bytes("b"), bytes("c"), new Uint8Array(0), bytes("d")])
        client.writeAll([])
        client.writeAll([bytes("e")])
        client.write(bytes("f"))
        client.end()
        yield* atServer.saw("end")
        assert.strictEqual(atServer.text, "abcdef")
        assert.strictEqual(client.sentBytes, 6)
      })
    )

    rule("6: end and destroy after the close do nothing", (client, server) =>
      Effect.gen(function* () {
        echo(server)
        const atClient = record(client)
        client.end()
        yield* atClient.saw("close")
        client.end()
        client.destroy(TransportError.make(new TransportError.Closed()))
        client.pause()
        client.resume()
        yield* turns
        assert.deepStrictEqual(atClient.events, ["end", "close"])
        assert.isUndefined(atClient.closeError)
      })
    )

    rule("7: both sides ended and all written: closed, without an error", (client, server) =>
      Effect.gen(function* () {
        const atServer = echo(server)
        const atClient = record(client)
        client.write(new Uint8Array(500_000))
        client.end()
        yield* atClient.saw("close")
        yield* atServer.saw("close")
        assert.strictEqual(atClient.receivedBytes, 500_000)
        assert.isUndefined(atClient.closeError)
        assert.isUndefined(atServer.closeError)
      })
    )

    rule("the receiver can be changed within a callback", (client, server) =>
      Effect.gen(function* () {
        const second = new Recorder()
        const first = record(server, { onBytes: () => server.attach(second) })
        client.write(bytes("first"))
        yield* first.saw("bytes")
        client.write(bytes("second"))
        client.end()
        yield* second.saw("end")
        assert.lengthOf(first.chunks, 1)
        assert.strictEqual(first.text + second.text, "firstsecond")
        assert.deepStrictEqual(first.events, ["bytes"])
      })
    )

    rule("the two sides agree on their addresses", (client, server) =>
      Effect.sync(() => {
        assert.deepStrictEqual(String(client.peer), String(server.local))
        assert.deepStrictEqual(String(client.local), String(server.peer))
      })
    )
  })
}
