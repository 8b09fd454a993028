/**
 * The load generator for request/reply streams: a process of its own, on its
 * own core. It takes an `Order` as its argument and prints a `Report`.
 *
 * All connections read into one buffer, and replies are only counted: the
 * generator is to be cheaper than the server, and says what it cost.
 */
import * as Net from "node:net"
import * as Deadline from "../Deadline.ts"
import { ClosedLoop, type Shared } from "./ClosedLoop.ts"
import * as CpuMeter from "./CpuMeter.ts"
import * as FirstReply from "./FirstReply.ts"
import { Histogram } from "./Histogram.ts"
import type { Order, Report, StreamLoad } from "./StreamLoad.ts"

const connectMillis = 10_000
const readBuffer = Buffer.allocUnsafe(256 * 1024)

/** Connects, says the opening, and hands over what comes after it as byte counts. */
const connect = (port: number, load: StreamLoad, loop: ClosedLoop, onError: (error: Error) => void) =>
  new Promise<Net.Socket>((resolve, reject) => {
    let opening = load.opening === undefined ? undefined : ""
    const onBytes = (byteCount: number): boolean => {
      if (opening === undefined) {
        loop.receive(byteCount)
        return true
      }
      opening += readBuffer.toString("latin1", 0, byteCount)
      const end = opening.indexOf(load.opening!.until)
      if (end >= 0) {
        opening = undefined
        resolve(socket)
      }
      return true
    }
    const socket = Net.connect({
      host: "127.0.0.1",
      port,
      noDelay: true,
      onread: { buffer: readBuffer, callback: onBytes }
    })
    socket.once("connect", () => (opening === undefined ? resolve(socket) : socket.write(load.opening!.send, "latin1")))
    socket.on("error", (error) => {
      reject(error)
      onError(error)
    })
    socket.on("close", () => {
      reject(new Error("the server closed the connection"))
      onError(new Error("the server closed a connection"))
    })
  })

const drive = async (order: Order): Promise<Report> => {
  const { load } = order
  const request = Buffer.from(load.request, "latin1")
  const all = Buffer.concat(Array.from({ length: load.inFlight }, () => request))
  const errors: Array<Error> = []
  let measuring = true
  const latencies = new Histogram()
  const shared: Shared = {
    requests: Array.from({ length: load.inFlight + 1 }, (_, count) => all.subarray(0, count * request.length)),
    replyBytes: await FirstReply.measure(load, order.port),
    burst: load.pattern === "burst",
    latencies,
    onError: (error) => {
      if (measuring) errors.push(error)
    }
  }
  const loops = Array.from({ length: load.connections }, () => new ClosedLoop(shared))
  const opened = Promise.all(loops.map((loop) => connect(order.port, load, loop, shared.onError)))
  const sockets = await Deadline.within(opened, connectMillis, "connecting")
  for (const [index, socket] of sockets.entries()) loops[index]!.start(socket)

  await Deadline.pause(order.warmUpMillis)
  latencies.clear()
  const readMeter = CpuMeter.start(order.serverPid, order.cores)
  await Deadline.pause(order.measureMillis)
  const usage = readMeter()

  const report: Report = {
    ...usage,
    replyCount: latencies.count,
    errorCount: errors.length,
    firstError: errors[0]?.message,
    latencyMicros: {
      p50: latencies.quantile(0.5),
      p99: latencies.quantile(0.99)
    }
  }
  measuring = false
  for (const socket of sockets) socket.destroy()
  return report
}

const order: Order = JSON.parse(process.argv[2] ?? "{}")
console.log(JSON.stringify(await drive(order)))
