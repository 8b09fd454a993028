/**
 * HTTP/2 servers in memory, which a test drives by hand: what a dialer dials
 * is answered by an engine in the server's role.
 */
import type { FieldsInput } from "@sluice/core/protocol/http/HttpField"
import { Http2Connection } from "@sluice/core/protocol/http2/Http2Connection"
import type { StreamFailure, Violation } from "@sluice/core/protocol/http2/Http2Error"
import type { Http2Fields } from "@sluice/core/protocol/http2/Http2Fields"
import type { Http2Handler } from "@sluice/core/protocol/http2/Http2Handler"
import type { Http2RequestHead } from "@sluice/core/protocol/http2/Http2Head"
import * as Http2Options from "@sluice/core/protocol/http2/Http2Options"
import type { Http2Stream } from "@sluice/core/protocol/http2/Http2Stream"
import * as EnginePump from "@sluice/core/session/EnginePump"
import * as Timers from "@sluice/core/session/Timers"
import * as Dialer from "@sluice/core/transport/Dialer"
import * as MemoryTransport from "@sluice/core/transport/MemoryTransport"
import type { Transport } from "@sluice/core/transport/Transport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** A request as the server has it, and what it does with it. */
export class Served {
  readonly head: Http2RequestHead
  readonly stream: Http2Stream
  private readonly server: Server
  bodyText = ""
  bodyBytes = 0
  /** `undefined` while more may come. */
  ended: "whole" | "trailers" | undefined
  trailers: Http2Fields | undefined = undefined
  /** How its stream ended; `undefined` while it is open, `"clean"` when both sides have ended it. */
  over: StreamFailure | "clean" | undefined = undefined

  constructor(server: Server, stream: Http2Stream, head: Http2RequestHead, ended: boolean) {
    this.server = server
    this.stream = stream
    this.head = head
    this.ended = ended ? "whole" : undefined
  }

  respond(status: number, headers: FieldsInput = {}, body?: Uint8Array | string): void {
    this.server.run((engine, nowMillis) => engine.respond(this.stream, status, headers, body, nowMillis))
  }

  begin(status: number, headers: FieldsInput = {}): void {
    this.server.run((engine, nowMillis) => engine.beginResponse(this.stream, status, headers, nowMillis))
  }

  interim(status: number, headers: FieldsInput = {}): void {
    this.server.run((engine, nowMillis) => engine.interim(this.stream, status, headers, nowMillis))
  }

  write(data: Uint8Array | string): void {
    this.server.run((engine, nowMillis) => engine.write(this.stream, data, nowMillis))
  }

  end(trailers?: FieldsInput): void {
    this.server.run((engine, nowMillis) => engine.end(this.stream, trailers, nowMillis))
  }

  reset(errorCode: number): void {
    this.server.run((engine, nowMillis) => engine.reset(this.stream, errorCode, nowMillis))
  }

  consume(byteCount: number): void {
    this.server.run((engine, nowMillis) => engine.consume(this.stream, byteCount, nowMillis))
  }
}

export interface ServerOptions extends Http2Options.Options {
  /** `answer` says hello to every request that is whole. `hold` leaves it to the test. Default `answer`. */
  readonly conduct?: "answer" | "hold" | ((request: Served) => void) | undefined
  /** `used`: what comes is used up at once. `kept`: the test consumes it. Default `used`. */
  readonly bodies?: "used" | "kept" | undefined
  readonly bufferBytes?: number | undefined
}

export class Server implements Http2Handler {
  readonly transport: Transport
  readonly requests: Array<Served> = []
  violation: Violation | undefined = undefined
  /** Codes and texts of GOAWAY that came. */
  readonly goAways: Array<readonly [errorCode: number, debug: string]> = []
  readonly engine: Http2Connection
  private readonly pump: EnginePump.EnginePump
  private readonly options: ServerOptions

  constructor(transport: Transport, timers: Timers.Timers, options: ServerOptions) {
    this.transport = transport
    this.options = options
    this.engine = new Http2Connection("server", this, Http2Options.resolve("server", options), timers.now())
    this.pump = EnginePump.makeUnsafe(transport, this.engine, timers, {
      onTurn: () => this.fill(),
      onWritable: () => {},
      onClose: () => {}
    })
  }

