/** WebSockets of another implementation, `ws`, on streams of another, `node:http2` (RFC 8441). */
import { once } from "node:events"
import type * as Http2 from "node:http2"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Ws from "ws"

export interface Opened {
  readonly socket: Ws.WebSocket
  readonly stream: Http2.ClientHttp2Stream
  readonly headers: Http2.IncomingHttpHeaders
  /** The next message, in order. */
  readonly receive: Effect.Effect<string | Buffer>
  /** How it ended. */
  readonly closed: Effect.Effect<{ readonly code: number; readonly reason: string }>
}

export interface Options {
  readonly path?: string | undefined
  readonly headers?: Http2.OutgoingHttpHeaders | undefined
  readonly deflate?: boolean | undefined
}

/** An extended CONNECT, and what is answered to it. */
export const ask = (session: Http2.ClientHttp2Session, { deflate, headers, path = "/" }: Options = {}) => {
  const fields: Http2.OutgoingHttpHeaders = {
    ":method": "CONNECT",
    ":protocol": "websocket",
    ":path": path,
    "sec-websocket-version": "13",
    ...(deflate === true && { "sec-websocket-extensions": "permessage-deflate; client_max_window_bits" }),
    ...headers
  }
  const stream = session.request(fields, { endStream: false })
  stream.on("error", () => {})
  const answered = once(stream, "response") as Promise<[Http2.IncomingHttpHeaders & Http2.IncomingHttpStatusHeader]>
  return Effect.map(
    Effect.promise(() => answered),
    ([headers]) => ({ stream, headers, status: headers[":status"] })
  )
}

/** What `ws` keeps to itself: a client of it makes its own connection. */
interface Inner {
  _isServer: boolean
  _extensions: Record<string, unknown>
  setSocket(stream: Http2.ClientHttp2Stream, head: Buffer, options: Record<string, unknown>): void
}

/** Opens one, and resets its stream with the scope. */
export const open = (
  session: Http2.ClientHttp2Session,
  options: Options = {}
): Effect.Effect<Opened, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { headers, status, stream } = yield* ask(session, options)
    yield* Effect.addFinalizer(() => Effect.sync(() => stream.destroy()))
    assert.strictEqual(status, 200)
    const socket = new Ws.WebSocket(
      null as never,
      undefined as never,
      { autoPong: true, closeTimeout: 10_000 } as never
    )
    const inner = socket as unknown as Inner
    inner._isServer = false
    const extensions = headers["sec-websocket-extensions"]
    if (extensions !== undefined) inner._extensions["permessage-deflate"] = agreed(String(extensions))
    const messages: Array<string | Buffer> = []
    let look = () => {}
    socket.on("message", (data: Buffer, isBinary: boolean) => {
      messages.push(isBinary ? data : String(data))
      look()
    })
    socket.on("error", () => {})
    const closed = once(socket, "close").then(([code, reason]) => ({ code, reason: String(reason) }))
    inner.setSocket(stream, Buffer.alloc(0), { allowSynchronousEvents: true, maxPayload: 1 << 25 })
    const receive = Effect.callback<string | Buffer>((resume) => {
      look = () => {
        if (messages.length === 0) return
        look = () => {}
        resume(Effect.succeed(messages.shift()!))
      }
      look()
    })
    return { socket, stream, headers, receive, closed: Effect.promise(() => closed) }
  })

/** Its types do not know it. */
interface Deflate {
  accept(offers: ReadonlyArray<unknown>): void
}

const { PerMessageDeflate } = Ws as unknown as { PerMessageDeflate: new (options: object) => Deflate }

/** A response of one extension, with parameters that have a value or none. */
const agreed = (response: string): Deflate => {
  const deflate = new PerMessageDeflate({ threshold: 0, isServer: false, maxPayload: 1 << 25 })
  const [name, ...parameters] = response.split(";").map((part) => part.trim())
  assert.strictEqual(name, "permessage-deflate")
  const values: Record<string, Array<string | true>> = {}
  for (const parameter of parameters) {
    const [key, value] = parameter.split("=")
    values[key!] = [value ?? true]
  }
  deflate.accept([values])
  return deflate
}
