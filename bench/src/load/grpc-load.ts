/**
 * The load generator for gRPC, on bare HTTP/2: a process of its own, on its own
 * core. It takes an `Order` as its argument and prints a `Report`.
 */
import * as Deadline from "../Deadline.ts"
import type { Order } from "./GrpcLoad.ts"
import { GrpcLoop, type Shared } from "./GrpcLoop.ts"
import { Histogram } from "./Histogram.ts"
import * as LoadSocket from "./LoadSocket.ts"
import * as Measurement from "./Measurement.ts"
import * as Pace from "./Pace.ts"
import type * as StreamLoad from "./StreamLoad.ts"

const verifyMillis = 10_000

const receiverOf = (loop: GrpcLoop): LoadSocket.LoadReceiver => ({
  onBytes: (byteCount) => loop.receive(LoadSocket.readBuffer, byteCount),
  onError: (error) => loop.onError(error)
})

const drive = async (order: Order): Promise<StreamLoad.Report> => {
  const { load } = order
  const errors: Array<Error> = []
  let measuring = true
  const shared: Shared = {
    load,
    latencies: new Histogram(),
    messages: { count: 0 },
    onError: (error) => {
      if (measuring) errors.push(error)
    }
  }
  const loops = Array.from({ length: load.connections }, () => new GrpcLoop(shared))
  const sockets = await LoadSocket.openAll(order.port, undefined, loops.map(receiverOf))
  for (const [index, socket] of sockets.entries()) loops[index]!.open(socket)
  await Deadline.within(Promise.all(loops.map((loop) => loop.verified)), verifyMillis, "the first replies")
  const pace = load.callsPerSecond
  if (pace === undefined) for (const loop of loops) loop.start()
  else Pace.start(pace, (index, dueMillis) => loops[index % loops.length]!.begin(dueMillis))
  const messages = load.call.method === "Stream" ? shared.messages : undefined
  const report = await Measurement.run(order, { latencies: shared.latencies, errors, messages })
  measuring = false
  for (const socket of sockets) socket.destroy()
  return report
}

console.log(JSON.stringify(await drive(JSON.parse(process.argv[2] ?? "{}"))))
process.exit(0)
