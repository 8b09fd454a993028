/**
 * A certificate for localhost that is made now and signed with its own key:
 * TLS to look at, without files. Nobody vouches for it, so clients have to be
 * told to trust it (`curl --insecure`), and it is good for nothing else.
 *
 * Node makes keys and signatures, but no certificates; a certificate is a few
 * nested ASN.1 values, which are written here as DER (RFC 5280 §4.1).
 */
import * as Crypto from "node:crypto"
import type { TlsIdentity } from "@sluice/core/transport/Tls"
import * as Redacted from "effect/Redacted"

/** Valid for 30 days, from a day ago: clocks differ. */
export const make = (): TlsIdentity => {
  const { publicKey, privateKey } = Crypto.generateKeyPairSync("ec", { namedCurve: "P-256" })
  const now = Date.now()
  const toBeSigned = sequence(
    explicit(0, integer(Buffer.of(2))), // version 3
    integer(serialNumber()),
    ecdsaWithSha256,
    name,
    sequence(time(now - dayMillis), time(now + 30 * dayMillis)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    explicit(3, sequence(extension(subjectAltName, names)))
  )
  const signature = Crypto.sign("sha256", toBeSigned, privateKey)
  return {
    certificate: pem(sequence(toBeSigned, ecdsaWithSha256, bitString(signature))),
    key: Redacted.make(privateKey.export({ type: "pkcs8", format: "pem" }).toString())
  }
}

const dayMillis = 86_400_000

const der = (tag: number, ...parts: ReadonlyArray<Uint8Array>): Buffer => {
  const value = Buffer.concat(parts)
  return Buffer.concat([Buffer.of(tag, ...lengthOf(value.length)), value])
}

/** X.690 §8.1.3: up to 127 as it is; above, the number of its bytes, and they. */
const lengthOf = (length: number): ReadonlyArray<number> => {
  if (length < 0x80) return [length]
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
}

const sequence = (...parts: ReadonlyArray<Uint8Array>) => der(0x30, ...parts)
const explicit = (index: number, value: Uint8Array) => der(0xa0 + index, value)
const integer = (value: Uint8Array) => der(0x02, value)
const bitString = (value: Uint8Array) => der(0x03, Buffer.of(0), value)
const objectId = (hex: string) => der(0x06, Buffer.from(hex, "hex"))
const extension = (id: Uint8Array, value: Uint8Array) => sequence(id, der(0x04, value))

/** RFC 5280 §4.1.2.5.1: as `261123120000Z`, up to the year 2049. */
const time = (millis: number) =>
  der(0x17, Buffer.from(`${new Date(millis).toISOString().slice(2, 19).replace(/[-:T]/g, "")}Z`))

/** RFC 5280 §4.1.2.2: positive, and the same for no two certificates. */
const serialNumber = () => {
  const bytes = Crypto.randomBytes(16)
  bytes[0] = (bytes[0]! & 0x7f) | 0x40
  return bytes
}

const ecdsaWithSha256 = sequence(objectId("2a8648ce3d040302"))
const commonName = objectId("550403")
const subjectAltName = objectId("551d11")

/** Issuer and subject are one: that is what self-signed means. */
const name = sequence(der(0x31, sequence(commonName, der(0x0c, Buffer.from("localhost")))))

/** The names that clients check: localhost, 127.0.0.1 and ::1. */
const names = sequence(
  der(0x82, Buffer.from("localhost")),
  der(0x87, Buffer.of(127, 0, 0, 1)),
  der(0x87, Buffer.from(`${"00".repeat(15)}01`, "hex"))
)

const pem = (certificate: Buffer): string => {
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? []
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n")
}
