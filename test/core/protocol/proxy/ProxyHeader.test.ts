import { assert, describe, it } from "@effect/vitest"
import { ByteQueue } from "@sluice/core/bytes/ByteQueue"
import * as Crc32c from "@sluice/core/protocol/proxy/Crc32c"
import * as ProxyHeader from "@sluice/core/protocol/proxy/ProxyHeader"
import * as NetAddress from "effect/net/NetAddress"
import * as Chunkings from "../../../harness/Chunkings.ts"
import { hex } from "../../../harness/Hex.ts"

/** What a header says, in one line. */
const show = (decoded: ProxyHeader.Decoded): string => {
  switch (decoded._tag) {
    case "Proxied": {
      const addresses = [decoded.source, decoded.destination].map(NetAddress.formatSocketAddress).join(" > ")
      return `v${decoded.version} ${decoded.transport} ${addresses}${showTlvs(decoded.tlvs)}`
    }
    case "Local":
      return `v${decoded.version} local${showTlvs(decoded.tlvs)}`
    case "NeedMore":
      return "need more"
    case "Invalid":
      return "invalid"
  }
}

const showTlvs = (tlvs: ReadonlyArray<ProxyHeader.Tlv>): string =>
  tlvs.map((tlv) => ` ${tlv.type.toString(16)}=${Buffer.from(tlv.value).toString("hex")}`).join("")

/** Decodes after each chunk; what was left in the queue comes with the answer. */
const decode = (chunks: ReadonlyArray<Uint8Array>): readonly [header: string, rest: string] => {
  const input = new ByteQueue()
  let decoded: ProxyHeader.Decoded | undefined
  for (const chunk of chunks) {
    input.push(chunk)
    if (decoded === undefined || decoded._tag === "NeedMore") decoded = ProxyHeader.decode(input)
  }
  return [show(decoded ?? { _tag: "NeedMore" }), Buffer.from(input.peek(input.byteLength)).toString()]
}

const signature = "0d0a0d0a000d0a515549540a"
const v4 = "c0000201 c6336401 dc04 01bb"
const v6 = "20010db8000000000000000000000001 20010db8000000000000000000000002 dc04 01bb"
const zeros = (count: number) => "00".repeat(count)

describe("headers, at every split, with the stream behind them", () => {
  const cases: ReadonlyArray<readonly [rule: string, wire: string, header: string]> = [
    ["v1 TCP4", "'PROXY TCP4 192.0.2.1 198.51.100.1 56324 443' 0d0a", "v1 stream 192.0.2.1:56324 > 198.51.100.1:443"],
    ["v1 TCP6", "'PROXY TCP6 2001:db8::1 2001:db8::2 0 65535' 0d0a", "v1 stream [2001:db8::1]:0 > [2001:db8::2]:65535"],
    ["v1 UNKNOWN", "'PROXY UNKNOWN' 0d0a", "v1 local"],
    ["v1 UNKNOWN: what follows is ignored", "'PROXY UNKNOWN ffff::1 what 1' 0d0a", "v1 local"],
    ["v2 IPv4", `${signature} 21 11 000c ${v4}`, "v2 stream 192.0.2.1:56324 > 198.51.100.1:443"],
    ["v2 IPv6", `${signature} 21 21 0024 ${v6}`, "v2 stream [2001:db8::1]:56324 > [2001:db8::2]:443"],
    ["v2 IPv4 datagram", `${signature} 21 12 000c ${v4}`, "v2 datagram 192.0.2.1:56324 > 198.51.100.1:443"],
    ["v2 Unix", `${signature} 21 31 00d8 '/a' ${zeros(106)} '/b' ${zeros(106)}`, "v2 stream /a > /b"],
    ["v2 LOCAL", `${signature} 20 00 0000`, "v2 local"],
    ["v2 LOCAL: the payload is discarded", `${signature} 20 11 000c ${v4}`, "v2 local"],
    ["v2 unspecified family", `${signature} 21 00 0000`, "v2 local"],
    ["v2 unspecified family with a TLV", `${signature} 21 00 0004 01 0001 68`, "v2 local 1=68"],
    [
      "v2 TLVs; NOOP is dropped",
      `${signature} 21 11 0017 ${v4} 01 0002 6832 04 0000 05 0000`,
      "v2 stream 192.0.2.1:56324 > 198.51.100.1:443 1=6832 5="
    ]
  ]
  for (const [rule, wire, header] of cases) {
    it(rule, () => {
      for (const chunks of Chunkings.everySplit(hex(`${wire} 'GET /'`))) {
        assert.deepStrictEqual(decode(chunks), [header, "GET /"], Chunkings.show(chunks))
      }
    })
    it(`${rule}: cut off, it needs more`, () => {
      const bytes = hex(wire)
      for (let length = 0; length < bytes.length; length++) {
        assert.strictEqual(decode([bytes.slice(0, length)])[0], "need more", `after ${length} bytes`)
      }
    })
  }
})

