/** What the interop tests of gRPC have in common: our server, our client, and a row for each official case. */

import * as GrpcChannel from "@sluice/core/grpc/client/GrpcChannel"
import * as GrpcInterop from "@sluice/examples/grpc-interop"
import { cases } from "@sluice/examples/grpc-interop-cases"
import * as NodeGrpcCompression from "@sluice/node/NodeGrpcCompression"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Started from "../examples/support/Started.ts"

export type CaseName = keyof typeof cases

export const caseNames = Object.keys(cases) as ReadonlyArray<CaseName>

/** Our server on a free port of 127.0.0.1; gives the port. */
export const serve = Effect.map(Started.onNode(GrpcInterop.server), ({ address }) =>
  NetAddress.isInetAddress(address) ? address.port : 0
)

/** Our client runs a case against whoever listens on `port`. */
export const runCase = (name: CaseName, port: number) =>
  Effect.scoped(
    Effect.provide(
      cases[name],
      GrpcChannel.layer({ host: "127.0.0.1", port }).pipe(
        Layer.provide(NodeTransport.layerDialer()),
        Layer.provide(NodeGrpcCompression.layer())
      )
    )
  )
