/**
 * A client that writes its requests by hand, and reads responses as a strict
 * recipient does: what is framed wrongly fails the test.
 */
import * as Net from "node:net"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export interface Response {
  readonly status: number
  /** Status line and fields, as they came. */
  readonly head: string
  readonly headers: ReadonlyMap<string, ReadonlyArray<string>>
  readonly body: string
  readonly bodyBytes: number
}

export interface HttpWire {
  readonly socket: Net.Socket
  readonly send: (data: string | Uint8Array) => void
  /** The next response, interim ones too; `method` is what it answers. */
  readonly response: (method?: string) => Effect.Effect<Response>
  /** The next response; `undefined` where the server has ended its side without a byte of one. */
  readonly next: () => Effect.Effect<Response | undefined>
  /** Sends a GET and reads its response. */
  readonly get: (path: string, ...fields: ReadonlyArray<string>) => Effect.Effect<Response>
  /** All that comes until the server ends its side or breaks off. */
  readonly rest: Effect.Effect<{ readonly text: string; readonly ending: "end" | "reset" }>
}

/** Connects to a port of 127.0.0.1, or to a Unix socket. */
export const connect = (to: number | string, socket?: Net.Socket): Effect.Effect<HttpWire, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Wire>((resume) => {
      const target = typeof to === "number" ? { host: "127.0.0.1", port: to } : { path: to }
      const opened = socket ?? Net.connect({ ...target, allowHalfOpen: true })
      const wire = new Wire(opened)
      opened.once(socket === undefined ? "connect" : "secureConnect", () => resume(Effect.succeed(wire)))
    }),
    (wire) => Effect.sync(() => wire.socket.destroy())
  )

/** A GET with a `Host`. */
export const get = (path: string, ...fields: ReadonlyArray<string>): string =>
  [`GET ${path} HTTP/1.1`, "Host: test", ...fields, "\r\n"].join("\r\n")

class Wire implements HttpWire {
  readonly socket: Net.Socket
  private received = Buffer.alloc(0)
  private ending: "open" | "end" | "reset" = "open"
  private look: () => void = () => {}

  constructor(socket: Net.Socket) {
    this.socket = socket
    socket.on("data", (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk])
      this.look()
    })
    // As clients do; a server waits a while for those that do not.
    socket.on("end", () => {
      socket.end()
      this.over("end")
    })
    socket.on("error", () => this.over("reset"))
    socket.on("close", () => this.over("reset"))
  }

  readonly send = (data: string | Uint8Array): void => {
    this.socket.write(data)
  }

  readonly get = (path: string, ...fields: ReadonlyArray<string>): Effect.Effect<Response> =>
    Effect.suspend(() => {
      this.send(get(path, ...fields))
      return this.response()
    })

  next(): Effect.Effect<Response | undefined> {
    return Effect.map(
      this.await(() => (this.ending === "end" && this.received.length === 0 ? "nothing" : this.take("GET"))),
      (found) => (found === "nothing" ? undefined : found)
    )
  }

  response(method = "GET"): Effect.Effect<Response> {
    return this.await(() => this.take(method))
  }

  get rest(): Effect.Effect<{ readonly text: string; readonly ending: "end" | "reset" }> {
    return this.await(() =>
      this.ending === "open" ? undefined : { text: this.received.toString("latin1"), ending: this.ending }
    )
  }

  private take(method: string): Response | undefined {
    const parsed = parse(this.received, method, this.ending !== "open")
    if (parsed === undefined) {
      if (this.ending === "open") return undefined
      throw new Error(`the connection was over (${this.ending}) after: ${this.received.toString("latin1")}`)
    }
    this.received = this.received.subarray(parsed.wireBytes)
    return parsed.response
  }

  private over(how: "end" | "reset"): void {
    if (this.ending === "open") this.ending = how
    this.look()
  }

  private await<A>(attempt: () => A | undefined): Effect.Effect<A> {
    return Effect.callback((resume) => {
      const look = () => {
        try {
          const found = attempt()
          if (found === undefined) return
          this.look = () => {}
          resume(Effect.succeed(found))
        } catch (error) {
          this.look = () => {}
          resume(Effect.die(error))
        }
      }
      this.look = look
      look()
    })
  }
}

interface Parsed {
  readonly response: Response
  readonly wireBytes: number
}

const parse = (bytes: Buffer, method: string, over: boolean): Parsed | undefined => {
  const headEnd = bytes.indexOf("\r\n\r\n")
  if (headEnd < 0) return undefined
  const head = bytes.toString("latin1", 0, headEnd)
  const [line, ...fields] = head.split("\r\n")
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(line!)?.[1])
  assert.isNotNaN(status, `no status line: ${line}`)
  const headers = new Map<string, Array<string>>()
  for (const field of fields) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?(.*)$/.exec(field) ?? []
    assert.isDefined(name, `no field: ${field}`)
    headers.set(name!.toLowerCase(), [...(headers.get(name!.toLowerCase()) ?? []), value!])
  }
  const from = headEnd + 4
  const body = bodyOf(bytes.subarray(from), status, method, headers, over)
  if (body === undefined) return undefined
  return {
    response: { status, head, headers, body: body.data.toString("latin1"), bodyBytes: body.data.length },
    wireBytes: from + body.wireBytes
  }
}

/** RFC 9112 §6.3, and nothing lenient. */
const bodyOf = (
  bytes: Buffer,
  status: number,
  method: string,
  headers: ReadonlyMap<string, ReadonlyArray<string>>,
  over: boolean
): { readonly data: Buffer; readonly wireBytes: number } | undefined => {
  const lengths = headers.get("content-length") ?? []
  const codings = headers.get("transfer-encoding") ?? []
  assert.isAtMost(lengths.length + codings.length, 1, "one way of framing")
  if (status < 200 || status === 204) assert.lengthOf([...lengths, ...codings], 0, `framing of a ${status}`)
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) {
    return { data: Buffer.alloc(0), wireBytes: 0 }
  }
  if (codings.length > 0) return chunked(bytes)
  if (lengths.length > 0) {
    const length = Number(lengths[0])
    return bytes.length < length ? undefined : { data: bytes.subarray(0, length), wireBytes: length }
  }
  return over ? { data: bytes, wireBytes: bytes.length } : undefined
}

const chunked = (bytes: Buffer): { readonly data: Buffer; readonly wireBytes: number } | undefined => {
  const parts: Array<Buffer> = []
  let at = 0
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at)
    if (lineEnd < 0) return undefined
    const line = bytes.toString("latin1", at, lineEnd)
    assert.match(line, /^[0-9a-f]+$/i, "the size of a chunk")
    const size = Number.parseInt(line, 16)
    const from = lineEnd + 2
    if (size === 0) {
      const end = bytes.indexOf("\r\n", from)
      if (end < 0) return undefined
      assert.strictEqual(end, from, "trailers")
      return { data: Buffer.concat(parts), wireBytes: from + 2 }
    }
    if (bytes.length < from + size + 2) return undefined
    parts.push(bytes.subarray(from, from + size))
    assert.strictEqual(bytes.toString("latin1", from + size, from + size + 2), "\r\n", "the end of a chunk")
    at = from + size + 2
  }
}
