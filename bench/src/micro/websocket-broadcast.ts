/**
 * Sending one message of 64 B to 64 connections: prepared once, or encoded for
 * each of them.
 */
import * as WebSocketConnection from "@sluice/core/protocol/websocket/WebSocketConnection"
import * as WebSocketOptions from "@sluice/core/protocol/websocket/WebSocketOptions"
import * as WebSocketPrepared from "@sluice/core/protocol/websocket/WebSocketPrepared"
import type { Case, Cases } from "./Case.ts"

const connectionCount = 64
const message = "hello websocket ".repeat(4)
const limits = WebSocketOptions.resolve()
const handler = { onMessage() {}, onPing() {}, onPong() {}, onViolation() {}, onClose() {} }

const sending = (send: (connections: ReadonlyArray<WebSocketConnection.WebSocketConnection>) => void): Case => {
  const connections = Array.from({ length: connectionCount }, () =>
    WebSocketConnection.make(handler, { role: "server", limits, nowMillis: 0 })
  )
  return {
    operationsPerRun: connectionCount,
    run: () => {
      send(connections)
      let sum = 0
      for (const { output } of connections) {
        sum += output.byteLength
        output.take()
      }
      return sum
    }
  }
}

export const cases: Cases = {
  prepared: sending((connections) => {
    const prepared = WebSocketPrepared.make(message)
    for (const connection of connections) connection.sendPrepared(prepared)
  }),
  "one by one": sending((connections) => {
    for (const connection of connections) connection.sendText(message)
  })
}
