/**
 * A client of HTTP/2 in memory that makes the calls of plans, in pieces and
 * disorder, reads as it likes, and keeps how each of them ended.
 *
 * @since 0.1.0
 */
import * as Assert from "node:assert/strict"
import type { Transport } from "@sluice/core/transport/Transport"
import * as Wire from "../harness/Http2Wire.ts"
import type * as Plan from "./GrpcPlan.ts"
import type { Random } from "./Http2Traffic.ts"

/** One call, and what came of it. */
export class Call {
  readonly id: number
  readonly plan: Plan.Plan
  sentBytes = -1
  /** Everything was sent. */
  isSent = false
  /** It was reset or left by this side: whatever comes is right. */
  isLeft = false
  /** END_STREAM or RST_STREAM has come. */
  isOver = false
  reset: string | undefined
  readonly heads: Array<string> = []
  readonly body: Array<Uint8Array> = []
  owedBytes = 0

  constructor(id: number, plan: Plan.Plan) {
    this.id = id
    this.plan = plan
  }

  /** `grpc 5`, `http 415`, or `reset CANCEL`. */
  get outcome(): string {
    const http = /:status=(\d+)/.exec(this.heads[0] ?? "")?.[1]
    if (http === undefined) return this.reset === undefined ? "nothing" : `reset ${this.reset}`
    if (this.plan.form === "connect" || http !== "200") return `http ${http}`
    const codes = [...this.heads, this.trailersText].flatMap((head) => [...head.matchAll(/grpc-status(?:=|: )(\d+)/g)])
    Assert.ok(codes.length <= 1, `several statuses of ${this.plan.about}: ${this.heads.join(" | ")}`)
    return codes.length === 1 ? `grpc ${codes[0]![1]}` : `reset ${this.reset}`
  }

  /** Of grpc-web: the last frame, which must be whole. */
  private get trailersText(): string {
    if (this.plan.form === "grpc") return ""
    let bytes = Buffer.concat(this.body)
    if (this.plan.form === "web-text") {
      const text = bytes.toString("latin1")
      bytes = Buffer.concat((text.match(/.{4}/gs) ?? []).map((part) => Buffer.from(part, "base64")))
    }
    let found = ""
    for (let at = 0; at + 5 <= bytes.length; ) {
      const end = at + 5 + bytes.readUInt32BE(at + 1)
      if ((bytes[at]! & 0x80) !== 0) {
        Assert.equal(end, bytes.length, "the trailers are last")
        found += bytes.toString("latin1", at + 5, end)
      }
      at = end
    }
    return found
  }
}

export class Caller {
  readonly calls: ReadonlyArray<Call>
  isClosed = false
  /** It takes small heads only: a call may end otherwise than planned. */
  readonly isNarrow: boolean
  /** What was wrong with what came. */
  failure: unknown
  /** The code of GOAWAY. */
  farewell: string | undefined
  private readonly transport: Transport
  private readonly random: Random
  private reads: "at once" | "slowly"
  private readonly reader = new Wire.Reader()
  /** What it may send on all streams. */
  private windowBytes = 65_535
  private owedBytes = 0
  private nextIndex = 0
  private resetsLeft = 8

  constructor(transport: Transport, random: Random, plans: ReadonlyArray<Plan.Plan>) {
    this.transport = transport
    this.random = random
    this.calls = plans.map((plan, index) => new Call(index * 2 + 1, plan))
    this.reads = random.chance(3) ? "slowly" : "at once"
    transport.attach({
      onBytes: (bytes) => this.receive(bytes),
      onDrain: () => {},
      onEnd: () => transport.end(),
      onClose: () => {
        this.isClosed = true
      }
    })
    transport.resume()
    this.isNarrow = random.chance(8)
    const settings: Wire.Settings = {
      INITIAL_WINDOW_SIZE:
        this.reads === "slowly" ? random.pick([0, 10, 1_000]) : random.pick([1_000, 65_535, 1_000_000]),
      ...(this.isNarrow ? { MAX_HEADER_LIST_SIZE: random.pick([0, 60, 150, 300]) } : {}),
      ...(random.chance(4) ? { HEADER_TABLE_SIZE: 0 } : {})
    }
    this.send(Wire.preface, Wire.settings(settings))
  }

  /** Something, somewhere. */
  act(): void {
    const { random } = this
    if (this.isClosed) return
    const open = this.calls.filter((call) => call.sentBytes >= 0 && !call.isOver && !call.isLeft)
    const sending = open.filter((call) => !call.isSent)
    const kind = random.below(12)
    if ((kind < 4 || sending.length === 0) && this.nextIndex < this.calls.length) this.begin()
    else if (kind < 10 && sending.length > 0) this.continue(random.pick(sending))
    else if (kind === 10 && open.length > 0) this.credit(random.pick(open), random.pick([1, 100, 10_000]))
    else if (kind === 11 && open.length > 0 && this.resetsLeft > 0 && random.chance(3)) this.reset(random.pick(open))
  }

