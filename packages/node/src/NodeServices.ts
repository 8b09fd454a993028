/**
 * Everything that a Sluice program needs of Node, as one layer: the dialer, and
 * Effect's own services (files, paths, processes, the terminal).
 *
 * Listeners are not in it: each is bound to an address of its own.
 *
 * @since 0.1.0
 */
import * as PlatformServices from "@effect/platform-node/NodeServices"
import type { Dialer } from "@sluice/core/transport/Dialer"
import * as Layer from "effect/Layer"
import * as NodeDialer from "./NodeDialer.ts"

/** @category models */
export type NodeServices = Dialer | PlatformServices.NodeServices

/** @category layers */
export const layer: Layer.Layer<NodeServices> = Layer.mergeAll(NodeDialer.layer(), PlatformServices.layer)
