/**
 * The load generator for HTTP/2: a process of its own, on its own core. It
 * takes an `Order` as its argument and prints a `Report`.
 */
import * as Deadline from "../Deadline.ts"
import { Histogram } from "./Histogram.ts"
import { Http2ClosedLoop, type Shared } from "./Http2ClosedLoop.ts"
import type { Order } from "./Http2Load.ts"
import * as Http2PeakMemory from "./Http2PeakMemory.ts"
import * as LoadSocket from "./LoadSocket.ts"
import * as Measurement from "./Measurement.ts"
import type * as StreamLoad from "./StreamLoad.ts"

const verifyMillis = 10_000

const receiverOf = (loop: Http2ClosedLoop): LoadSocket.LoadReceiver => ({
  onBytes: (byteCount) => loop.receive(LoadSocket.readBuffer, byteCount),
  onError: (error) => loop.onError(error)
})

const drive = async (order: Order): Promise<StreamLoad.Report> => {
  const { load, serverPid } = order
  const errors: Array<Error> = []
  let measuring = true
  const shared: Shared = {
    load,
    latencies: new Histogram(),
    onError: (error) => {
      if (measuring) errors.push(error)
    }
  }
  Http2PeakMemory.forget(serverPid)
  const loops = Array.from({ length: load.connections }, () => new Http2ClosedLoop(shared))
  const sockets = await LoadSocket.openAll(order.port, undefined, loops.map(receiverOf))
  for (const [index, socket] of sockets.entries()) loops[index]!.open(socket)
  await Deadline.within(Promise.all(loops.map((loop) => loop.verified)), verifyMillis, "the first replies")
  for (const loop of loops) loop.start()
  const report = await Measurement.run(order, { latencies: shared.latencies, errors })
  measuring = false
  for (const socket of sockets) socket.destroy()
  if (load.counts === "replies") return report
  return { ...report, serverResidentBytes: Http2PeakMemory.read(serverPid) ?? report.serverResidentBytes }
}

console.log(JSON.stringify(await drive(JSON.parse(process.argv[2] ?? "{}"))))
