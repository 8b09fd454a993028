import { assert, describe, it } from "@effect/vitest"
import * as GrpcErrorDetails from "@sluice/core/protocol/grpc/GrpcErrorDetails"
import * as Duration from "effect/Duration"
import * as Hex from "../../../harness/Hex.ts"

const details: ReadonlyArray<readonly [detail: GrpcErrorDetails.Detail, value: string]> = [
  [
    GrpcErrorDetails.ErrorInfo({ reason: "NO", domain: "a.b", metadata: { k: "v" } }),
    "0a 02 'NO' 12 03 'a.b' 1a 06 0a 01 'k' 12 01 'v'"
  ],
  [GrpcErrorDetails.RetryInfo({ retryDelay: Duration.millis(2_000) }), "0a 02 08 02"],
  [GrpcErrorDetails.DebugInfo({ stackEntries: ["a", "b"], detail: "c" }), "0a 01 'a' 0a 01 'b' 12 01 'c'"],
  [GrpcErrorDetails.QuotaFailure({ violations: [{ subject: "s", description: "d" }] }), "0a 06 0a 01 's' 12 01 'd'"],
  [
    GrpcErrorDetails.PreconditionFailure({ violations: [{ type: "t", subject: "s", description: "d" }] }),
    "0a 09 0a 01 't' 12 01 's' 1a 01 'd'"
  ],
  [
    GrpcErrorDetails.BadRequest({
      fieldViolations: [
        { field: "f", description: "d" },
        { field: "g", description: "", reason: "R" }
      ]
    }),
    "0a 06 0a 01 'f' 12 01 'd' 0a 06 0a 01 'g' 1a 01 'R'"
  ],
  [GrpcErrorDetails.RequestInfo({ requestId: "i", servingData: "s" }), "0a 01 'i' 12 01 's'"],
  [
    GrpcErrorDetails.ResourceInfo({ resourceType: "t", resourceName: "n", owner: "o", description: "d" }),
    "0a 01 't' 12 01 'n' 1a 01 'o' 22 01 'd'"
  ],
  [GrpcErrorDetails.Help({ links: [{ description: "d", url: "u" }] }), "0a 06 0a 01 'd' 12 01 'u'"],
  [GrpcErrorDetails.LocalizedMessage({ locale: "de", message: "nein" }), "0a 02 'de' 12 04 'nein'"]
]

const lengthOf = (bytes: Uint8Array): Uint8Array => Uint8Array.of(bytes.length)
const anyWire = (typeUrl: string, value: Uint8Array): Uint8Array => {
  const url = new TextEncoder().encode(typeUrl)
  const any = [Hex.hex("0a"), lengthOf(url), url, ...(value.length > 0 ? [Hex.hex("12"), lengthOf(value), value] : [])]
  return Hex.concat([Hex.hex("1a"), lengthOf(Hex.concat(any)), ...any])
}

describe("google.rpc.Status, both ways", () => {
  for (const [detail, value] of details) {
    it(detail._tag, () => {
      const status: GrpcErrorDetails.Status = { code: 5, message: "no", details: [detail] }
      const any = anyWire(`type.googleapis.com/google.rpc.${detail._tag}`, Hex.hex(value))
      const wire = Hex.concat([Hex.hex("08 05 12 02 'no'"), any])
      assert.strictEqual(Hex.show(GrpcErrorDetails.encode(status)), Hex.show(wire))
      assert.deepStrictEqual(GrpcErrorDetails.decode(wire), status)
    })
  }
  it("all of them, in order", () => {
    const status: GrpcErrorDetails.Status = { code: 3, message: "", details: details.map(([detail]) => detail) }
    assert.deepStrictEqual(GrpcErrorDetails.decode(GrpcErrorDetails.encode(status)), status)
  })
  it("none", () => {
    const status: GrpcErrorDetails.Status = { code: 0, message: "", details: [] }
    assert.strictEqual(Hex.show(GrpcErrorDetails.encode(status)), "")
    assert.deepStrictEqual(GrpcErrorDetails.decode(new Uint8Array(0)), status)
  })
})

describe("details of another kind are kept as they are", () => {
  const rows: ReadonlyArray<readonly [rule: string, typeUrl: string, value: string]> = [
    ["a type of the service's own", "type.googleapis.com/my.Detail", "0a 01 61"],
    ["a type of google.rpc that is not known", "type.googleapis.com/google.rpc.Novel", "0a 01 61"],
    ["a known one that cannot be read", "type.googleapis.com/google.rpc.ErrorInfo", "0a 05"],
    ["a name that every object has", "type.googleapis.com/google.rpc.constructor", ""],
    ["a type that only ends like a known one", "my.google.rpc.ErrorInfo", "0a 01 61"],
    ["an Any within an Any", "type.googleapis.com/google.rpc.Any", ""],
    ["no type", "", "01"]
  ]
  for (const [rule, typeUrl, value] of rows) {
    it(rule, () => {
      const any = GrpcErrorDetails.Any({ typeUrl, value: Hex.hex(value) })
      const wire = GrpcErrorDetails.encode({ code: 1, message: "", details: [any] })
      assert.deepStrictEqual(GrpcErrorDetails.decode(wire)?.details, [any])
    })
  }
  it("a known one is known under the address of another host, or none", () => {
    for (const prefix of ["", "/", "example.com/", "https://example.com/types/"]) {
      const wire = anyWire(`${prefix}google.rpc.LocalizedMessage`, Hex.hex("0a 01 61"))
      assert.deepStrictEqual(GrpcErrorDetails.decode(wire)?.details, [
        GrpcErrorDetails.LocalizedMessage({ locale: "a", message: "" })
      ])
    }
  })
})

it("what is no status", () => assert.isUndefined(GrpcErrorDetails.decode(Hex.hex("ff"))))

it("a detail is found by its tag", () => {
  const all = details.map(([detail]) => detail)
  assert.strictEqual(GrpcErrorDetails.find(all, "BadRequest")?.fieldViolations[0]?.field, "f")
  assert.isUndefined(GrpcErrorDetails.find(all, "Any"))
})
