/**
 * Feeds both roles of the HTTP/1.1 engine with random traffic, damaged and cut
 * at random, for as long as you like:
 *
 * ```sh
 * npm run fuzz:http1 -- [seconds, default 60] [seed]
 * ```
 *
 * Nothing may throw; each cut must give the calls and the answers that the
 * whole gives; traffic without damage must pass without a violation; a head
 * that is being collected must stay within its limits, and so must what waits;
 * a closed engine must stay closed. Beside that both roles converse, as in
 * `Http1Conversation`. A failure prints the seed of its round.
 */
import * as Assert from "node:assert/strict"
import { bytes, ClientSide, type Conduct, ServerSide, text } from "../core/protocol/http1/Recorder.ts"
import * as Chunkings from "../harness/Chunkings.ts"
import * as FuzzRun from "./FuzzRun.ts"
import { converse } from "./Http1Conversation.ts"
import { answerOf, damage, Random, requestOf, responseOf, twist } from "./Http1Traffic.ts"

/** Small, so that each of them is reached. */
const options = {
  maxStartLineSize: 64,
  maxHeaderSize: 400,
  maxFieldCount: 12,
  maxTrailerSize: 60,
  maxChunkExtensionSize: 24,
  maxBodySize: 200,
  maxWaitingSize: 100,
  maxDiscardSize: 150,
  maxInterimResponses: 3
}

const cutAtRandom = (random: Random, wire: Uint8Array): ReadonlyArray<Uint8Array> => {
  const positions = new Set(random.list(random.pick([1, 3, 30]), () => random.below(Math.max(1, wire.length))))
  return Chunkings.cut(
    wire,
    [...positions].filter((at) => at > 0).sort((left, right) => left - right)
  )
}

const ok = { status: 200, headers: { "content-type": "text/plain" } }

/** What a request wants is in its target, so that it is the same for every cut. */
const conduct: Conduct = {
  onRequest: (head, { engine }) => {
    if (head.target.endsWith("/early")) engine.respond(ok, "early", 0)
    else if (head.target.endsWith("/interim")) engine.writeInterim(103, { link: "a" }, 0)
    else if (head.target.endsWith("/stream") && head.delimiter !== "Empty") engine.beginResponse(ok, 0)
  },
  onWhole: (head, { engine }) => {
    if (head.upgrade !== undefined) engine.upgrade({ status: 101, headers: { upgrade: head.upgrade } }, 0)
    else if (head.method === "CONNECT") engine.upgrade({ status: 200, headers: {} }, 0)
    else if (head.target.endsWith("/abort")) engine.abort()
    else if (head.target.endsWith("/stream")) {
      engine.beginResponse(ok, 0)
      engine.writeBody("stream", 0)
      engine.endBody({ "x-sum": "1" }, 0)
    } else if (!head.target.endsWith("/later")) engine.respond(ok, "whole", 0)
  }
}

interface Outcome {
  readonly calls: ReadonlyArray<string>
  readonly sent: string
  readonly closing: string
  readonly exchange: string
}

const outcomeOf = (side: ServerSide | ClientSide): Outcome => ({
  calls: side.calls.reduce<ReadonlyArray<string>>(joinRaw, []),
  sent: side.engine.output.take().map(text).join(""),
  closing: side.engine.output.closing,
  exchange: side.engine.exchange
})

/** What comes behind an upgrade comes with it, or after it: that is for the network to say. */
const joinRaw = (calls: ReadonlyArray<string>, call: string): ReadonlyArray<string> =>
  call.startsWith("raw ") ? [...calls.slice(0, -1), calls.at(-1) + call.slice(4)] : [...calls, call]

const checkBounds = (side: ServerSide | ClientSide): void => {
  const { parser, inbox } = side.engine as unknown as {
    readonly parser: { readonly carriedBytes: number; readonly carry: Uint8Array }
    readonly inbox: { readonly byteLength: number }
  }
  Assert.ok(parser.carriedBytes <= 64 + 400 + 4, `${parser.carriedBytes} bytes of a head were collected`)
  Assert.ok(parser.carry.length <= 2 * (64 + 400 + 4), `${parser.carry.length} bytes for a head`)
  Assert.ok(side.engine.wantsPause || inbox.byteLength <= 100, `${inbox.byteLength} bytes wait`)
  if (side.engine.exchange === "Closed") Assert.equal(inbox.byteLength, 0)
}

