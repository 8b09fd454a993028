import * as Path from "node:path"
import * as Effect from "effect/Effect"
import { identity, trusting } from "../harness/Certificates.ts"
import { leaveNoHandles } from "../harness/NodeHandles.ts"
import { local, pair, temporaryDirectory } from "../harness/NodeNet.ts"
import { transportContract } from "../harness/TransportContract.ts"

leaveNoHandles()

transportContract("TCP", pair(local))

transportContract(
  "Unix socket",
  Effect.flatMap(temporaryDirectory, (directory) => pair({ path: Path.join(directory, "contract.sock") }))
)

transportContract("TLS", pair({ ...local, tls: { certificates: identity("a") } }, { tls: trusting("a.test") }))
