/**
 * Everything that a Sluice program needs of Node, as one layer: the dialer, name
 * resolution, and Effect's own services (files, paths, processes, the terminal).
 *
 * Listeners are not in it: each is bound to an address of its own.
 *
 * @since 0.1.0
 */
import * as NodeDns from "@effect/platform-node/NodeDns"
import * as PlatformServices from "@effect/platform-node/NodeServices"
import type { Dialer } from "@sluice/core/transport/Dialer"
import * as Layer from "effect/Layer"
import type { Dns } from "effect/net/Dns"
import * as NodeDialer from "./NodeDialer.ts"

/** @category models */
export type NodeServices = Dialer | Dns | PlatformServices.NodeServices

/** @category layers */
export const layer: Layer.Layer<NodeServices> = Layer.mergeAll(
  NodeDialer.layer(),
  NodeDns.layer,
  PlatformServices.layer
)
