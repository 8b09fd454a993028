/**
 * The same frames, good and damaged, to our HTTP/2 server and to that of
 * `node:http2`: what both take for a whole request must be the same request.
 *
 * Two recipients that read different messages from the same bytes are what
 * request smuggling is made of, so that is never explained away. That ours takes one
 * alone is a failure too, unless Node has ended the connection; where Node
 * does, it is counted by why ours did not.
 *
 * @since 0.1.0
 */
import * as Http2 from "node:http2"
import type * as Net from "node:net"
import * as Timers from "node:timers/promises"
import { Http2Connection } from "@sluice/core/protocol/http2/Http2Connection"
import type { StreamFailure, Violation } from "@sluice/core/protocol/http2/Http2Error"
import type { Http2Fields } from "@sluice/core/protocol/http2/Http2Fields"
import type { Http2Handler } from "@sluice/core/protocol/http2/Http2Handler"
import type { Http2RequestHead } from "@sluice/core/protocol/http2/Http2Head"
import * as Http2Options from "@sluice/core/protocol/http2/Http2Options"
import type { Http2Stream } from "@sluice/core/protocol/http2/Http2Stream"
import * as Wire from "../harness/Http2Wire.ts"
import type { Loopback, Tally } from "./Http2Differential.ts"
import { damage, disorder, framesOf, Random } from "./Http2Traffic.ts"

/** A request as one of both has taken it. */
interface Message {
  readonly start: string
  readonly lines: string
  body: string
  trailers: string
  isWhole: boolean
}

interface Taken {
  readonly messages: Map<number, Message>
  /** Why streams, or the connection (0), were refused. */
  readonly refusals: Map<number, string>
}

/** One wire to both. */
export const round = async (seed: number, loopback: Loopback, result: Tally): Promise<number> => {
  await judge(`seed ${seed}`, wireOf(seed), loopback, result)
  return 1
}

export const wireOf = (seed: number): Uint8Array => {
  const random = new Random(seed)
  const frames = framesOf(random, "client", 0).filter(isForBoth)
  const kind = random.below(3)
  if (kind === 0) return Wire.wire(...frames)
  return kind === 1 ? Wire.wire(...disorder(random, frames)) : damage(random, frames)
}

/**
 * Not what ends a connection of Node's at once, and would hide the rest: answers
 * to PINGs that nobody has sent, GOAWAY, and a code of RST_STREAM that is none.
 */
const isForBoth = (frame: Uint8Array): boolean => {
  const name = Wire.types[frame[3]!]
  return !(name === "PING" && frame[4] === 1) && name !== "GOAWAY" && !(name === "RST_STREAM" && frame[9] === 0xff)
}

export const judge = async (label: string, wire: Uint8Array, loopback: Loopback, result: Tally): Promise<void> => {
  const here = takeHere(wire)
  const node = await takeByNode(wire, loopback)
  const count = (what: string) => result.counts.set(`frames: ${what}`, (result.counts.get(`frames: ${what}`) ?? 0) + 1)
  for (const id of new Set([...here.messages.keys(), ...node.messages.keys()])) {
    const [ours, theirs] = [wholeOf(here, id), wholeOf(node, id)]
    const [ends, nodeEnds] = [here.refusals.get(0), node.refusals.get(0)]
    if (ours === undefined && theirs === undefined) count("neither takes it whole")
    else if (ours === undefined) count(`only Node takes it: ${here.refusals.get(id) ?? ends ?? "not whole"}`)
    else if (theirs === undefined) {
      // Node drops what it has read of a connection that it ends, and ends it for what is malformed.
      if (nodeEnds !== undefined) count("only ours takes it: Node has ended the connection")
      else result.unexplained.push(`${label}, stream ${id}: only ours: ${JSON.stringify(ours)}; ${[...node.refusals]}`)
    } else if (JSON.stringify(ours) === JSON.stringify(theirs)) count("the same")
    else result.unexplained.push(`${label}, stream ${id}: ${JSON.stringify(ours)} and ${JSON.stringify(theirs)}`)
  }
}

const wholeOf = ({ messages }: Taken, id: number): Message | undefined => {
  const message = messages.get(id)
  return message?.isWhole === true ? message : undefined
}

/** Ours, which answers what is whole. */
class Server implements Http2Handler, Taken {
  readonly messages = new Map<number, Message>()
  readonly refusals = new Map<number, string>()
  readonly engine = new Http2Connection("server", this, Http2Options.resolve("server"), 0)