describe("what is no header", () => {
  const cases: ReadonlyArray<readonly [rule: string, wire: string]> = [
    ["another protocol", "'GET / HTTP/1.1'"],
    ["the wrong word", "'PROXX'"],
    ["the wrong case", "'proxy TCP4 192.0.2.1 198.51.100.1 1 2' 0d0a"],
    ["v1 without CR", "'PROXY TCP4 192.0.2.1 198.51.100.1 56324 443' 0a"],
    ["v1 with UDP", "'PROXY UDP4 192.0.2.1 198.51.100.1 56324 443' 0d0a"],
    ["v1 with a word too few", "'PROXY TCP4 192.0.2.1 198.51.100.1 56324' 0d0a"],
    ["v1 with a word too many", "'PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 1' 0d0a"],
    ["v1 with two spaces", "'PROXY TCP4  192.0.2.1 198.51.100.1 56324 443' 0d0a"],
    ["v1 with an address of the other family", "'PROXY TCP4 2001:db8::1 198.51.100.1 56324 443' 0d0a"],
    ["v1 with a leading zero in a port", "'PROXY TCP4 192.0.2.1 198.51.100.1 056324 443' 0d0a"],
    ["v1 with a port above 65535", "'PROXY TCP4 192.0.2.1 198.51.100.1 65536 443' 0d0a"],
    ["v1 with a leading zero in an address", "'PROXY TCP4 192.0.02.1 198.51.100.1 1 443' 0d0a"],
    ["v1 with 107 bytes and no end", `'PROXY UNKNOWN ${"x".repeat(93)}'`],
    ["v1 with its end at byte 108", `'PROXY UNKNOWN ${"x".repeat(92)}' 0d0a`],
    ["v2 with a wrong signature", "0d0a0d0a000d0a515549540b"],
    ["v2 with version 1", `${signature} 11 11 000c`],
    ["v2 with an unknown command", `${signature} 22 11 000c`],
    ["v2 with an unknown family", `${signature} 21 41 000c ${v4}`],
    ["v2 with an unknown transport", `${signature} 21 13 000c ${v4}`],
    ["v2 too short for its addresses", `${signature} 21 11 000b ${v4}`],
    ["v2 longer than the limit", `${signature} 21 11 1001`],
    ["v2 with a TLV cut off in its head", `${signature} 21 11 000e ${v4} 0100`],
    ["v2 with a TLV longer than the header", `${signature} 21 11 0010 ${v4} 01 0002 68`],
    ["v2 with a wrong checksum", `${signature} 21 11 0013 ${v4} 03 0004 00000001`],
    ["v2 with a short checksum", `${signature} 21 11 0011 ${v4} 03 0002 0000`]
  ]
  for (const [rule, wire] of cases) {
    it(rule, () => {
      const bytes = hex(wire)
      for (const chunks of Chunkings.everySplit(bytes)) {
        const [header, rest] = decode(chunks)
        assert.strictEqual(header, "invalid", Chunkings.show(chunks))
        assert.strictEqual(rest, Buffer.from(bytes).toString(), "nothing was consumed")
      }
    })
  }

  it("v1 with its end at byte 107 is the longest", () => {
    assert.strictEqual(decode([hex(`'PROXY UNKNOWN ${"x".repeat(91)}' 0d0a`)])[0], "v1 local")
  })
})

