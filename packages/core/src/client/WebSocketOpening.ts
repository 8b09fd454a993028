/**
 * The client's opening handshake (RFC 6455 §4.1) on a transport that was just
 * dialed: one request, and the session behind its answer.
 *
 * @internal
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { RawDeflate } from "../bytes/RawDeflate.ts"
import { type ClientHandler, Http1Client } from "../protocol/http1/Http1Client.ts"
import type { Violation } from "../protocol/http1/Http1Error.ts"
import type { ResponseHead } from "../protocol/http1/Http1Head.ts"
import type { Resolved as Http1Limits } from "../protocol/http1/Http1Options.ts"
import { ConnectionLost, HandshakeRefused, type Reason, WebSocketError } from "../protocol/websocket/WebSocketError.ts"
import * as WebSocketHandshake from "../protocol/websocket/WebSocketHandshake.ts"
import * as EnginePump from "../session/EnginePump.ts"
import type { Timers } from "../session/Timers.ts"
import * as WebSocketSession from "../session/WebSocketSession.ts"
import type { Resolved } from "../session/WebSocketSessionOptions.ts"
import type { Transport } from "../transport/Transport.ts"
import type { TransportError } from "../transport/TransportError.ts"
import type * as WebSocketEndpoint from "./WebSocketEndpoint.ts"
import type { WebSocketMasks } from "./WebSocketMasks.ts"

/** @category options */
export interface Options {
  readonly transport: Transport
  readonly timers: Timers
  readonly endpoint: WebSocketEndpoint.Resolved
  readonly protocols: ReadonlyArray<string> | undefined
  readonly headers: Readonly<Record<string, string>> | undefined
  readonly limits: Resolved
  readonly http: Http1Limits
  readonly codec: RawDeflate | undefined
  readonly masks: WebSocketMasks
}

/** Interruption gives the transport up, and so does a failure. @category opening */
export const open = (options: Options): Effect.Effect<WebSocketSession.Owned, WebSocketError> =>
  Effect.callback((resume) => {
    const opening = new Opening(options, resume)
    opening.start()
    return Effect.sync(() => options.transport.destroy())
  })

class Opening implements ClientHandler {
  private readonly options: Options
  private readonly resume: (exit: Exit.Exit<WebSocketSession.Owned, WebSocketError>) => void
  private readonly asked: WebSocketHandshake.Asked
  private readonly key: string
  private readonly engine: Http1Client
  private readonly pump: EnginePump.EnginePump

  constructor(options: Options, resume: Opening["resume"]) {
    const { codec, http, limits, masks, protocols, timers, transport } = options
    this.options = options
    this.resume = resume
    this.asked = WebSocketHandshake.ask({ protocols, deflate: codec === undefined ? "none" : limits.deflate })
    this.key = masks.key()
    this.engine = new Http1Client(this, http, timers.now())
    this.pump = EnginePump.makeUnsafe(transport, this.engine, timers, new PumpEvents(this))
  }

  start(): void {
    const { endpoint, headers } = this.options
    const { asked, engine, key, pump } = this
    const parts = {
      method: "GET",
      target: endpoint.path,
      headers: {
        ...headers,
        host: endpoint.authority,
        upgrade: "websocket",
        "sec-websocket-key": key,
        "sec-websocket-version": asked.version,
        "sec-websocket-protocol": asked.protocol,
        "sec-websocket-extensions": asked.extensions
      }
    }
    pump.turn((nowMillis) => {
      const refusal = engine.request(parts, undefined, nowMillis)
      if (refusal !== undefined) this.end(Exit.die(new RangeError(`the request cannot be sent: ${refusal.message}`)))
    })
  }

  onUpgrade(head: ResponseHead, rest: Uint8Array): void {
    const { codec, limits, masks, timers, transport } = this.options
    const opened = WebSocketHandshake.verify(this.asked, {
      by: "upgrade",
      status: head.status,
      upgrade: head.header("upgrade"),
      connection: head.header("connection"),
      accept: head.header("sec-websocket-accept"),
      protocol: head.header("sec-websocket-protocol"),
      extensions: head.header("sec-websocket-extensions"),
      key: this.key
    })
    if (opened._tag !== "Opened") {
      this.fail(opened)
      return
    }
    this.pump.release()
    const session = WebSocketSession.makeUnsafe({
      role: "client",
      nextMask: masks.next,
      transport,
      rest,
      timers,
      limits,
      protocol: opened.protocol,
      deflate: codec && opened.deflate && { codec, parameters: opened.deflate }
    })
    this.resume(Exit.succeed(session))
  }

  onResponse(head: ResponseHead): void {
    this.fail(new HandshakeRefused("status", `the server answered ${head.status}`, head.status))
  }

  onViolation(violation: Violation): void {
    // A transport that is gone is about to say why.
    if (this.options.transport.state === "closed") return
    if (violation._tag === "Truncated") this.fail(new ConnectionLost())
    else this.fail(new HandshakeRefused("status", `the server's answer is wrong: ${violation.message}`))
  }

  onInterim(): void {}

  onBody(): void {}

  onEnd(): void {}

  onComplete(): void {}

  onRaw(): void {}

  onPeerEnd(): void {}

  onClose(): void {}

  transportClosed(error: TransportError | undefined): void {
    this.fail(new ConnectionLost(error?.reason.message))
  }

  private fail(reason: Reason): void {
    this.end(Exit.fail(new WebSocketError({ reason })))
  }

  private end(exit: Exit.Exit<never, WebSocketError>): void {
    this.options.transport.destroy()
    this.resume(exit)
  }
}

/** What the pump says; `onClose` is another's name in the opening. */
class PumpEvents implements EnginePump.PumpHandler {
  private readonly opening: Opening

  constructor(opening: Opening) {
    this.opening = opening
  }

  onWritable(): void {}

  onClose(error: TransportError | undefined): void {
    this.opening.transportClosed(error)
  }
}
