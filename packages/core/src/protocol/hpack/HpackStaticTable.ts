/**
 * The fields that every peer knows (RFC 7541 Appendix A). Their names are the
 * strings that decoders hand out, so that comparing them is cheap.
 *
 * @internal
 * @since 0.1.0
 */

const table: ReadonlyArray<readonly [name: string, value?: string]> = [
  [":authority"],
  [":method", "GET"],
  [":method", "POST"],
  [":path", "/"],
  [":path", "/index.html"],
  [":scheme", "http"],
  [":scheme", "https"],
  [":status", "200"],
  [":status", "204"],
  [":status", "206"],
  [":status", "304"],
  [":status", "400"],
  [":status", "404"],
  [":status", "500"],
  ["accept-charset"],
  ["accept-encoding", "gzip, deflate"],
  ["accept-language"],
  ["accept-ranges"],
  ["accept"],
  ["access-control-allow-origin"],
  ["age"],
  ["allow"],
  ["authorization"],
  ["cache-control"],
  ["content-disposition"],
  ["content-encoding"],
  ["content-language"],
  ["content-length"],
  ["content-location"],
  ["content-range"],
  ["content-type"],
  ["cookie"],
  ["date"],
  ["etag"],
  ["expect"],
  ["expires"],
  ["from"],
  ["host"],
  ["if-match"],
  ["if-modified-since"],
  ["if-none-match"],
  ["if-range"],
  ["if-unmodified-since"],
  ["last-modified"],
  ["link"],
  ["location"],
  ["max-forwards"],
  ["proxy-authenticate"],
  ["proxy-authorization"],
  ["range"],
  ["referer"],
  ["refresh"],
  ["retry-after"],
  ["server"],
  ["set-cookie"],
  ["strict-transport-security"],
  ["transfer-encoding"],
  ["user-agent"],
  ["vary"],
  ["via"],
  ["www-authenticate"]
]

/** How many entries there are; they have the indices from 1 on. @category models */
export const entryCount = 61

/** By index; that of 0 is empty. @category models */
export const names: ReadonlyArray<string> = /*#__PURE__*/ (() => ["", ...table.map(([name]) => name)])()

/** By index; empty for an entry that has only a name. @category models */
export const values: ReadonlyArray<string> = /*#__PURE__*/ (() => ["", ...table.map(([, value]) => value ?? "")])()

/** A name of the table. @category models */
export interface StaticName {
  /** Of its first entry. */
  readonly index: number
  /** The indices of its values. */
  readonly byValue: ReadonlyMap<string, number>
}

/** Where a name is, `undefined` for one that is not in the table. @category finding */
export const find = (name: string): StaticName | undefined => byName.get(name)

const byName: ReadonlyMap<string, StaticName> = /*#__PURE__*/ (() => {
  const made = new Map<string, StaticName & { readonly byValue: Map<string, number> }>()
  table.forEach(([name, value], position) => {
    const index = position + 1
    const known = made.get(name) ?? { index, byValue: new Map() }
    if (value !== undefined) known.byValue.set(value, index)
    made.set(name, known)
  })
  return made
})()
