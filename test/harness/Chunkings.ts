/**
 * The ways in which a network may cut the same bytes.
 *
 * @since 0.1.0
 */
import * as Hex from "./Hex.ts"

/** Up to this many bytes every cut in three is tried. */
const threeWayBytes = 12

/**
 * `bytes` whole, byte by byte, at every cut in two, and, where they are few,
 * at every cut in three. Each chunk is a copy: a receiver may own it.
 */
export const everySplit = (bytes: Uint8Array): ReadonlyArray<ReadonlyArray<Uint8Array>> => {
  const splits: Array<ReadonlyArray<Uint8Array>> = [
    cut(bytes, []),
    cut(
      bytes,
      Array.from({ length: Math.max(0, bytes.length - 1) }, (_, index) => index + 1)
    )
  ]
  for (let first = 1; first < bytes.length; first++) {
    splits.push(cut(bytes, [first]))
    if (bytes.length > threeWayBytes) continue
    for (let second = first + 1; second < bytes.length; second++) splits.push(cut(bytes, [first, second]))
  }
  return splits
}

/** `bytes` cut before each of the rising `positions`. */
export const cut = (bytes: Uint8Array, positions: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const edges = [0, ...positions, bytes.length]
  return edges.slice(1).map((end, index) => bytes.slice(edges[index], end))
}

/** For the message of an assertion: chunks as `Hex.show` has them, with bars between. */
export const show = (chunks: ReadonlyArray<Uint8Array>): string => chunks.map(Hex.show).join(" | ")
