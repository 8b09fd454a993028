/**
 * Both roles of the WebSocket engine in conversation, with commands in any
 * order, over a network with latency, that cuts as it likes, and with time.
 *
 * What one side was allowed to send the other hears, in order and to the byte,
 * until one of them closes. Nobody takes the other's frames for a violation,
 * and in the end both have been told once, and alike, that it is over.
 *
 * @since 0.1.0
 */
import * as Assert from "node:assert/strict"
import { WebSocketDeflate } from "@sluice/core/protocol/websocket/WebSocketDeflate"
import type { Parameters } from "@sluice/core/protocol/websocket/WebSocketDeflateParameters"
import type { Role } from "@sluice/core/protocol/websocket/WebSocketFrame"
import * as WebSocketPrepared from "@sluice/core/protocol/websocket/WebSocketPrepared"
import * as NodeDeflate from "@sluice/node/NodeDeflate"
import * as Chunkings from "../harness/Chunkings.ts"
import { EnginePair } from "../harness/EnginePair.ts"
import * as Hex from "../harness/Hex.ts"
import * as Wire from "../harness/WebSocketWire.ts"
import { type Random, textOf } from "./WebSocketTraffic.ts"

const codec = NodeDeflate.make()
const maxMessageBytes = 10_000

/** One side, what it was allowed to send, and the code with which it closed. */
class Party {
  readonly engine: Wire.Recorded
  readonly said: Array<Wire.Call> = []
  code = 0

  constructor(role: Role, parameters: Parameters | undefined) {
    const deflate =
      parameters && new WebSocketDeflate({ role, parameters, codec, compressFromBytes: 20, maxMessageBytes })
    this.engine = new Wire.Recorded(role, { maxMessageSize: maxMessageBytes, maxControlFrames: 10_000, deflate })
  }

  /** Sends something, if that is allowed. */
  say(random: Random, nowMillis: number): void {
    const { engine, said } = this
    const text = textOf(random, random.pick([3, 60, 600]))
    // The engine's own Pings are empty.
    const data = Uint8Array.of(1, ...random.bytes(random.pick([4, 300])))
    switch (random.below(12)) {
      case 0:
        this.close(random, nowMillis)
        break
      case 1:
      case 2:
        if (engine.ping(data.slice(0, 125))) said.push(["ping", Hex.show(data.subarray(0, 125))])
        break
      case 3:
        engine.pong(data.slice(0, 125))
        break
      case 4:
      case 5:
        if (engine.sendPrepared(WebSocketPrepared.make(text))) said.push(["text", text])
        break
      case 6:
      case 7:
        if (engine.sendBinary(data.slice())) said.push(["binary", Hex.show(data)])
        break
      default:
        if (engine.sendText(text)) said.push(["text", text])
    }
  }

  close(random: Random, nowMillis: number): void {
    const code = random.pick([1000, 1001, 3000, 4999])
    if (this.engine.close(nowMillis, code, textOf(random, 10))) this.code = code
  }

  /** What it has heard of the other's messages and Pings. */
  get heard(): ReadonlyArray<Wire.Call> {
    return this.engine.calls.filter(
      ([kind, data]) => kind === "text" || kind === "binary" || (kind === "ping" && data !== "")
    )
  }

  get ends(): ReadonlyArray<Wire.Call> {
    return this.engine.calls.filter(([kind]) => kind === "close" || kind === "violation")
  }
}

export const converse = (random: Random): void => {
  const side = () => ({ context: random.pick(["keep", "reset"] as const), windowBits: 8 + random.below(8) })
  const parameters = random.pick([undefined, { client: side(), server: side() }])
  const [client, server] = [new Party("client", parameters), new Party("server", parameters)]
  const cutBytes = random.pick([1, 10, 10_000])
  const cut = (data: Uint8Array): ReadonlyArray<Uint8Array> =>
    Chunkings.cut(
      data,
      Array.from({ length: Math.floor((data.length - 1) / cutBytes) }, (_, index) => (index + 1) * cutBytes)
    )
  const pair = new EnginePair(client.engine, server.engine, {
    cut,
    latencyMillis: random.pick([0, 5]),
    maxSteps: 200_000
  })
  for (let turn = random.below(30); turn > 0; turn--) {
    random.pick([client, server]).say(random, pair.nowMillis)
    if (random.below(2) === 0) pair.settle()
    else if (random.below(10) === 0) pair.advance(random.pick([1, 2_000, 31_000, 100_000]))
  }
  if (client.code + server.code === 0) {
    // Before anyone closes nothing is lost.
    pair.settle()
    Assert.deepEqual(client.heard, server.said)
    Assert.deepEqual(server.heard, client.said)
    random.pick([client, server]).close(random, pair.nowMillis)
  }
  pair.advance(60_000)
  Assert.deepEqual(client.heard, server.said.slice(0, client.heard.length))
  Assert.deepEqual(server.heard, client.said.slice(0, server.heard.length))
  Assert.deepEqual(pair.transports, { left: "closed", right: "closed" })
  for (const [party, peer] of [
    [client, server],
    [server, client]
  ] as const) {
    // The peer's own code, or the echo of this side's.
    const [end, ...others] = party.ends
    Assert.deepEqual(others, [])
    Assert.deepEqual([end?.[0], end?.[1], end?.[3]], ["close", peer.code === 0 ? party.code : peer.code, "clean"])
  }
}
