/** The certificates of test/vectors/tls, as Sluice takes them. */
import type { TlsClientOptions, TlsIdentity } from "@sluice/core/transport/Tls"
import * as Redacted from "effect/Redacted"
import { tlsText } from "./NodeNet.ts"

export const authority = tlsText("ca.pem")

export const identity = (name: "a" | "b" | "client" | "stranger"): TlsIdentity => ({
  certificate: tlsText(`${name}.pem`),
  key: Redacted.make(tlsText(`${name}.key`))
})

/** A client that trusts the test authority alone. */
export const trusting = (serverName: string, options?: TlsClientOptions): TlsClientOptions => ({
  serverName,
  authorities: authority,
  ...options
})
