/**
 * The load generator for broadcasts: one client says a message, and all of
 * them hear it. Takes an `Order` as its argument and prints a `Report`, in
 * which a reply is one delivery.
 *
 * All clients share one loop, whose reply is as long as all deliveries of a
 * message: its latency is that of the last client.
 */
import type { Order } from "./BroadcastLoad.ts"
import { ClosedLoop, type Shared } from "./ClosedLoop.ts"
import * as FirstReply from "./FirstReply.ts"
import { Histogram } from "./Histogram.ts"
import * as LoadSocket from "./LoadSocket.ts"
import * as Measurement from "./Measurement.ts"
import * as StreamLoad from "./StreamLoad.ts"

const drive = async (order: Order): Promise<StreamLoad.Report> => {
  const { clients, inFlight, opening } = order.load
  const request = StreamLoad.requestOf(order.load)
  const errors: Array<Error> = []
  let measuring = true
  const latencies = new Histogram()
  const { replyBytes, replyBegins } = await FirstReply.measure(order.load, order.port)
  const shared: Shared = {
    requests: Array.from({ length: inFlight + 1 }, (_, count) => Buffer.concat(Array(count).fill(request))),
    replyBytes: replyBytes * clients,
    replyBegins,
    burst: false,
    latencies,
    onError: (error) => {
      if (measuring) errors.push(error)
    }
  }
  const loop = new ClosedLoop(shared)
  const receiver: LoadSocket.LoadReceiver = {
    onBytes: (byteCount) => loop.receive(byteCount),
    onError: shared.onError
  }
  const sockets = await LoadSocket.openAll(order.port, opening, Array(clients).fill(receiver))
  loop.start(sockets[0]!)
  const report = await Measurement.run(order, { latencies, errors })
  measuring = false
  for (const socket of sockets) socket.destroy()
  return { ...report, replyCount: report.replyCount * clients }
}

console.log(JSON.stringify(await drive(JSON.parse(process.argv[2] ?? "{}"))))