describe("encoding", () => {
  const address = (text: string) => NetAddress.inetAddressFromStringUnsafe(text)
  const client = address("192.0.2.1:56324")
  const server = address("198.51.100.1:443")

  it("v1 is the line of the specification", () => {
    const wire = ProxyHeader.encodeV1(client, server)
    assert.strictEqual(Buffer.from(wire).toString(), "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n")
  })

  it("v2 is the bytes of the specification", () => {
    assert.deepStrictEqual(
      ProxyHeader.encodeV2({ addresses: { source: client, destination: server } }),
      hex(`${signature} 21 11 000c ${v4}`)
    )
  })

  it("what is encoded is decoded again", () => {
    const unix = NetAddress.unixPathAddress("/run/app.sock")
    const tlvs = [{ type: 0xe0, value: Uint8Array.of(1, 2, 3) }]
    const cases: ReadonlyArray<readonly [wire: Uint8Array, header: string]> = [
      [
        ProxyHeader.encodeV1(address("[2001:db8::1]:1"), address("[2001:db8::2]:2")),
        "v1 stream [2001:db8::1]:1 > [2001:db8::2]:2"
      ],
      [
        ProxyHeader.encodeV1(client, address("[2001:db8::2]:2")),
        "v1 stream [::ffff:192.0.2.1]:56324 > [2001:db8::2]:2"
      ],
      [ProxyHeader.encodeV1(unix, unix), "v1 local"],
      [ProxyHeader.encodeV2({}), "v2 local"],
      [
        ProxyHeader.encodeV2({ addresses: { source: unix, destination: unix }, tlvs }),
        "v2 stream /run/app.sock > /run/app.sock e0=010203"
      ],
      [ProxyHeader.encodeV2({ addresses: { source: client, destination: unix }, tlvs }), "v2 local e0=010203"],
      [
        ProxyHeader.encodeV2({ addresses: { source: client, destination: address("[2001:db8::2]:2") } }),
        "v2 stream [::ffff:192.0.2.1]:56324 > [2001:db8::2]:2"
      ]
    ]
    for (const [wire, header] of cases) assert.deepStrictEqual(decode([wire]), [header, ""])
  })

  it("what a header cannot hold is refused, and not cut", () => {
    const unix = (count: number) => NetAddress.unixPathAddress(`/${"é".repeat(count)}`)
    const encode = (source: NetAddress.SocketAddress, destination: NetAddress.SocketAddress) =>
      ProxyHeader.encodeV2({ addresses: { source, destination } })
    const [longest, tooLong] = [unix(53), unix(54)]
    assert.include(decode([encode(longest, longest)])[0], NetAddress.formatSocketAddress(longest))
    assert.throws(() => encode(tooLong, longest), RangeError, "109 bytes")
    assert.throws(() => encode(longest, tooLong), RangeError, "109 bytes")
    assert.throws(() => ProxyHeader.encodeV2({ tlvs: [{ type: 0xe0, value: new Uint8Array(65_533) }] }), RangeError)
  })

  it("a checksum holds, and fails when any bit of the header changes", () => {
    const wire = ProxyHeader.encodeV2({ addresses: { source: client, destination: server }, checksum: true })
    assert.match(decode([wire])[0], /^v2 stream .* 3=/)
    for (let index = 16; index < 28; index++) {
      const changed = wire.slice()
      changed[index]! ^= 1
      assert.strictEqual(decode([changed])[0], "invalid", `byte ${index}`)
    }
  })

  it("RFC 3720 §B.4: CRC-32C of its examples", () => {
    assert.strictEqual(Crc32c.of(new Uint8Array(32)), 0x8a9136aa)
    assert.strictEqual(Crc32c.of(new Uint8Array(32).fill(0xff)), 0x62a8ab43)
    assert.strictEqual(Crc32c.of(Uint8Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e)
  })
})