/** `pausing` decides before each chunk whether its body is wanted yet. */
const serve = (chunks: ReadonlyArray<Uint8Array>, ended: boolean, pausing: () => boolean): Outcome => {
  const side = new ServerSide(conduct, options)
  for (const chunk of chunks) {
    if (pausing()) side.engine.pauseBody()
    if (chunk.length > 0) side.engine.receive(chunk.slice(), 0)
    checkBounds(side)
    if (side.engine.wantsPause || !pausing()) side.engine.resumeBody(0)
  }
  side.engine.resumeBody(0)
  // Whoever was told to wait is answered now, one behind the other.
  for (let turn = 0; turn < 100 && side.engine.exchange === "AwaitingResponse"; turn++)
    side.engine.respond(ok, "later", 0)
  if (ended) side.engine.receiveEnd(0)
  const outcome = outcomeOf(side)
  side.engine.advance(1e9)
  side.engine.receiveClose(2e9)
  Assert.equal(side.engine.exchange, "Closed")
  return outcome
}

/** One request and its response; what comes behind it is unexpected. */
const ask = (
  chunks: ReadonlyArray<Uint8Array>,
  ended: boolean,
  pausing: () => boolean,
  method: string,
  upgrade: string | undefined
): Outcome => {
  const side = new ClientSide(options)
  const target = method === "CONNECT" ? "a:1" : "/"
  Assert.equal(side.engine.request({ method, target, headers: { host: "a", upgrade } }, undefined, 0), undefined)
  side.engine.output.take()
  for (const chunk of chunks) {
    if (pausing()) side.engine.pauseBody()
    if (chunk.length > 0) side.engine.receive(chunk.slice(), 0)
    checkBounds(side)
    if (side.engine.wantsPause || !pausing()) side.engine.resumeBody(0)
  }
  side.engine.resumeBody(0)
  if (ended) side.engine.receiveEnd(0)
  const outcome = outcomeOf(side)
  side.engine.receiveClose(0)
  // Whether more has come already when a response ends is for the network to say.
  const calls = outcome.calls.map((call) => (call === "reusable" ? "closing" : call))
  return { ...outcome, calls }
}

const round = (random: Random): void => {
  const ended = random.chance(2)
  const clean = Array.from({ length: 1 + random.below(4) }, () => requestOf(random)).join("")
  const response = responseOf(random)
  const answer = answerOf(random)
  const method = random.pick(["GET", "HEAD", "CONNECT", answer.method])
  const upgrade = random.pick([undefined, "echo"])
  const server: Subject = (chunks, pausing) => serve(chunks, ended, pausing)
  const client: Subject = (chunks, pausing) => ask(chunks, ended, pausing, method, upgrade)
  const subjects: ReadonlyArray<readonly [name: string, run: Subject, wire: string]> = [
    ["clean server", server, clean],
    ["twisted server", server, twist(random, clean)],
    ["damaged server", server, damage(random, clean)],
    ["clean client", (chunks, pausing) => ask(chunks, ended, pausing, "GET", undefined), response],
    ["clean client", (chunks, pausing) => ask(chunks, ended, pausing, answer.method, undefined), answer.wire],
    ["twisted client", client, twist(random, random.pick([response, answer.wire]))],
    ["damaged client", client, damage(random, random.pick([response, answer.wire]))]
  ]
  for (const [name, run, wire] of subjects) {
    const whole = run([bytes(wire)], () => false)
    const limited = whole.calls.some((call) => /TooLarge|TooLong|TooMany/.test(call))
    if (name.startsWith("clean")) {
      const violation = whole.calls.find((call) => call.startsWith("violation"))
      Assert.ok(
        violation === undefined || limited || (ended && violation.endsWith("Truncated")),
        `${name}: ${violation}: ${JSON.stringify(wire)}`
      )
    }
    for (let turn = 0; turn < 4; turn++) {
      const chunks =
        turn === 0 ? Array.from(bytes(wire), (byte) => Uint8Array.of(byte)) : cutAtRandom(random, bytes(wire))
      const pausing = () => turn === 3 && random.chance(2)
      Assert.deepEqual(run(chunks, pausing), whole, `${name}: ${Chunkings.show(chunks)}`)
    }
  }
}

/** What one end makes of a wire in chunks. */
type Subject = (chunks: ReadonlyArray<Uint8Array>, pausing: () => boolean) => Outcome

await FuzzRun.run(FuzzRun.parse(process.argv.slice(2)), (seed) => {
  round(new Random(seed))
  for (let turn = 0; turn < 10; turn++) converse(new Random(10 * seed + turn))
})
