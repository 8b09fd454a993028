/** Requests by the `fetch` of Node, and servers of the examples to ask. */
import type * as NodeTransport from "@sluice/node/NodeTransport"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Started from "./Started.ts"

export interface Fetched {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Uint8Array
  readonly text: string
  readonly json: unknown
}

export const fetched = (url: string, init?: RequestInit): Effect.Effect<Fetched> =>
  Effect.promise(async (signal) => {
    const response = await fetch(url, { signal, ...init })
    const bytes = new Uint8Array(await response.arrayBuffer())
    const text = new TextDecoder().decode(bytes)
    const json = /json/.test(response.headers.get("content-type") ?? "") ? JSON.parse(text) : undefined
    return { status: response.status, headers: response.headers, bytes, text, json }
  })

/** A server on a free port, and how to ask for a path of it. */
export const serve = <E, R>(server: Layer.Layer<never, E, R>, options?: NodeTransport.ListenerOptions) =>
  Effect.map(Started.onNode(server, options), ({ address, close }) => {
    const where = NetAddress.formatSocketAddress(address)
    return {
      address,
      where,
      close,
      ask: (path: string, init?: RequestInit) => fetched(`http://${where}${path}`, init)
    }
  })
