/**
 * The HTTP/1.1 engine beside `node:http`, in both roles, on the same bytes.
 *
 * Two recipients that read different messages from the same bytes are what
 * request smuggling is made of, so that is never explained away: where both
 * hand over a message, it must be the same one, to the last field, or Node
 * breaks a rule. Where only one of them does, or one goes on where the other
 * does not, a row of `Http1Differences` must explain it; what no row explains
 * is a failure.
 *
 * @since 0.1.0
 */
import * as Http1Differences from "./Http1Differences.ts"
import * as Http1Heard from "./Http1Heard.ts"
import { answerOf, damage, Random, requestOf, twist } from "./Http1Traffic.ts"

/** How often each side said what; and what no rule explains. */
export interface Tally {
  readonly counts: Map<string, number>
  readonly unexplained: Array<string>
}

export const tally = (): Tally => ({ counts: new Map(), unexplained: [] })

/** One wire of each role; a third is as it should be, a third twisted, a third damaged. Returns how many wires that was. */
export const round = async (seed: number, node: Http1Heard.NodeServer, result: Tally): Promise<number> => {
  const random = new Random(seed)
  const requests = Array.from({ length: 1 + random.below(3) }, () => plain(random, requestOf(random))).join("")
  const requestWire = spoil(random, requests)
  const seen = result.unexplained.length
  await judgeServer(requestWire, node, result)
  const { method, wire } = answerOf(random)
  const asked = { method, upgrade: random.pick([undefined, undefined, "echo"]) }
  const responseWire = spoil(random, wire)
  await judgeClient(responseWire, asked, result)
  for (let index = seen; index < result.unexplained.length; index++) {
    result.unexplained[index] = `seed ${seed}: ${result.unexplained[index]}`
  }
  return 2
}

/** Requests, to both servers. */
export const judgeServer = async (wire: string, node: Http1Heard.NodeServer, result: Tally): Promise<void> =>
  judge("server", wire, undefined, Http1Heard.serveHere(wire), await node.serve(wire), result)

/** The response to what both clients have asked. */
export const judgeClient = async (wire: string, asked: Http1Heard.Asked, result: Tally): Promise<void> =>
  judge("client", wire, asked, Http1Heard.askHere(wire, asked), await Http1Heard.askNode(wire, asked), result)

/** What both sides make of one wire, and the rule that explains the difference. */
const judge = (
  role: Http1Differences.Role,
  wire: string,
  asked: Http1Heard.Asked | undefined,
  here: Http1Heard.Heard,
  node: Http1Heard.Heard,
  { counts, unexplained }: Tally
): void => {
  const shared = Math.min(here.messages.length, node.messages.length)
  const other = here.messages.findIndex(
    (one, index) => index < shared && JSON.stringify(one) !== JSON.stringify(node.messages[index])
  )
  const differing = here.persistence.findIndex((one, index) => index < shared && one !== node.persistence[index])
  const count = (what: string) => counts.set(`${role}: ${what}`, (counts.get(`${role}: ${what}`) ?? 0) + 1)
  const explain = (kind: Http1Differences.Kind, index: number): void => {
    const { messages } = kind === "stricter" ? node : here
    const [message, before] = [messages[index], messages[index - 1]]
    const rule = Http1Differences.explain({ kind, role, wire, asked, here, node, message, before })
    if (rule === undefined) unexplained.push(`${role}, ${kind}: ${JSON.stringify({ wire, asked, here, node })}`)
    else count(`${kind}: ${rule}`)
  }
  if (other >= 0) explain("different", other)
  else if (differing >= 0) explain("persistence", differing)
  else if (here.messages.length < node.messages.length) explain("stricter", shared)
  else if (here.messages.length > node.messages.length) explain("laxer", shared)
  else count(shared === 0 ? "both refuse" : here.refusal === undefined ? "the same" : "the same, then both refuse")
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

const spoil = (random: Random, wire: string): string => {
  const kind = random.below(3)
  return kind === 0 ? wire : kind === 1 ? twist(random, wire) : damage(random, wire)
}