  onRequest(stream: Http2Stream, head: Http2RequestHead, ended: boolean): void {
    const start = `${head.method} ${head.authority} ${head.path}`
    this.messages.set(stream.id, { start, lines: linesOf(head), body: "", trailers: "", isWhole: false })
    if (ended) this.onEnd(stream, undefined)
  }
  onData(stream: Http2Stream, data: Uint8Array): void {
    this.messages.get(stream.id)!.body += Buffer.from(data).toString("latin1")
    this.engine.consume(stream, data.length, 0)
  }
  onEnd(stream: Http2Stream, trailers: Http2Fields | undefined): void {
    const message = this.messages.get(stream.id)!
    message.trailers = trailers === undefined ? "" : linesOf(trailers)
    message.isWhole = true
    this.engine.respond(stream, 200, {}, undefined, 0)
  }
  onClosed(stream: Http2Stream, failure: StreamFailure | undefined): void {
    if (failure !== undefined) this.refusals.set(stream.id, failure._tag)
  }
  onViolation(violation: Violation): void {
    this.refusals.set(0, violation._tag)
  }
  onInterim(): void {}
  onResponse(): void {}
  onWritable(): void {}
  onPeerSettings(): void {}
  onGoAway(): void {}
  onPong(): void {}
}

export const takeHere = (wire: Uint8Array): Taken => {
  const server = new Server()
  server.engine.receive(Wire.wire(wire, heardOut), 0)
  return server
}

export const takeByNode = async (wire: Uint8Array, loopback: Loopback): Promise<Taken> => {
  const taken: Taken = { messages: new Map(), refusals: new Map() }
  const [client, accepted] = await loopback.pair()
  const session = Http2.performServerHandshake(accepted, { settings: { initialWindowSize: 262_144 } })
  session.on("error", (cause: Error) => taken.refusals.set(0, cause.message))
  session.on("stream", (stream, headers, flags, raw) => listen(taken, stream, headers, flags, raw as never))
  const done = answered(client)
  client.write(Wire.wire(wire, heardOut))
  await Promise.race([done, Timers.setTimeout(100, undefined, { ref: false })])
  for (let turn = 0; turn < 3; turn++) await Timers.setImmediate()
  client.destroy()
  session.destroy()
  return taken
}

/** Behind every wire. */
const heardOut = Wire.ping("heardout")

/** Until Node has answered the last PING, or has given up. */
const answered = (client: Net.Socket): Promise<void> =>
  new Promise((resolve) => {
    let tail = ""
    client.on("data", (data: Buffer) => {
      tail = tail.slice(-20) + data.toString("latin1")
      if (tail.includes("heardout")) resolve()
    })
    client.on("error", () => resolve())
    client.on("close", () => resolve())
    client.on("end", () => resolve())
  })

const listen = (
  taken: Taken,
  stream: Http2.ServerHttp2Stream,
  headers: Http2.IncomingHttpHeaders,
  flags: number,
  raw: ReadonlyArray<string>
): void => {
  const id = stream.id ?? -1
  const authority = headers[":authority"] ?? headers.host ?? ""
  const start = `${headers[":method"]} ${authority} ${headers[":path"] ?? ""}`
  const message: Message = { start, lines: rawLines(raw), body: "", trailers: "", isWhole: false }
  taken.messages.set(id, message)
  stream.on("data", (data: Buffer) => {
    message.body += data.toString("latin1")
  })
  stream.on("trailers", (_headers, _flags, rawTrailers?: unknown) => {
    // RFC 9110 §6.5.1: ours passes over what cannot be a trailer.
    message.trailers = rawLines(rawTrailers as never, /^:|^cookie=/)
  })
  const end = (): void => {
    if (stream.aborted || stream.rstCode !== 0) return
    message.isWhole = true
    if (!stream.headersSent && !stream.destroyed) stream.respond({ ":status": 200 }, { endStream: true })
  }
  if (flags & Http2.constants.NGHTTP2_FLAG_END_STREAM) end()
  else stream.on("end", end)
  stream.on("error", () => {})
  stream.on("close", () => void taken.refusals.set(id, String(stream.rstCode)))
}

const linesOf = (fields: Http2Fields): string => {
  const lines: Array<string> = []
  fields.visit((name, value) => void lines.push(`${name}=${value}`))
  return lines.join("; ")
}

const rawLines = (raw: ReadonlyArray<string>, but = /^:/): string =>
  Array.from({ length: raw.length / 2 }, (_, index) => `${raw[2 * index]}=${raw[2 * index + 1]}`)
    .filter((line) => !but.test(line))
    .join("; ")
