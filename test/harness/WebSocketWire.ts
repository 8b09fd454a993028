/**
 * WebSocket frames as tests write them, and what an engine makes of them.
 *
 * @since 0.1.0
 */
import { Output } from "@sluice/core/protocol/Engine"
import * as WebSocketConnection from "@sluice/core/protocol/websocket/WebSocketConnection"
import type { WebSocketDeflate } from "@sluice/core/protocol/websocket/WebSocketDeflate"
import type * as WebSocketFrame from "@sluice/core/protocol/websocket/WebSocketFrame"
import { WebSocketFrameEncoder } from "@sluice/core/protocol/websocket/WebSocketFrameEncoder"
import * as WebSocketOptions from "@sluice/core/protocol/websocket/WebSocketOptions"
import * as Hex from "./Hex.ts"

/** What a handler hears; bytes as `Hex.show` has them. */
export type Call =
  | readonly ["text", string]
  | readonly ["binary", string]
  | readonly ["ping", string]
  | readonly ["pong", string]
  | readonly ["violation", string]
  | readonly ["close", number, string, "clean" | "not clean"]

/** The key of the example in RFC 6455 §5.7. */
export const exampleKey = 0x37fa213d

/** One frame of `from`: its first byte, and a payload written as for `Hex.hex`. Clients mask with the example key. */
export const frame = (from: WebSocketFrame.Role, first: number, payload: string | Uint8Array = ""): Uint8Array => {
  const output = new Output()
  const encoder = new WebSocketFrameEncoder(output, from === "client" ? () => exampleKey : undefined)
  encoder.frame(first, typeof payload === "string" ? Hex.hex(payload) : payload)
  return Hex.concat(output.take())
}

export interface Options extends WebSocketOptions.Options {
  readonly deflate?: WebSocketDeflate | undefined
  readonly nowMillis?: number | undefined
  /** Called after each call was written down: for handlers that answer. */
  readonly onCall?: ((call: Call, engine: Recorded) => void) | undefined
}

/** An engine that writes down what its handler hears. */
export class Recorded extends WebSocketConnection.WebSocketConnection {
  readonly calls: ReadonlyArray<Call>

  constructor(role: WebSocketFrame.Role, options: Options = {}) {
    const calls: Array<Call> = []
    const add = (call: Call): void => {
      calls.push(call)
      options.onCall?.(call, this)
    }
    super(
      {
        onMessage: (data) => add(typeof data === "string" ? ["text", data] : ["binary", take(data)]),
        onPing: (payload) => add(["ping", take(payload)]),
        onPong: (payload) => add(["pong", take(payload)]),
        onViolation: (reason) => add(["violation", "rule" in reason ? reason.rule : reason._tag]),
        onClose: (code, reason, clean) => add(["close", code, reason, clean ? "clean" : "not clean"])
      },
      {
        limits: WebSocketOptions.resolve(options),
        deflate: options.deflate,
        nowMillis: options.nowMillis ?? 0,
        ...(role === "server" ? { role } : { role, nextMask: () => exampleKey })
      }
    )
    this.calls = calls
  }
}

/** Bytes belong to the handler, which may do with them what it likes. */
const take = (bytes: Uint8Array): string => {
  const shown = Hex.show(bytes)
  bytes.fill(0xaa)
  return shown
}

export interface Outcome {
  readonly calls: ReadonlyArray<Call>
  /** As `Hex.show` has it. */
  readonly sent: string
  readonly closing: Output["closing"]
}

/** What the engine makes of chunks that come at 0 ms. */
export const receive = (engine: Recorded, chunks: ReadonlyArray<Uint8Array>): Outcome => {
  for (const chunk of chunks) engine.receive(chunk.slice(), 0)
  return { calls: engine.calls, sent: Hex.show(Hex.concat(engine.output.take())), closing: engine.output.closing }
}
