/**
 * Answering 64 text messages of 64 B that came in a chunk with the same text:
 * unmasking, decoding, checking UTF-8, and encoding the answers.
 */
import { Output } from "@sluice/core/protocol/Engine"
import * as WebSocketConnection from "@sluice/core/protocol/websocket/WebSocketConnection"
import * as WebSocketFrame from "@sluice/core/protocol/websocket/WebSocketFrame"
import { WebSocketFrameEncoder } from "@sluice/core/protocol/websocket/WebSocketFrameEncoder"
import * as WebSocketOptions from "@sluice/core/protocol/websocket/WebSocketOptions"
import type { Cases } from "./Case.ts"

const messagesPerChunk = 64
const headBytes = 6
const payload = Buffer.alloc(64, "hello websocket ")

/** The masked frames of a client. Engines unmask in place, so that each run wants a copy of them. */
const framesOf = (opcode: number, count: number): Buffer => {
  const output = new Output()
  const encoder = new WebSocketFrameEncoder(output, () => 0x12345678)
  for (let index = 0; index < count; index++) encoder.frame(WebSocketFrame.final | opcode, payload)
  return Buffer.concat(output.take())
}

const echo = (opcode: number, count: number): (() => number) => {
  const frames = framesOf(opcode, count)
  const connection: WebSocketConnection.WebSocketConnection = WebSocketConnection.make(
    {
      onMessage: (data) => void (typeof data === "string" ? connection.sendText(data) : connection.sendBinary(data)),
      onPing() {},
      onPong() {},
      onViolation() {},
      onClose() {}
    },
    { role: "server", limits: WebSocketOptions.resolve(), nowMillis: 0 }
  )
  return () => {
    connection.receive(Buffer.from(frames), 0)
    const sentBytes = connection.output.byteLength
    connection.output.take()
    return sentBytes
  }
}

/** The floor: short frames only, whole in their chunk, a known mask, no rules, no check of UTF-8. */
const byHand = (): (() => number) => {
  const frames = framesOf(WebSocketFrame.text, messagesPerChunk)
  const answerBytes = 2 + payload.length
  return () => {
    const chunk = Buffer.from(frames)
    const answers = Buffer.allocUnsafe(messagesPerChunk * answerBytes)
    let sum = 0
    for (let at = 0, to = 0; at < chunk.length; to += answerBytes) {
      const end = at + headBytes + (chunk[at + 1]! & 0x7f)
      for (let index = at + headBytes; index < end; index++)
        chunk[index]! ^= chunk[at + 2 + ((index - at - headBytes) & 3)]!
      const text = chunk.toString("utf8", at + headBytes, end)
      answers[to] = chunk[at]!
      answers[to + 1] = end - at - headBytes
      sum += answers.write(text, to + 2)
      at = end
    }
    return sum
  }
}

export const cases: Cases = {
  "text, in bursts": { operationsPerRun: messagesPerChunk, run: echo(WebSocketFrame.text, messagesPerChunk) },
  "binary, in bursts": { operationsPerRun: messagesPerChunk, run: echo(WebSocketFrame.binary, messagesPerChunk) },
  "text, one by one": { operationsPerRun: 1, run: echo(WebSocketFrame.text, 1) },
  "by hand": { operationsPerRun: messagesPerChunk, run: byHand() }
}
