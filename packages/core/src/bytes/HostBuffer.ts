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
  byteLength(text: string, encoding: "utf8"): number
  /** Methods that work on any `Uint8Array` as `this`; a host may lack them. */
  readonly prototype: Partial<HostMethods>
}

/** @category models */
export interface HostMethods {
  latin1Slice(this: Uint8Array, start: number, end: number): string
  latin1Write(this: Uint8Array, text: string, offset: number, mostBytes: number): number
  utf8Slice(this: Uint8Array, start: number, end: number): string
  utf8Write(this: Uint8Array, text: string, offset: number, mostBytes: number): number
}

/** `undefined` where the host has none. */
export const hostBuffer: HostBuffer | undefined = (globalThis as { readonly Buffer?: HostBuffer }).Buffer
