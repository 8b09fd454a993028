/**
 * The Huffman code of header strings (RFC 7541 §5.2 and Appendix B).
 *
 * Decoding goes by half octets: a state is a node of the code's tree, and a
 * table has for each state and each four bits the next state and the octet
 * that was completed on the way. The shortest code has five bits, so four
 * complete one octet at most.
 *
 * The code is canonical: shorter ones come first, and those of one length
 * count up with their octets. So the lengths are the whole table.
 *
 * Hot path: `bench/` rows "hpack-huffman".
 *
 * @internal
 * @since 0.1.0
 */
import { lengths } from "./internal/HpackHuffmanLengths.ts"

/** Instead of a length: RFC 7541 §5.2 has the string refused. @category decoding */
export const invalid = -1

/** How much room {@link decode} wants for a string of so many octets. @category decoding */
export const roomFor = (byteCount: number): number => ((byteCount * 8) / 5 + 2) | 0

/**
 * Decodes the octets from `start` up to `end` into `target`, from its
 * beginning, which has {@link roomFor} them. Returns how many were written, or
 * {@link invalid}: RFC 7541 §5.2 "A padding strictly longer than 7 bits MUST
 * be treated as a decoding error", as must one of other bits than those of
 * EOS, and EOS itself.
 *
 * @category decoding
 */
export const decode = (bytes: Uint8Array, start: number, end: number, target: Uint8Array): number => {
  let state = 0
  let length = 0
  for (let index = start; index < end; index++) {
    const byte = bytes[index]!
    // What is written without being completed is written over by the next.
    let step = steps[state | (byte >>> 4)]!
    target[length] = step
    length += (step >>> 8) & 1
    step = steps[(step >>> stateShift) | (byte & 0xf)]!
    target[length] = step
    length += (step >>> 8) & 1
    state = step >>> stateShift
  }
  return endStates[state >>> 4] === 1 ? length : invalid
}

/** How many octets the code of `text` has. Of its characters only the low byte counts. @category encoding */
export const encodedBytes = (text: string): number => {
  let bits = 0
  for (let index = 0; index < text.length; index++) bits += bitCounts[text.charCodeAt(index) & 0xff]!
  return (bits + 7) >>> 3
}

/** Writes the code of `text` to `target` from `at` on, and returns the offset behind it. @category encoding */
export const encode = (text: string, target: Uint8Array, at: number): number => {
  let next = at
  // Of these, `waitingBits < 8` are not yet written.
  let waiting = 0
  let waitingBits = 0
  for (let index = 0; index < text.length; index++) {
    const octet = text.charCodeAt(index) & 0xff
    let bitCount = bitCounts[octet]!
    let code = codes[octet]!
    if (bitCount > 24) {
      // With what waits these would not fit into 32 bits: the high part goes first.
      bitCount -= 16
      waiting = (waiting << bitCount) | (code >>> 16)
      waitingBits += bitCount
      while (waitingBits >= 8) {
        waitingBits -= 8
        target[next++] = waiting >>> waitingBits
      }
      code &= 0xffff
      bitCount = 16
    }
    waiting = (waiting << bitCount) | code
    waitingBits += bitCount
    while (waitingBits >= 8) {
      waitingBits -= 8
      target[next++] = waiting >>> waitingBits
    }
  }
  // RFC 7541 §5.2: the padding is the beginning of EOS, which is all ones.
  if (waitingBits > 0) target[next++] = (waiting << (8 - waitingBits)) | (0xff >>> waitingBits)
  return next
}

const endOfString = 256
const bitCounts = /*#__PURE__*/ Uint8Array.from(lengths)

/** RFC 7541 Appendix B, in its order of octets. */
const codes: Uint32Array = /*#__PURE__*/ (() => {
  const made = new Uint32Array(lengths.length)
  let code = 0
  for (let bitCount = 1; bitCount <= 30; bitCount++) {
    for (let octet = 0; octet <= endOfString; octet++) if (lengths[octet] === bitCount) made[octet] = code++
    code *= 2
  }
  return made
})()

/**
 * The tree: for each node where the bits 0 and 1 lead, to a node above 0, or
 * to an octet, as `-1 - octet`. The root is node 0, to which nothing leads.
 */
const tree: ReadonlyArray<readonly [number, number]> = /*#__PURE__*/ (() => {
  const nodes: Array<[number, number]> = [[0, 0]]
  for (let octet = 0; octet <= endOfString; octet++) {
    let node = 0
    for (let bit = lengths[octet]! - 1; bit > 0; bit--) {
      const side = (codes[octet]! >>> bit) & 1
      if (nodes[node]![side] === 0) nodes[node]![side] = nodes.push([0, 0]) - 1
      node = nodes[node]![side]!
    }
    nodes[node]![codes[octet]! & 1] = -1 - octet
  }
  return nodes
})()

/** Behind the nodes: EOS has come. Nothing leads out of it. */
const dead = /*#__PURE__*/ (() => tree.length)()

/**
 * By `state * 16 + four bits`: the octet in the low 8 bits, whether it was
 * completed in the ninth, and above them `next state * 16`.
 */
const stateShift = 9
const steps: Uint32Array = /*#__PURE__*/ (() => {
  const made = new Uint32Array((tree.length + 1) * 16)
  for (let index = 0; index < made.length; index++) {
    let node = index >>> 4
    let completed = 0
    for (let bit = 3; bit >= 0 && node !== dead; bit--) {
      const to = tree[node]![(index >>> bit) & 1]!
      if (to >= 0) node = to
      else {
        node = to === -1 - endOfString ? dead : 0
        completed = node === dead ? 0 : 0x100 | (-1 - to)
      }
    }
    made[index] = ((node * 16) << stateShift) | completed
  }
  return made
})()

/** 1 for the nodes on the way to EOS that at most 7 bits lead to: where a string may end. */
const endStates: Uint8Array = /*#__PURE__*/ (() => {
  const made = new Uint8Array(tree.length + 1)
  for (let bitCount = 0, node = 0; bitCount <= 7; bitCount++) {
    made[node] = 1
    node = tree[node]![1]
  }
  return made
})()
