/**
 * The HTTP/1.1 engine beside `node:http`, in both roles, on the same bytes.
 *
 * Two recipients that read different messages from the same bytes are what
 * request smuggling is made of, so that is never explained away: where both
 * hand over a message, it must be the same one. Where only one of them does,
 * the rule that explains it is counted; one without a rule is a failure.
 *
 * @since 0.1.0
 */
import * as Http from "node:http"
import * as Net from "node:net"
import { bytes, ClientSide, type Conduct, ServerSide, text } from "../core/protocol/http1/Recorder.ts"
import { damage, Random, requestOf, responseOf } from "./Http1Traffic.ts"

/** How often each side said what; and what no rule explains. */
export interface Tally {
  readonly counts: Map<string, number>
  readonly unexplained: Array<string>
}

export const tally = (): Tally => ({ counts: new Map(), unexplained: [] })

/** Compares `exchanges` wires of each role, of which about half are damaged. */
export const run = async (seed: number, exchanges: number, result: Tally): Promise<void> => {
  const servers = await nodeServer()
  const peers = await scriptedServer()
  try {
    for (let index = 0; index < exchanges; index++) {
      const random = new Random(seed + index)
      const requests = Array.from({ length: 1 + random.below(3) }, () => plain(random, requestOf(random))).join("")
      const requestWire = random.chance(2) ? damage(random, requests) : requests
      judge("server", requestWire, serveHere(requestWire), await servers.serve(requestWire), result)
      const response = responseOf(random)
      const responseWire = random.chance(2) ? damage(random, response) : response
      judge("client", responseWire, askHere(responseWire), await peers.ask(responseWire), result)
    }
  } finally {
    servers.close()
    peers.close()
  }
}

/** Messages in order, as text; and why the next one was refused, where one was. */
interface Heard {
  readonly messages: ReadonlyArray<string>
  readonly refusal: string | undefined
}

/**
 * The paths of the fuzzer's conduct mean nothing here: every request is
 * answered when it is complete. What Node never takes is rare, or it would
 * hide the rest.
 */
const plain = (random: Random, request: string): string => {
  const known = request.replace(/ \/(?:early|stream|later|abort|interim) /, " /whole ")
  return random.chance(20) ? known : known.replace(/x! (?=\S+ HTTP)/, "PATCH ").replace(/ HTTP\/1\.2\r/, " HTTP/1.1\r")
}

const judge = (role: string, wire: string, here: Heard, node: Heard, { counts, unexplained }: Tally): void => {
  const count = (what: string) => counts.set(`${role}: ${what}`, (counts.get(`${role}: ${what}`) ?? 0) + 1)
  const shared = Math.min(here.messages.length, node.messages.length)
  const same = here.messages.slice(0, shared).every((message, index) => message === node.messages[index])
  if (!same) unexplained.push(`${role} reads another message: ${show(wire, here, node)}`)
  else if (here.messages.length === node.messages.length) count("the same")
  else if (here.messages.length < node.messages.length) {
    // Ours refuses more, each time by a rule that has its row in the tests; silence has none.
    if (here.refusal === undefined) unexplained.push(`${role} says nothing: ${show(wire, here, node)}`)
    else count(`stricter here: ${here.refusal}`)
  } else {
    const rule = laxer.find(
      ([, who, explains]) => (who === role || who === "both") && explains(wire, here, here.messages[shared]!)
    )
    if (rule === undefined) unexplained.push(`${role} takes more: ${show(wire, here, node)}`)
    else count(`stricter there: ${rule[0]}`)
  }
}

const show = (wire: string, here: Heard, node: Heard): string => JSON.stringify({ wire, here, node })

/** What Node refuses, or does not hand over, and a rule lets us take. */
const laxer: ReadonlyArray<
  readonly [rule: string, role: string, explains: (wire: string, here: Heard, message: string) => boolean]
