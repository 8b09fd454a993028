/**
 * The platform's DEFLATE, as a service.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type { RawDeflate } from "../bytes/RawDeflate.ts"

/** @category services */
export class Deflate extends Context.Service<Deflate, RawDeflate>()("@sluice/core/transport/Deflate") {}
