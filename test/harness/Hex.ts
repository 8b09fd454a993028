/**
 * Bytes as tests write and print them: `00 0a 'abc'`.
 *
 * @since 0.1.0
 */

/**
 * Bytes from hexadecimal digits, spaced as you like, and text in single
 * quotes (its UTF-8): `hex("00 00000003 'abc'")`. Throws on anything else.
 */
export const hex = (text: string): Uint8Array => {
  const bytes: Array<number> = []
  for (const [token] of text.matchAll(/'[^']*'|[^\s']+|'/g)) {
    if (token.startsWith("'") && token.length > 1) bytes.push(...new TextEncoder().encode(token.slice(1, -1)))
    else if (/^([0-9a-f]{2})+$/i.test(token)) {
      for (let index = 0; index < token.length; index += 2)
        bytes.push(Number.parseInt(token.slice(index, index + 2), 16))
    } else throw new Error(`no bytes: ${token} in ${text}`)
  }
  return Uint8Array.from(bytes)
}

/** Bytes as `hex` reads them: printable ASCII of four characters or more as text, the rest as digits. */
export const show = (bytes: Uint8Array): string => {
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")
  const parts: Array<string> = []
  let end = 0
  for (const run of binary.matchAll(/[ -&(-~]{4,}/g)) {
    parts.push(digits(bytes.subarray(end, run.index)), `'${run[0]}'`)
    end = run.index + run[0].length
  }
  parts.push(digits(bytes.subarray(end)))
  return parts.filter((part) => part !== "").join(" ")
}

/** All arrays as one. */
export const concat = (chunks: ReadonlyArray<Uint8Array>): Uint8Array => {
  const joined = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let offset = 0
  for (const chunk of chunks) {
    joined.set(chunk, offset)
    offset += chunk.length
  }
  return joined
}

const digits = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ")