  get last(): Served {
    return this.requests.at(-1)!
  }

  /** What the server says, in one turn. Throws for what the engine refuses. */
  run(command: (engine: Http2Connection, nowMillis: number) => unknown): void {
    let refusal: unknown
    this.pump.turn((nowMillis) => {
      refusal = command(this.engine, nowMillis)
    })
    if (refusal !== undefined) throw new Error(JSON.stringify(refusal))
  }

  /** GOAWAY in two steps. */
  drain(): void {
    this.run((engine, nowMillis) => engine.drain(nowMillis))
  }

  /** GOAWAY at once, and the end. */
  close(errorCode: number, debug = ""): void {
    this.run((engine, nowMillis) => engine.close(errorCode, debug, nowMillis))
  }

  /** Bytes by hand, beside the engine's. */
  raw(bytes: Uint8Array): void {
    this.transport.write(bytes)
  }

  onRequest(stream: Http2Stream, head: Http2RequestHead, ended: boolean): void {
    const served = new Served(this, stream, head, ended)
    stream.owner = served
    this.requests.push(served)
    if (typeof this.options.conduct === "function") this.options.conduct(served)
    else if (ended) this.answer(served)
  }

  onInterim(): void {}

  onResponse(): void {}

  onData(stream: Http2Stream, data: Uint8Array): void {
    const served = stream.owner as Served
    served.bodyBytes += data.length
    if (served.bodyBytes < 65_536) served.bodyText += Buffer.from(data).toString()
    if (this.options.bodies !== "kept") served.consume(data.length)
  }

  onEnd(stream: Http2Stream, trailers: Http2Fields | undefined): void {
    const served = stream.owner as Served
    served.ended = trailers === undefined ? "whole" : "trailers"
    served.trailers = trailers
    if (typeof this.options.conduct !== "function") this.answer(served)
  }

  onClosed(stream: Http2Stream, failure: StreamFailure | undefined): void {
    ;(stream.owner as Served).over = failure ?? "clean"
  }

  onWritable(): void {}

  onPeerSettings(): void {}

  onGoAway(_lastStreamId: number, errorCode: number, debug: string): void {
    this.goAways.push([errorCode, debug])
  }

  onPong(): void {}

  onViolation(violation: Violation): void {
    this.violation = violation
  }

  private answer(served: Served): void {
    if (this.options.conduct === "hold") return
    served.respond(200, { "content-type": "text/plain" }, `hello ${served.head.path}`)
  }

  private fill(): void {
    if (this.pump === undefined) return
    this.engine.fill(this.pump.now())
    while (this.engine.hasQueued && this.pump.writable()) {
      this.pump.flush()
      if (this.pump.writable()) this.engine.fill(this.pump.now())
    }
  }
}

export interface World {
  readonly dialer: Layer.Layer<Dialer.Dialer>
  readonly dialed: Array<{ readonly target: Dialer.Target; readonly options: Dialer.DialOptions | undefined }>
  readonly servers: Array<Server>
  /** The server that was dialed last. */
  readonly server: Server
  /** For `MemoryWorld.leavesNothing`. */
  readonly network: { readonly openCount: () => number }
}

/** A world whose servers live as long as the scope. */
export const make = (options: ServerOptions = {}) =>
  Effect.map(Timers.make, (timers): World => {
    const dialed: Array<World["dialed"][number]> = []
    const servers: Array<Server> = []
    let open = 0
    const connect = () => {
      const pair = MemoryTransport.pair({ bufferBytes: options.bufferBytes })
      for (const transport of pair) {
        open++
        transport.observeClose(() => open--)
      }
      servers.push(new Server(pair[1], timers, options))
      return pair[0]
    }
    return {
      dialed,
      servers,
      get server() {
        return servers.at(-1)!
      },
      network: { openCount: () => open },
      dialer: Layer.succeed(Dialer.Dialer, {
        dial: (target, dialOptions) =>
          Effect.acquireRelease(
            Effect.sync(() => {
              dialed.push({ target, options: dialOptions })
              return connect()
            }),
            (transport) => Effect.sync(() => transport.destroy())
          )
      })
    }
  })
