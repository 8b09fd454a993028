/**
 * The `Buffer` of Node, Bun and Deno, where there is one: it allocates from a
 * pool, and encodes text faster than `TextEncoder`. Everywhere else the users
 * of this file fall back to plain arrays.
 *
 * @internal
 * @since 0.1.0
 */

/** @category models */
export interface HostBuffer {
  allocUnsafe(byteLength: number): Uint8Array
  from(text: string, encoding: "utf8" | "latin1"): Uint8Array
}

/** `undefined` where the host has none. */
export const hostBuffer: HostBuffer | undefined = (globalThis as { readonly Buffer?: HostBuffer }).Buffer
