/**
 * The three kinds of rows in the tables of HTTP/2's rules, each run at every
 * split. Frames come behind the handshake; to a client, behind its requests as
 * well: 1 is a GET, 3 a POST whose body is still to come.
 */
import { assert, it } from "vitest"
import { client, heard, type Recorded, type Role, server } from "../harness/Http2Recorded.ts"
import { type Code, codeName, continuation, type Fields, get, headers, ping } from "../harness/Http2Wire.ts"

export type Frames = ReadonlyArray<Uint8Array>

/** What is sent of its own accord is looked at elsewhere. */
export const emptied = (side: Recorded): Recorded => {
  side.sent()
  return side
}

/** Content of so many bytes. */
export const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(0x61)

const makers: Readonly<Record<Role, () => Recorded>> = { server: () => server(), client: () => client() }

const rolesOf = (role: Role | "both"): ReadonlyArray<Role> => (role === "both" ? ["server", "client"] : [role])

const named = (rule: string, role: Role | "both", one: Role): string => (role === "both" ? `${rule} (${one})` : rule)

const nameOf = (code: Code): string => (typeof code === "number" ? codeName(code) : code)

/** What nobody hears behind the end. */
const behind: Frames = [ping("too late"), headers(99, get("/admin"), "END_STREAM")]

/**
 * The frames end the connection, with one of the codes; nothing behind them is
 * heard. More than one code: where RFC 9113 §5.4 has a choice.
 */
export const connectionErrors = (
  role: Role | "both",
  rows: ReadonlyArray<readonly [rule: string, code: Code | ReadonlyArray<Code>, ...frames: Frames]>,
  make: Readonly<Record<Role, () => Recorded>> = makers
): void => {
  for (const [rule, code, ...frames] of rows) {
    for (const one of rolesOf(role)) {
      it(named(rule, role, one), () => {
        const { calls, closing, sent } = heard(make[one], ...frames, ...behind)
        assert.strictEqual(
          make[one]().receive(...frames).engine.output.closing,
          "end",
          "only what came behind ended it"
        )
        const allowed = (Array.isArray(code) ? code : [code]).map(nameOf)
        const told = sent.at(-1) ?? ""
        assert.include(allowed, told.split(" ")[2], `sent ${sent.join(", ")}; heard ${calls.join(", ")}`)
        assert.match(told, /^GOAWAY \d+ /)
        assert.strictEqual(sent.filter((line) => line.startsWith("GOAWAY")).length, 1)
        const violations = calls.filter((call) => call.startsWith("violation"))
        assert.deepStrictEqual(
          violations.map((call) => call.split(" ").at(-1)),
          [told.split(" ")[2]]
        )
        assert.notInclude(calls.join(), "/admin")
        assert.strictEqual(closing, "end")
        // Whoever was open is told, behind the violation.
        const closed = calls.slice(calls.indexOf(violations[0]!) + 1)
        assert.isTrue(
          closed.every((call) => /^closed \d+ ConnectionLost/.test(call)),
          calls.join()
        )
      })
    }
  }
}

/** The frames end their stream, with one of the codes, and the connection goes on. Of a server stream 1, of a client by default 3. */
export const streamErrors = (
  role: Role | "both",
  rows: ReadonlyArray<readonly [rule: string, code: Code | ReadonlyArray<Code>, ...frames: Frames]>,
  streamId?: number,
  make: Readonly<Record<Role, () => Recorded>> = makers
): void => {
  for (const [rule, code, ...frames] of rows) {
    for (const one of rolesOf(role)) {
      it(named(rule, role, one), () => {
        const { calls, closing, sent } = heard(make[one], ...frames, ping("goes on?"))
        const allowed = (Array.isArray(code) ? code : [code]).map(nameOf)
        const id = streamId ?? (one === "server" ? 1 : 3)
        const resets = sent.filter((line) => line.startsWith("RST_STREAM"))
        assert.deepStrictEqual(
          resets.map((line) => line.split(" ")[1]),
          [String(id)],
          `sent ${sent.join(", ")}; heard ${calls.join(", ")}`
        )
        assert.include(allowed, resets[0]!.split(" ")[2])
        assert.include(sent, "PING 'goes on?' ACK")
        assert.isFalse(sent.some((line) => line.startsWith("GOAWAY")))
        assert.strictEqual(closing, "open")
        assert.isTrue(calls.filter((call) => call.startsWith(`closed ${id}`)).length <= 1)
        assert.notInclude(calls.join(), "violation")
      })
    }
  }
}

/** The frames are as they should be, and this is what is heard and sent. `undefined`: not looked at. */
export const accepted = (
  role: Role | "both",
  rows: ReadonlyArray<
    readonly [
      rule: string,
      frames: Frames,
      calls: ReadonlyArray<string> | undefined,
      sent: ReadonlyArray<string> | undefined
    ]
  >,
  make: Readonly<Record<Role, () => Recorded>> = makers
): void => {
  for (const [rule, frames, calls, sent] of rows) {
    for (const one of rolesOf(role)) {
      it(named(rule, role, one), () => {
        const outcome = heard(make[one], ...frames, ping("goes on?"))
        assert.include(
          outcome.sent,
          "PING 'goes on?' ACK",
          `heard ${outcome.calls.join(", ")}, sent ${outcome.sent.join(", ")}`
        )
        assert.strictEqual(outcome.closing, "open")
        if (calls !== undefined) assert.deepStrictEqual(outcome.calls, calls)
        const others = outcome.sent.filter((line) => line !== "PING 'goes on?' ACK")
        if (sent !== undefined) assert.deepStrictEqual(others, sent)
      })
    }
  }
}

/** Heads, or trailers behind a head, that are a stream error PROTOCOL_ERROR and are never handed over. */
export const malformed = (role: Role, rows: ReadonlyArray<readonly [rule: string, fields: Fields]>): void => {
  streamErrors(
    role,
    rows.map(([rule, fields]) => [rule, "PROTOCOL_ERROR", headers(role === "server" ? 1 : 3, fields)] as const)
  )
  for (const [rule, fields] of rows) {
    it(`${rule}, is not handed over`, () => {
      const make = role === "server" ? () => server() : () => client()
      const id = role === "server" ? 1 : 3
      const { calls } = heard(make, headers(id, fields, "MORE", "END_STREAM"), continuation(id, []))
      assert.isFalse(
        calls.some((call) => /^(?:request|response|interim|end|data) /.test(call)),
        calls.join()
      )
    })
  }
}
