/** `node:http2` as a client. */
import * as Http2 from "node:http2"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export interface Answer {
  readonly status: number | undefined
  readonly headers: Http2.IncomingHttpHeaders
  /** `undefined` where none came. */
  readonly trailers: Http2.IncomingHttpHeaders | undefined
  readonly bytes: Buffer
  readonly text: string
  /** RFC 9113 §7, as the stream has closed. */
  readonly code: number
}

/** Connects, and waits for the server's SETTINGS; all is gone with the scope. */
export const connect = (
  url: string,
  options: Http2.SecureClientSessionOptions = {}
): Effect.Effect<Http2.ClientHttp2Session, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Http2.ClientHttp2Session>((resume) => {
      const session = Http2.connect(url, { rejectUnauthorized: false, ...options })
      session.on("error", (error) => resume(Effect.die(error)))
      session.once("remoteSettings", () => resume(Effect.succeed(session)))
    }),
    (session) => Effect.sync(() => session.destroy())
  )

export interface Question {
  readonly body?: Uint8Array | string
  readonly trailers?: Record<string, string>
}

/** One request, and all that comes back. */
export const ask = (
  session: Http2.ClientHttp2Session,
  headers: Http2.OutgoingHttpHeaders,
  { body, trailers }: Question = {}
): Effect.Effect<Answer> =>
  Effect.suspend(() => {
    const stream = session.request(headers, { endStream: body === undefined, waitForTrailers: trailers !== undefined })
    if (trailers !== undefined) stream.on("wantTrailers", () => stream.sendTrailers(trailers))
    const answered = answerOf(stream)
    if (body !== undefined) stream.end(body)
    return answered
  })

/** All that comes back on a stream; whoever calls this has its data. */
export const answerOf = (stream: Http2.ClientHttp2Stream): Effect.Effect<Answer> => {
  const answered = new Promise<Answer>((resolve) => {
    let headers: Http2.IncomingHttpHeaders & Http2.IncomingHttpStatusHeader = {}
    let trailers: Http2.IncomingHttpHeaders | undefined
    const chunks: Array<Buffer> = []
    stream.on("response", (fields) => {
      headers = fields
    })
    stream.on("trailers", (fields) => {
      trailers = fields
    })
    stream.on("data", (chunk: Buffer) => chunks.push(chunk))
    stream.on("error", () => {})
    stream.on("close", () => {
      const bytes = Buffer.concat(chunks)
      resolve({ status: headers[":status"], headers, trailers, bytes, text: String(bytes), code: stream.rstCode ?? 0 })
    })
  })
  return Effect.promise(() => answered)
}

/** What has come so far begins with `text`. */
export const heard = (stream: Http2.ClientHttp2Stream, text: string): Effect.Effect<void> =>
  Effect.callback((resume) => {
    let received = ""
    const onData = (chunk: Buffer): void => {
      received += chunk
      if (received.length < text.length) return
      stream.off("data", onData)
      assert.strictEqual(received, text)
      resume(Effect.void)
    }
    stream.on("data", onData)
  })
