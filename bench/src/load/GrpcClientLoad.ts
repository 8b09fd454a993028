/**
 * What the generators of gRPC have in common that are clients: each call is
 * counted, and what came back looked at.
 */
import type { GrpcCall, Order } from "./GrpcLoad.ts"
import * as GrpcMessages from "./GrpcMessages.ts"
import { Histogram } from "./Histogram.ts"
import * as Measurement from "./Measurement.ts"
import type { Report } from "./StreamLoad.ts"

export interface Payload {
  readonly body: Uint8Array
}

export interface StreamRequest {
  readonly count: number
  readonly size: number
}

export interface HelloRequest {
  readonly name: string
}

export interface HelloReply {
  readonly message: string
}

export class GrpcClientCounts {
  readonly latencies = new Histogram()
  readonly errors: Array<Error> = []
  readonly messages = { count: 0 }
  private readonly call: GrpcCall

  constructor(call: GrpcCall) {
    this.call = call
  }

  /** A reply, or a message of one. */
  onPayload({ body }: Payload): void {
    const { call } = this
    const isRight = call.method !== "Hello" && body.length === call.payloadBytes && body[0] === GrpcMessages.filling
    if (!isRight) this.errors.push(new Error(`a payload of ${body.length} bytes`))
    this.messages.count++
  }

  onHello({ message }: HelloReply): void {
    if (this.call.method !== "Hello" || message !== `Hello ${this.call.name}`) this.errors.push(new Error(message))
    this.messages.count++
  }

  /** All of a call that began at `sinceMillis` has come. */
  onEnd(sinceMillis: number): void {
    this.latencies.record((performance.now() - sinceMillis) * 1_000)
  }

  onError(error: unknown): void {
    this.errors.push(error instanceof Error ? error : new Error(String(error)))
  }
}

/** What is sent with a call, made once. */
export const bodyOf = (call: GrpcCall): Uint8Array =>
  Buffer.alloc(call.method === "Unary" ? call.payloadBytes : 0, GrpcMessages.filling)

/** Prints the report of a load that `start` begins, and ends the process. */
export const run = async (start: (order: Order, counts: GrpcClientCounts) => void): Promise<void> => {
  const order: Order = JSON.parse(process.argv[2] ?? "{}")
  const counts = new GrpcClientCounts(order.load.call)
  start(order, counts)
  const { latencies, errors } = counts
  const messages = order.load.call.method === "Stream" ? counts.messages : undefined
  const report: Report = await Measurement.run(order, { latencies, errors, messages })
  console.log(JSON.stringify(report))
  process.exit(0)
}
