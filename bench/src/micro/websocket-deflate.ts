/**
 * Compressing and inflating a message of 1 KiB of JSON, alone and with what
 * came before it.
 */
import { WebSocketDeflate } from "@sluice/core/protocol/websocket/WebSocketDeflate"
import type { Role } from "@sluice/core/protocol/websocket/WebSocketFrame"
import * as NodeDeflate from "@sluice/node/NodeDeflate"
import type { Case, Cases } from "./Case.ts"

const codec = NodeDeflate.make()
/** Messages differ, as ticks of a price do; as many as fill a window. */
const messages = Array.from({ length: 32 }, (_, index) =>
  Buffer.from(
    JSON.stringify(
      Array.from({ length: 16 }, (_, one) => ({ symbol: `S${one}`, price: (index * 31 + one * 7) / 4, size: 100 }))
    ).slice(0, 1024)
  )
)

const make = (role: Role, context: "keep" | "reset"): WebSocketDeflate => {
  const side = { context, windowBits: 15 } as const
  const parameters = { server: side, client: side }
  return new WebSocketDeflate({ role, parameters, codec, compressFromBytes: 0, maxMessageBytes: 1_000_000 })
}

const compressing = (context: "keep" | "reset"): Case => {
  const deflate = make("server", context)
  return {
    operationsPerRun: messages.length,
    run: () => messages.reduce((sum, message) => sum + deflate.compress(message)!.length, 0)
  }
}

const inflating = (context: "keep" | "reset"): Case => {
  const sender = make("server", context)
  const wire = messages.map((message) => sender.compress(message)!)
  return {
    operationsPerRun: messages.length,
    run: () => {
      const deflate = make("client", context)
      let sum = 0
      for (const payload of wire) {
        const message = deflate.inflate(payload)
        if (message instanceof Uint8Array) sum += message.length
      }
      return sum
    }
  }
}

export const cases: Cases = {
  "compress, alone": compressing("reset"),
  "compress, with context": compressing("keep"),
  "inflate, alone": inflating("reset"),
  "inflate, with context": inflating("keep")
}
