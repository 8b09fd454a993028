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
import { identity, trusting } from "./Certificates.ts"

export type CaseName = keyof typeof cases

export const caseNames = Object.keys(cases) as ReadonlyArray<CaseName>

/** `TLS`: with a certificate for a.test, of the test authority. */
export type Security = "cleartext" | "TLS"

/** Our server on a free port of 127.0.0.1; gives the port. */
export const serve = (security: Security = "cleartext") => {
  const tls = security === "TLS" ? { certificates: identity("a"), alpnProtocols: ["h2"] } : undefined
  return Effect.map(Started.onNode(GrpcInterop.server, { host: "127.0.0.1", port: 0, tls }), ({ address }) =>
    NetAddress.isInetAddress(address) ? address.port : 0
  )
}

/** Our client's channel to whoever listens on `port`. */
export const channel = (port: number, security: Security = "cleartext") =>
  GrpcChannel.layer(
    { host: "127.0.0.1", port },
    security === "TLS" ? { tls: trusting("a.test"), authority: "a.test" } : {}
  ).pipe(Layer.provide(NodeTransport.layerDialer()), Layer.provide(NodeGrpcCompression.layer()))

/** Our client runs a case against whoever listens on `port`. */
export const runCase = (name: CaseName, port: number, security?: Security) =>
  Effect.scoped(Effect.provide(cases[name], channel(port, security)))
