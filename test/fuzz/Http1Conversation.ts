/**
 * Both roles of the HTTP/1.1 engine in conversation, with commands in any
 * order, also such as cannot be given; over a network with latency, that cuts
 * as it likes, and with time.
 *
 * A command that is refused sends nothing. What one side was allowed to say the
 * other hears, in order and to the byte, and never takes for a violation. In
 * the end, when time has passed, both are closed, and have said so once.
 *
 * @since 0.1.0
 */
import * as Assert from "node:assert/strict"
import { type ClientHandler, Http1Client } from "@sluice/core/protocol/http1/Http1Client"
import type { Refusal, Violation } from "@sluice/core/protocol/http1/Http1Error"
import type { Http1Fields } from "@sluice/core/protocol/http1/Http1Fields"
import type { RequestHead, ResponseHead } from "@sluice/core/protocol/http1/Http1Head"
import * as Http1Options from "@sluice/core/protocol/http1/Http1Options"
import { Http1Server, type ServerHandler } from "@sluice/core/protocol/http1/Http1Server"
import { bytes, text } from "../core/protocol/http1/Recorder.ts"
import * as Chunkings from "../harness/Chunkings.ts"
import { EnginePair } from "../harness/EnginePair.ts"
import type { Random } from "./Http1Traffic.ts"

const limits = Http1Options.resolve({ maxDiscardSize: 40, maxWaitingSize: 30 })

/** A message as it was said, or heard so far. */
interface Message {
  readonly start: string
  body: string
  trailers: string
  /** Whether its end was said, or heard. */
  whole: boolean
}

const messageOf = (start: string): Message => ({ start, body: "", trailers: "{}", whole: false })

const trailersOf = (fields: Http1Fields | undefined): string => JSON.stringify(fields?.headers() ?? {})

/** What happens to messages that the two sides cut off themselves. */
const harmless: ReadonlySet<Violation["_tag"]> = new Set(["Truncated", "ReceiveTimeout", "SendStalled"])

/** What both sides write down of what they hear, and of what they say. */
class Party {
  readonly heard: Array<Message> = []
  readonly said: Array<Message> = []
  closeCount = 0
  onBody(data: Uint8Array): void {
    this.heard.at(-1)!.body += text(data)
  }
  onEnd(trailers: Http1Fields | undefined): void {
    const message = this.heard.at(-1)!
    message.trailers = trailersOf(trailers)
    message.whole = true
  }
  /** Raw bytes have no end that is told: what has come of them is a front. */
  onRaw(data: Uint8Array): void {
    this.heard.at(-1)!.whole = false
    this.onBody(data)
  }
  onPeerEnd(): void {}
  onViolation(violation: Violation): void {
    Assert.ok(harmless.has(violation._tag), `${violation._tag}: ${violation.message}`)
  }
  onClose(): void {
    this.closeCount++
  }
  protected hear(start: string, whole: boolean): void {
    this.heard.push({ ...messageOf(start), whole })
  }
}

class Asking extends Party implements ClientHandler {
  readonly engine = new Http1Client(this, limits, 0)
  onInterim(): void {}
  onResponse(head: ResponseHead): void {
    this.hear(String(head.status), head.delimiter === "Empty")
  }
  onComplete(): void {}
  onUpgrade(head: ResponseHead, rest: Uint8Array): void {
    this.hear(String(head.status), false)
    this.onRaw(rest)
  }
}

class Answering extends Party implements ServerHandler {
  readonly engine = new Http1Server(this, limits, 0)
  method = ""
  onRequest(head: RequestHead): void {
    this.method = head.method
    this.hear(`${head.method} ${head.target}`, head.delimiter === "Empty")
  }
  onUpgrade(rest: Uint8Array): void {
    this.onRaw(rest)
  }
  /** The engine's own answer, where one is possible. */
  override onViolation(violation: Violation): void {
    super.onViolation(violation)
    if (violation.status === undefined || this.engine.output.closing !== "end") return
    this.said.push({ ...messageOf(String(violation.status)), whole: true })
  }
}

type Command = (random: Random, nowMillis: number) => void

/** Gives a command; a refused one has sent nothing, one that is not is written down. */
const give = ({ engine }: Asking | Answering, run: () => Refusal | undefined, written: () => void): void => {
  const { byteLength } = engine.output
  if (run() === undefined) written()
  else Assert.equal(engine.output.byteLength, byteLength, "a refused command has sent something")
}

const dataOf = (random: Random): string =>
  random.list(6, () => random.pick(["a", "\r\n", "0\r\n\r\n", "HTTP/1.1 "])).join("")

const trailersFor = (random: Random): Record<string, string> | undefined =>
  random.pick([undefined, { "x-sum": "1" }, { "x-sum": "a\nb" }, { host: "b" }])

const clientCommands = (asking: Asking): ReadonlyArray<Command> => {
  const { engine, said } = asking
  const partsOf = (random: Random) => {
    const method = random.pick(["GET", "POST", "HEAD", "CONNECT", "G T"])
    const connection = random.chance(10) ? "close" : undefined
    const upgrade = random.chance(10) ? "echo" : undefined
    const target = method === "CONNECT" ? "a:1" : `/${random.below(1000)}`
    return { method, target, headers: { host: "a", connection, upgrade } }
  }
  return [
    (random, now) => {
      const parts = partsOf(random)
      // A body that CONNECT cannot have is for its server to refuse.
      const body = parts.method === "CONNECT" ? undefined : random.pick([undefined, dataOf(random)])
      give(
        asking,
        () => engine.request(parts, body, now),
        () => {
          said.push({ ...messageOf(`${parts.method} ${parts.target}`), body: body ?? "", whole: true })
        }
      )
    },
    (random, now) => {
      const parts = partsOf(random)
      if (parts.method === "CONNECT") return
      const headers = { ...parts.headers, "content-length": random.pick([undefined, undefined, "5"]) }
      give(
        asking,
        () => engine.beginRequest({ ...parts, headers }, now),
        () => {
          said.push(messageOf(`${parts.method} ${parts.target}`))
        }
      )
    },
    (_, now) => engine.close(now),
    ...commandsOf(asking)
  ]
}

