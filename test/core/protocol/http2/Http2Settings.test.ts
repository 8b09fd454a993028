import { assert, describe, it } from "@effect/vitest"
import * as Code from "@sluice/core/protocol/http2/Http2ErrorCode"
import * as Settings from "@sluice/core/protocol/http2/Http2Settings"
import { concat, hex } from "../../../harness/Hex.ts"

const decode = (wire: string, sender: "client" | "server" = "client", into = new Settings.Http2Settings()) => {
  const bytes = hex(wire)
  const violation = Settings.decode(bytes, 0, bytes.length, into, sender)
  return { violation, settings: into }
}

describe("RFC 9113 §6.5.2: what is said", () => {
  const rows: ReadonlyArray<readonly [name: string, wire: string, changed: Partial<Settings.Http2Settings>]> = [
    ["nothing", "", {}],
    ["a table of fields", "0001 00000000", { headerTableBytes: 0, leastHeaderTableBytes: 0 }],
    [
      "RFC 7541 §4.2: a table that is emptied and grows again",
      "0001 00000010 0001 00001000",
      { headerTableBytes: 4096, leastHeaderTableBytes: 16 }
    ],
    ["the largest table", "0001 ffffffff", { headerTableBytes: 2 ** 32 - 1 }],
    ["no pushes", "0002 00000000", {}],
    ["pushes, as a client may allow", "0002 00000001", {}],
    ["streams", "0003 00000064", { maxConcurrentStreams: 100 }],
    ["no streams", "0003 00000000", { maxConcurrentStreams: 0 }],
    ["the largest window", "0004 7fffffff", { initialWindowBytes: 2 ** 31 - 1 }],
    ["no window", "0004 00000000", { initialWindowBytes: 0 }],
    ["the largest frame", "0005 00ffffff", { maxFrameBytes: 2 ** 24 - 1 }],
    ["the least frame", "0005 00004000", { maxFrameBytes: 16_384 }],
    ["a list of fields", "0006 ffffffff", { maxHeaderListBytes: 2 ** 32 - 1 }],
    ["RFC 8441 §3: extended CONNECT", "0008 00000001", { connectProtocol: true }],
    ["RFC 8441 §3: none", "0008 00000000", {}],
    ["what is unknown is ignored", "0007 ffffffff 0009 00000001 ffff 12345678", {}],
    ["several", "0003 0000000a 0004 00010000", { maxConcurrentStreams: 10, initialWindowBytes: 65_536 }],
    ["§6.5.3: the last of several alike", "0003 0000000a 0003 00000005", { maxConcurrentStreams: 5 }]
  ]
  for (const [name, wire, changed] of rows) {
    it(name, () => {
      const { violation, settings } = decode(wire)
      assert.isUndefined(violation)
      assert.deepEqual({ ...settings }, { ...new Settings.Http2Settings(), ...changed })
    })
  }
})

describe("RFC 9113 §6.5.2: what is out of range", () => {
  const rows: ReadonlyArray<readonly [name: string, wire: string, code: number, sender?: "server"]> = [
    ["a push that is neither", "0002 00000002", Code.ProtocolError],
    ["a server that wants to be pushed to", "0002 00000001", Code.ProtocolError, "server"],
    ["a window above 2^31 - 1", "0004 80000000", Code.FlowControlError],
    ["a frame below 16,384", "0005 00003fff", Code.ProtocolError],
    ["a frame above 2^24 - 1", "0005 01000000", Code.ProtocolError],
    ["RFC 8441 §3: neither 0 nor 1", "0008 00000002", Code.ProtocolError],
    ["RFC 8441 §3: taken back", "0008 00000001 0008 00000000", Code.ProtocolError],
    ["behind something good", "0003 00000001 0005 00000000", Code.ProtocolError],
    ["§6.5: a part of a setting", "0003 00000001 0005", Code.FrameSizeError]
  ]
  for (const [name, wire, code, sender] of rows) {
    it(name, () => assert.strictEqual(decode(wire, sender ?? "client").violation?.errorCode, code))
  }
  it("RFC 8441 §3: taken back in a later frame", () => {
    const { settings } = decode("0008 00000001", "server")
    assert.strictEqual(decode("0008 00000000", "server", settings).violation?.errorCode, Code.ProtocolError)
    assert.isUndefined(decode("0008 00000001", "server", settings).violation)
  })
  it("says which setting, and its value", () => {
    assert.strictEqual(
      decode("0004 ffffffff").violation?.message,
      "FLOW_CONTROL_ERROR: SETTINGS_INITIAL_WINDOW_SIZE of 4294967295"
    )
  })
})

it("reads only its part of the bytes", () => {
  const bytes = hex("ffffffff 0003 00000007 0004ffffffff")
  const settings = new Settings.Http2Settings()
  assert.isUndefined(Settings.decode(bytes, 4, 10, settings, "client"))
  assert.strictEqual(settings.maxConcurrentStreams, 7)
  assert.strictEqual(settings.initialWindowBytes, 65_535)
})

describe("what is to be sent", () => {
  const full = (): Settings.Http2Settings =>
    Object.assign(new Settings.Http2Settings(), {
      headerTableBytes: 0,
      maxConcurrentStreams: 128,
      initialWindowBytes: 262_144,
      maxFrameBytes: 32_768,
      maxHeaderListBytes: 16_384,
      connectProtocol: true
    })
  it("nothing for initial values", () => {
    assert.deepStrictEqual(Settings.entriesOf(new Settings.Http2Settings(), "server"), [])
  })
  it("RFC 9113 §8.4: a client refuses pushes", () => {
    assert.deepStrictEqual(Settings.entriesOf(new Settings.Http2Settings(), "client"), [[2, 0]])
  })
  for (const sender of ["client", "server"] as const) {
    it(`what a ${sender} sends, its peer reads`, () => {
      const entries = Settings.entriesOf(full(), sender)
      const wire = concat(
        entries.map(([id, value]) => {
          const bytes = new Uint8Array(Settings.entryBytes)
          const view = new DataView(bytes.buffer)
          view.setUint16(0, id)
          view.setUint32(2, value)
          return bytes
        })
      )
      const read = new Settings.Http2Settings()
      assert.isUndefined(Settings.decode(wire, 0, wire.length, read, sender))
      assert.deepEqual({ ...read, leastHeaderTableBytes: 4096 }, { ...full() })
    })
  }
})
