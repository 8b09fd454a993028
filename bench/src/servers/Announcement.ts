/**
 * What every Node program of a benchmark does beside its work: say where it
 * listens, collect garbage when told, and not outlive the benchmark.
 */
import type * as Net from "node:net"
import type * as NetAddress from "effect/net/NetAddress"

/** Prints the line that the benchmark waits for. */
export const listening = (port: number): void => {
  // Memory is compared after a collection: SIGUSR2 asks for one, and `--expose-gc` allows it.
  process.on("SIGUSR2", () => globalThis.gc?.())
  // The benchmark holds the other end of stdin: when that closes, it is gone.
  process.stdin.on("end", () => process.exit(0)).resume()
  console.log(`listening ${port}`)
}

/** The same, for an address that Effect or Node knows. */
export const listeningOn = (address: NetAddress.SocketAddress | Net.AddressInfo | string | null): void => {
  if (address === null || typeof address === "string" || !("port" in address)) throw new Error("there is no TCP port")
  listening(address.port)
}