const serverCommands = (answering: Answering): ReadonlyArray<Command> => {
  const { engine, said } = answering
  const bodiless = (status: number) => answering.method === "HEAD" || status === 204 || status === 304
  const statusOf = (random: Random): number => random.pick([200, 200, 204, 304, 404, 413, 99])
  return [
    (random, now) => {
      const status = statusOf(random)
      const body = random.pick([undefined, dataOf(random), bytes(dataOf(random))])
      give(
        answering,
        () => engine.respond({ status, headers: {} }, body, now),
        () => {
          const shown = bodiless(status) || body === undefined ? "" : typeof body === "string" ? body : text(body)
          said.push({ ...messageOf(String(status)), body: shown, whole: true })
        }
      )
    },
    (random, now) => {
      const status = statusOf(random)
      const headers = { "content-length": random.pick([undefined, undefined, "5"]) }
      give(
        answering,
        () => engine.beginResponse({ status, headers }, now),
        () => said.push(messageOf(String(status)))
      )
    },
    (random, now) =>
      give(
        answering,
        () => engine.writeInterim(random.pick([100, 103, 101]), {}, now),
        () => {}
      ),
    (_, now) => {
      const status = answering.method === "CONNECT" ? 200 : 101
      give(
        answering,
        () => engine.upgrade({ status, headers: { upgrade: "echo" } }, now),
        () => {
          said.push(messageOf(String(status)))
        }
      )
    },
    (random, now) => random.chance(8) && engine.drain(now),
    ...commandsOf(answering)
  ]
}

const commandsOf = (party: Asking | Answering): ReadonlyArray<Command> => {
  const { engine, said } = party
  const bodiless = (): boolean =>
    party instanceof Answering && (party.method === "HEAD" || /^(?:204|304)$/.test(said.at(-1)?.start ?? ""))
  return [
    (random, now) => {
      const data = dataOf(random)
      give(
        party,
        () => engine.writeBody(random.pick([data, bytes(data)]), now),
        () => {
          if (!bodiless()) said.at(-1)!.body += data
        }
      )
    },
    (random, now) => {
      const trailers = trailersFor(random)
      give(
        party,
        () => engine.endBody(trailers, now),
        () => {
          said.at(-1)!.whole = true
          said.at(-1)!.trailers = JSON.stringify(trailers ?? {})
        }
      )
    },
    (random, now) => {
      const data = dataOf(random)
      give(
        party,
        () => engine.sendRaw(bytes(data), now),
        () => {
          said.at(-1)!.body += data
        }
      )
    },
    (random, now) =>
      random.chance(4) &&
      give(
        party,
        () => engine.endRaw(now),
        () => {}
      ),
    (random) => random.chance(20) && engine.abort(),
    () => engine.pauseBody(),
    (_, now) => engine.resumeBody(now)
  ]
}

/** What was heard is the front of what was said; whole messages are the same. */
const compare = (heard: ReadonlyArray<Message>, said: ReadonlyArray<Message>): void => {
  Assert.ok(heard.length <= said.length, "more was heard than said")
  heard.forEach((message, index) => {
    const origin = said[index]!
    Assert.equal(message.start, origin.start)
    Assert.ok(origin.body.startsWith(message.body), `${JSON.stringify(message)} is not ${JSON.stringify(origin)}`)
    if (!message.whole) return
    Assert.equal(message.body, origin.body)
    // Where there are no chunks there is no place for trailers.
    Assert.ok(message.trailers === "{}" || message.trailers === origin.trailers, message.trailers)
  })
}

export const converse = (random: Random): void => {
  const asking = new Asking()
  const answering = new Answering()
  const cutBytes = random.pick([1, 10, 1_000])
  const cut = (data: Uint8Array): ReadonlyArray<Uint8Array> =>
    Chunkings.cut(
      data,
      Array.from({ length: Math.floor((data.length - 1) / cutBytes) }, (_, index) => (index + 1) * cutBytes)
    )
  const pair = new EnginePair(asking.engine, answering.engine, { cut, latencyMillis: random.pick([0, 5]) })
  const commands = [clientCommands(asking), serverCommands(answering)]
  for (let turn = random.below(60); turn > 0; turn--) {
    random.pick(random.pick(commands))(random, pair.nowMillis)
    if (random.chance(2)) pair.settle()
    else if (random.chance(10)) pair.advance(random.pick([1, 4_000, 29_000, 70_000]))
  }
  asking.engine.resumeBody(pair.nowMillis)
  answering.engine.resumeBody(pair.nowMillis)
  pair.settle()
  compare(answering.heard, asking.said)
  compare(asking.heard, answering.said)
  // Nobody is late who waits for its owner: the client's has had enough.
  asking.engine.close(pair.nowMillis)
  if (/^(?:RequestBody|BothBodies)$/.test(asking.engine.exchange)) asking.engine.abort()
  pair.advance(1_000_000)
  const upgraded = [asking, answering].some(({ engine }) => engine.exchange === "Upgraded")
  if (upgraded) return
  const exchanges = `${asking.engine.exchange} and ${answering.engine.exchange}`
  Assert.deepEqual(pair.transports, { left: "closed", right: "closed" }, exchanges)
  Assert.deepEqual([asking.closeCount, answering.closeCount], [1, 1])
}
