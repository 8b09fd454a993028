/**
 * The load generator for request/reply streams: a process of its own, on its
 * own core. It takes an `Order` as its argument and prints a `Report`.
 *
 * Replies are only counted. The first of a batch is looked at, no further than
 * its first bytes: there a status or an opcode stands.
 */
import { ClosedLoop, type Shared } from "./ClosedLoop.ts"
import * as FirstReply from "./FirstReply.ts"
import { Histogram } from "./Histogram.ts"
import * as LoadSocket from "./LoadSocket.ts"
import * as Measurement from "./Measurement.ts"
import * as StreamLoad from "./StreamLoad.ts"

const receiverOf = (loop: ClosedLoop, { replyBegins, onError }: Shared): LoadSocket.LoadReceiver => ({
  onBytes: (byteCount) => {
    if (loop.isBetweenReplies && byteCount >= replyBegins.length) {
      const { length } = replyBegins
      if (replyBegins.compare(LoadSocket.readBuffer, 0, length, 0, length) !== 0) {
        onError(new Error(`a reply is ${JSON.stringify(LoadSocket.readBuffer.toString("latin1", 0, byteCount))}`))
      }
    }
    loop.receive(byteCount)
  },
  onError
})

const drive = async (order: StreamLoad.Order): Promise<StreamLoad.Report> => {
  const { load } = order
  const request = StreamLoad.requestOf(load)
  const all = Buffer.concat(Array.from({ length: load.inFlight }, () => request))
  const errors: Array<Error> = []
  let measuring = true
  const latencies = new Histogram()
  const shared: Shared = {
    requests: Array.from({ length: load.inFlight + 1 }, (_, count) => all.subarray(0, count * request.length)),
    ...(await FirstReply.measure(load, order.port)),
    burst: load.pattern === "burst",
    latencies,
    onError: (error) => {
      if (measuring) errors.push(error)
    }
  }
  const loops = Array.from({ length: load.connections }, () => new ClosedLoop(shared))
  const receivers = loops.map((loop) => receiverOf(loop, shared))
  const sockets = await LoadSocket.openAll(order.port, load.opening, receivers)
  for (const [index, socket] of sockets.entries()) loops[index]!.start(socket)
  const report = await Measurement.run(order, { latencies, errors })
  measuring = false
  for (const socket of sockets) socket.destroy()
  return report
}

console.log(JSON.stringify(await drive(JSON.parse(process.argv[2] ?? "{}"))))
