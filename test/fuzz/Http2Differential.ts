/**
 * The HTTP/2 engine in conversation with `node:http2`, in both roles, over
 * loopback: over streams in memory, Node 24 falls over its own assertions.
 * What one end was to say, and what became of it there, the
 * other must have heard; what does not fit is a failure, unless a row of
 * `Http2Differences` explains it.
 *
 * @since 0.1.0
 */
import { once } from "node:events"
import * as Net from "node:net"
import * as Timers from "node:timers/promises"
import * as Http2Differences from "./Http2Differences.ts"
import { EngineEnd } from "./Http2EngineEnd.ts"
import { NodeEnd } from "./Http2NodeEnd.ts"
import * as Http2Plan from "./Http2Plan.ts"
import { disagreements, Seen } from "./Http2Seen.ts"

export type Role = "client" | "server"

export interface Tally {
  readonly counts: Map<string, number>
  readonly unexplained: Array<string>
}

export const tally = (): Tally => ({ counts: new Map(), unexplained: [] })

/** Pairs of sockets that are connected. */
export class Loopback {
  private readonly server = Net.createServer({ allowHalfOpen: true, noDelay: true })

  async pair(): Promise<readonly [Net.Socket, Net.Socket]> {
    if (!this.server.listening) await once(this.server.listen(0, "127.0.0.1"), "listening")
    const accepted = once(this.server, "connection") as Promise<[Net.Socket]>
    const { port } = this.server.address() as Net.AddressInfo
    const socket = Net.connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true })
    return [socket, (await accepted)[0]]
  }

  close(): void {
    this.server.close()
  }
}

/** One connection in each role of ours. Returns how many exchanges that was. */
export const round = async (seed: number, loopback: Loopback, result: Tally): Promise<number> => {
  const plan = Http2Plan.make(seed)
  for (const role of ["server", "client"] as const) await converse(`seed ${seed}`, role, plan, loopback, result)
  return plan.exchanges.length * 2
}

/** All exchanges of a plan, on one connection. */
export const converse = async (
  label: string,
  role: Role,
  plan: Http2Plan.Round,
  loopback: Loopback,
  result: Tally
): Promise<void> => {
  const [left, right] = await loopback.pair()
  const count = plan.exchanges.length
  const settled = deferred()
  const look = (): void => {
    const [client, server] = role === "client" ? [ours, node] : [node, ours]
    const isOver = (seen: Map<number, Seen>) => [...seen.values()].every(({ over }) => over !== "open")
    if (client.seen.size === count && isOver(client.seen) && isOver(server.seen)) settled.resolve()
  }
  const ours = new EngineEnd(role, plan, left, look)
  const node = new NodeEnd(role === "client" ? "server" : "client", plan, right, look)
  const asks = role === "client" ? ours : node
  asks.start()
  await Promise.race([settled.promise, Timers.setTimeout(patienceMillis, undefined, { ref: false })])
  const problems = [...ours.problems, ...node.problems, ...connectionProblems(ours, plan)]
  const name = `${label}, ours is the ${role}`
  for (const [index, exchange] of plan.exchanges.entries()) {
    const here = ours.seen.get(index) ?? unseen()
    const there = node.seen.get(index) ?? unseen()
    const [client, server] = role === "client" ? [here, there] : [there, here]
    judge(name, role, exchange, client, server, result)
  }
  for (const problem of problems) result.unexplained.push(`${name}: ${problem}`)
  await finish(name, role, ours, node, [left, right], result)
}

const judge = (
  name: string,
  role: Role,
  exchange: Http2Plan.Exchange,
  client: Seen,
  server: Seen,
  { counts, unexplained }: Tally
): void => {
  const problems = disagreements(exchange, client, server)
  const over = (seen: Seen) =>
    seen.over === "ended"
      ? "ended"
      : typeof seen.over === "object" && "by" in seen.over
        ? `reset by ${seen.over.by}`
        : "unheard"
  const rule =
    problems.length === 0 ? undefined : Http2Differences.explain({ role, exchange, client, server, problems })
  const what = problems.length === 0 ? `client ${over(client)}, server ${over(server)}` : rule
  if (what === undefined) unexplained.push(`${name}, ${exchange.method} ${exchange.path}: ${problems.join("; ")}`)
  else counts.set(`${role}: ${what}`, (counts.get(`${role}: ${what}`) ?? 0) + 1)
}

/** A server may never hear of what a client has reset. */
const unseen = (): Seen => {
  const seen = new Seen()
  seen.over = "ended"
  seen.isWhole = true
  return seen
}

/** Behind the last exchange everything is given back. */
const connectionProblems = ({ engine }: EngineEnd, plan: Http2Plan.Round): ReadonlyArray<string> => {
  const owedBytes = Reflect.get(engine.window, "owedBytes") as number
  const problems: Array<string> = []
  if (engine.streamCount > 0) return [`${engine.streamCount} streams are left`]
  if (engine.window.receiveBytes + owedBytes !== plan.ours.connectionWindow) {
    problems.push(`a window of ${engine.window.receiveBytes}, and ${owedBytes} to give back`)
  }
  if (engine.streams.placeCount !== 0) problems.push(`${engine.streams.placeCount} places are taken`)
  const small = Reflect.get(engine.guard, "smallDataCount") as number
  if (small !== 0) problems.push(`${small} small frames wait`)
  return problems
}

/** The one that asked ends the connection, and both notice. */
const finish = async (
  name: string,
  role: Role,
  ours: EngineEnd,
  node: NodeEnd,
  sockets: ReadonlyArray<Net.Socket>,
  result: Tally
): Promise<void> => {
  if (role === "client") ours.within(() => ours.engine.drain(0))
  else node.close()
  for (let turn = 0; turn < 500 && ours.engine.phase !== "closed"; turn++) await Timers.setTimeout(turn > 50 ? 1 : 0)
  if (ours.engine.phase !== "closed") result.unexplained.push(`${name}: the connection does not end`)
  for (const socket of sockets) socket.destroy()
}

const patienceMillis = 5_000

const deferred = () => {
  let resolve: () => void = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
