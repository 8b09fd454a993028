import { assert, describe, it } from "@effect/vitest"
import * as TransportError from "@sluice/core/transport/TransportError"
import * as Effect from "effect/Effect"

/** One row, one reason: who is at fault, whether it is safe to say it again, and what its message must name. */
const reasons: ReadonlyArray<
  readonly [
    reason: TransportError.Reason,
    fault: TransportError.Fault,
    retry: TransportError.RetrySafety,
    names: ReadonlyArray<string>
  ]
> = [
  [new TransportError.AddressInUse("[::]:80"), "caller", "NotSent", ["[::]:80"]],
  [
    new TransportError.AddressUnavailable("192.0.2.1:80", "no such interface"),
    "caller",
    "NotSent",
    ["192.0.2.1:80", "no such interface"]
  ],
  [new TransportError.PermissionDenied("[::]:80"), "caller", "NotSent", ["[::]:80"]],
  [new TransportError.ResourceExhausted("EMFILE"), "limit", "NotSent", ["EMFILE"]],
  [new TransportError.CertificateInvalid("key.pem", "no PEM"), "caller", "NotSent", ["key.pem", "no PEM"]],
  [new TransportError.Unsupported("a second upgrade"), "caller", "NotSent", ["a second upgrade"]],
  [
    new TransportError.NameNotResolved("server.test", "ENOTFOUND"),
    "transport",
    "NotSent",
    ["server.test", "ENOTFOUND"]
  ],
  [new TransportError.ConnectionRefused("192.0.2.1:80"), "transport", "NotSent", ["192.0.2.1:80"]],
  [
    new TransportError.Unreachable("192.0.2.1:80", "EHOSTUNREACH"),
    "transport",
    "NotSent",
    ["192.0.2.1:80", "EHOSTUNREACH"]
  ],
  [new TransportError.ConnectTimeout("192.0.2.1:80", 10_000), "limit", "NotSent", ["192.0.2.1:80", "10000 ms"]],
  [
    new TransportError.TlsHandshakeFailed("CERT_HAS_EXPIRED", "expired"),
    "peer",
    "NotSent",
    ["CERT_HAS_EXPIRED", "expired"]
  ],
  [new TransportError.TlsHandshakeTimeout(10_000), "limit", "NotSent", ["10000 ms"]],
  [new TransportError.ProxyHeaderInvalid("no signature"), "peer", "NotSent", ["no signature"]],
  [new TransportError.TooManyConnections("total", 10), "limit", "RefusedByServer", ["total", "10"]],
  [new TransportError.ConnectionLost("ECONNRESET"), "transport", "MaybeProcessed", ["ECONNRESET"]],
  [new TransportError.IdleTimeout(300_000), "limit", "MaybeProcessed", ["300000 ms"]],
  [new TransportError.ReadStalled(30_000), "limit", "MaybeProcessed", ["30000 ms"]],
  [new TransportError.WriteStalled(30_000), "limit", "MaybeProcessed", ["30000 ms"]],
  [new TransportError.CloseTimeout(5_000), "limit", "MaybeProcessed", ["5000 ms"]],
  [new TransportError.Closed(), "caller", "NotSent", ["this side"]]
]

describe("TransportError", () => {
  for (const [reason, fault, retry, names] of reasons) {
    it(`${reason._tag}: the fault of the ${fault}, ${retry}`, () => {
      assert.strictEqual(reason.fault, fault)
      assert.strictEqual(reason.retry, retry)
      for (const name of names) assert.include(reason.message, name)
      assert.strictEqual(TransportError.make(reason).message, reason.message)
    })
  }

  it("every reason has a row, and a tag that is its name", () => {
    const classes = Object.entries(TransportError).filter(
      ([, value]) => typeof value === "function" && "prototype" in value && "message" in value.prototype
    )
    const tags = reasons.map(([reason]) => reason._tag as string)
    assert.sameMembers(
      [...tags, "TransportError"],
      classes.map(([name]) => name)
    )
  })

  it.effect("is caught by its reason", () =>
    Effect.gen(function* () {
      const failing: Effect.Effect<string, TransportError.TransportError> = Effect.fail(
        TransportError.make(new TransportError.AddressInUse("[::]:80"))
      )
      const caught = yield* failing.pipe(
        Effect.catchReason("TransportError", "AddressInUse", (reason) => Effect.succeed(reason.address))
      )
      assert.strictEqual(caught, "[::]:80")
      const other = yield* failing.pipe(
        Effect.catchReason("TransportError", "Closed", () => Effect.succeed("wrong")),
        Effect.flip
      )
      assert.strictEqual(other.reason._tag, "AddressInUse")
    })
  )
})