  /** Sends all that is left, and reads all that comes from now on. */
  settle(): void {
    this.reads = "at once"
    while (this.nextIndex < this.calls.length) this.begin()
    this.send(Wire.settings({ INITIAL_WINDOW_SIZE: 4_000_000 }), Wire.windowUpdate(0, 1_000_000_000))
    for (const call of this.calls) {
      if (!call.isOver && !call.isLeft) this.credit(call, Number.POSITIVE_INFINITY)
      for (let turns = 0; turns < 10_000 && !call.isSent && !call.isOver && !call.isLeft; turns++) this.continue(call)
    }
  }

  reset(call: Call): void {
    if (call.isOver || call.isLeft || call.sentBytes < 0) return
    this.resetsLeft--
    call.isLeft = true
    this.send(Wire.rstStream(call.id, this.random.pick(["CANCEL", "NO_ERROR", "INTERNAL_ERROR", 77])))
  }

  /** Is gone, politely or not. */
  leave(): void {
    for (const call of this.calls) call.isLeft = true
    const kind = this.random.below(3)
    if (kind === 0) this.send(Wire.goAway(0))
    if (kind < 2) this.transport.end()
    else this.transport.destroy()
  }

  private begin(): void {
    const call = this.calls[this.nextIndex++]!
    call.sentBytes = 0
    const isWhole = call.plan.body.length === 0 && this.random.chance(2)
    call.isSent = isWhole
    this.send(Wire.headers(call.id, call.plan.head, ...(isWhole ? (["END_STREAM"] as const) : [])))
    // Mostly all of it at once, as clients do.
    if (!isWhole && this.random.chance(2)) this.piece(call, call.plan.body.length, true)
  }

  private continue(call: Call): void {
    const { random } = this
    const leftBytes = call.plan.body.length - call.sentBytes
    const most = random.pick([1, 5, 6, 100, leftBytes])
    this.piece(call, Math.min(leftBytes, most), random.chance(2))
  }

  private piece(call: Call, wantedBytes: number, ends: boolean): void {
    const bytes = Math.min(wantedBytes, this.windowBytes, 16_384)
    const end = call.sentBytes + bytes
    call.isSent = ends && end === call.plan.body.length
    if (bytes === 0 && !call.isSent && this.random.chance(2)) return
    const part = call.plan.body.subarray(call.sentBytes, end)
    this.windowBytes -= bytes
    call.sentBytes = end
    this.send(Wire.data(call.id, part, ...(call.isSent ? (["END_STREAM"] as const) : [])))
  }

  private credit(call: Call, mostBytes: number): void {
    const bytes = Math.min(call.owedBytes, mostBytes)
    call.owedBytes -= bytes
    if (bytes > 0) this.send(Wire.windowUpdate(call.id, bytes))
    if (this.owedBytes > 0) this.send(Wire.windowUpdate(0, this.owedBytes))
    this.owedBytes = 0
  }

  private receive(bytes: Uint8Array): void {
    try {
      for (const frame of this.reader.frames(bytes)) if (frame !== "PREFACE") this.take(frame)
    } catch (cause) {
      this.failure ??= cause
    }
  }

  private take(frame: Wire.Frame): void {
    const { flags, payload, streamId } = frame
    const type = Wire.types[frame.type]
    const line = this.reader.lineOf(frame)
    if (type === "SETTINGS" && (flags & 1) === 0) this.send(Wire.settingsAck)
    if (type === "PING" && (flags & 1) === 0) this.send(Wire.frame("PING", 1, 0, payload))
    if (type === "GOAWAY") this.farewell = line
    if (type === "WINDOW_UPDATE" && streamId === 0) this.windowBytes += Number(line.split(" ")[2])
    if (streamId === 0) return
    const call = this.calls[(streamId - 1) / 2]
    Assert.ok(call !== undefined && call.sentBytes >= 0, `of no call: ${line}`)
    if (type === "WINDOW_UPDATE") return
    if (type === "RST_STREAM") {
      Assert.ok(call.reset === undefined, `reset twice: ${call.plan.about}`)
      call.reset = line.split(" ")[2]!
      call.isOver = true
      call.isSent = true
      return
    }
    Assert.ok(!call.isOver, `behind the end of ${call.plan.about}: ${line}`)
    if (type === "HEADERS") call.heads.push(line)
    else if (type === "DATA") this.onData(call, payload)
    else Assert.fail(line)
    if ((flags & 1) === 1) call.isOver = true
  }

  private onData(call: Call, payload: Uint8Array): void {
    Assert.equal(call.heads.length, 1, `DATA behind ${call.heads.length} heads of ${call.plan.about}`)
    if (call.body.length < 10_000) call.body.push(payload)
    call.owedBytes += payload.length
    this.owedBytes += payload.length
    if (this.reads === "at once") this.credit(call, Number.POSITIVE_INFINITY)
  }

  /** In slices, wherever they are cut. */
  private send(...frames: ReadonlyArray<Uint8Array>): void {
    const { random, transport } = this
    const bytes = Wire.wire(...frames)
    for (let at = 0; at < bytes.length; ) {
      if (transport.state !== "open") return
      const end = random.chance(3) ? at + 1 + random.below(40) : bytes.length
      transport.write(bytes.slice(at, end))
      at = end
    }
  }
}