> = [
  ["RFC 9110 §2.5: a higher minor version is taken for 1", "server", (wire) => /HTTP\/1\.[2-9]\r/.test(wire)],
  [
    "RFC 9110 §16.1: a method that is not registered",
    "server",
    (_, __, message) => !Http.METHODS.includes(message.split(" ")[0]!)
  ],
  [
    "RFC 9112 §7.1.1: bad white space in a chunk extension is passed over",
    "both",
    (wire) => /^[0-9a-f]+[^\r\n;]*[\t ]*;[^\r\n]*\r$/im.test(wire) && /^[0-9a-f]+[^\r\n]*[\t ]/im.test(wire)
  ],
  [
    "RFC 9110 §5.5: a tab around a value is not its own",
    "both",
    (wire) => /^transfer-encoding:[^\r\n]*\t/im.test(wire)
  ],
  [
    "RFC 9110 §15.2: an interim response in HTTP/1.0 does not end the connection",
    "client",
    (wire) => /^HTTP\/1\.0 1\d\d/m.test(wire)
  ],
  [
    "RFC 9112 §9.2: what comes behind a response does not undo it",
    "client",
    (_, here) => here.refusal === "UnexpectedResponse"
  ]
]

const conduct: Conduct = {
  onWhole: (_, { engine }) => {
    engine.respond({ status: 200, headers: {} }, "", 0)
  }
}

/** A request that is not complete has not been handed over. */
const serveHere = (wire: string): Heard => {
  const side = new ServerSide(conduct)
  side.engine.receive(bytes(wire), 0)
  side.engine.receiveEnd(0)
  const messages: Array<string> = []
  let head = ""
  let body = ""
  for (const call of side.calls) {
    if (call.startsWith("body ")) body = call.slice(5)
    else if (call === "end" || call.startsWith("end ")) messages.push(`${head} ${body}`)
    else if (/^\S+ \S+ (?:Empty|Length|Chunked)/.test(call) && !call.startsWith("violation")) {
      const [method, target, delimiter] = call.split(" ")
      head = `${method} ${target}`
      body = ""
      if (delimiter === "Empty") messages.push(`${head} `)
    }
  }
  return {
    messages,
    refusal: side.violations[0]?._tag ?? (side.engine.output.closing === "open" ? undefined : "close")
  }
}

const askHere = (wire: string): Heard => {
  const side = new ClientSide()
  side.engine.request({ method: "GET", target: "/", headers: { host: "a" } }, undefined, 0)
  side.engine.receive(bytes(wire), 0)
  side.engine.receiveEnd(0)
  const body = side.calls.find((call) => call.startsWith("body "))?.slice(5) ?? ""
  const complete = side.calls.some((call) => call === "reusable" || call === "closing")
  const messages = complete ? [`${side.heads[0]?.status} ${body}`] : []
  return { messages, refusal: side.violations[0]?._tag }
}

/** `node:http` as a server: one connection for each wire. */
const nodeServer = async () => {
  let messages: Array<string> = []
  const server = Http.createServer((request, response) => {
    const parts: Array<Buffer> = []
    request.on("data", (part: Buffer) => parts.push(part))
    request.on("error", () => {})
    request.on("end", () => {
      messages.push(`${request.method} ${request.url} ${text(Buffer.concat(parts))}`)
      response.end()
    })
  })
  Object.assign(server, { httpAllowHalfOpen: true })
  const port = await listen(server)
  const serve = (wire: string): Promise<Heard> =>
    new Promise((resolve) => {
      messages = []
      const socket = Net.connect({ port, host: "127.0.0.1", allowHalfOpen: true })
      socket.on("error", () => {})
      socket.on("close", () => resolve({ messages, refusal: undefined }))
      socket.on("end", () => socket.destroy())
      socket.resume().end(bytes(wire))
    })
  return { serve, close: () => server.close() }
}

/** `node:http` as a client, of a server that sends what it is told. */
const scriptedServer = async () => {
  let script = ""
  const server = Net.createServer((socket) => {
    socket.on("error", () => {})
    socket.once("data", () => socket.end(bytes(script)))
  })
  const port = await listen(server)
  const ask = (wire: string): Promise<Heard> =>
    new Promise((resolve) => {
      script = wire
      const failed = (cause: Error) => resolve({ messages: [], refusal: cause.message })
      const request = Http.get({ port, host: "127.0.0.1", agent: false }, (response) => {
        const parts: Array<Buffer> = []
        response.on("data", (part: Buffer) => parts.push(part))
        response.on("error", failed)
        response.on("end", () => {
          resolve({ messages: [`${response.statusCode} ${text(Buffer.concat(parts))}`], refusal: undefined })
        })
      })
      request.on("upgrade", (_, socket) => {
        socket.destroy()
        failed(new Error("upgrade"))
      })
      request.on("error", failed)
    })
  return { ask, close: () => server.close() }
}

const listen = (server: Net.Server): Promise<number> =>
  new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as Net.AddressInfo).port))
  })
