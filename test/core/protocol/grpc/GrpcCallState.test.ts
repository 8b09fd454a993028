import { assert, describe, it } from "@effect/vitest"
import { GrpcCallState, type Input, type Kind, type State, transitions } from "@sluice/core/protocol/grpc/GrpcCallState"
import * as GrpcStatus from "@sluice/core/protocol/grpc/GrpcStatus"

const states = Object.keys(transitions) as ReadonlyArray<State>
const inputs = Object.keys(transitions.AwaitingRequest) as ReadonlyArray<Input>

/** Where a path leads, or what stops it. `TrailersOnly!` and `Trailers!` are those of a call that failed. */
const walk = (kind: Kind, role: "client" | "server", path: string): string => {
  const call = new GrpcCallState(role, kind)
  for (const word of path.split(" ")) {
    const code = word.endsWith("!") ? GrpcStatus.Internal : GrpcStatus.Ok
    const before = call.state
    const wrong = call.step(word.replace("!", "") as Input, code)
    if (wrong === undefined) continue
    assert.strictEqual(call.state, before)
    return `${wrong._tag} ${wrong.fault} ${GrpcStatus.nameOf(wrong.code)}: ${wrong.message}`
  }
  return call.state
}

describe("paths", () => {
  const one = "RequestHead RequestMessage RequestEnd"
  const rows: ReadonlyArray<readonly [rule: string, kind: Kind, path: string, end: string]> = [
    ["a unary call", "unary", `${one} ResponseHead ResponseMessage Trailers`, "Ended"],
    ["a unary call that fails", "unary", `${one} TrailersOnly!`, "Ended"],
    ["a unary call that fails behind its head", "unary", `${one} ResponseHead Trailers!`, "Ended"],
    ["a unary call that fails at once", "unary", "RequestHead TrailersOnly! RequestMessage RequestEnd", "Ended"],
    [
      "a stream of responses",
      "server_streaming",
      `${one} ResponseHead ResponseMessage ResponseMessage Trailers`,
      "Ended"
    ],
    ["an empty stream of responses", "server_streaming", `${one} TrailersOnly`, "Ended"],
    [
      "a stream of requests",
      "client_streaming",
      "RequestHead RequestMessage RequestMessage RequestEnd ResponseHead ResponseMessage Trailers",
      "Ended"
    ],
    [
      "a stream of requests that is answered early",
      "client_streaming",
      "RequestHead RequestMessage ResponseHead ResponseMessage Trailers RequestMessage RequestEnd",
      "Ended"
    ],
    [
      "messages both ways in turn",
      "bidi_streaming",
      "RequestHead ResponseHead RequestMessage ResponseMessage RequestMessage ResponseMessage RequestEnd ResponseMessage Trailers",
      "Ended"
    ],
    ["nothing both ways", "bidi_streaming", "RequestHead RequestEnd ResponseHead Trailers", "Ended"],
    ["cancelled before it began", "unary", "Cancel", "Aborted"],
    [
      "cancelled, with a response on its way",
      "unary",
      `${one} Cancel ResponseHead ResponseMessage Trailers`,
      "Aborted"
    ],
    ["too late", "unary", "RequestHead Deadline RequestMessage", "Aborted"],
    ["cut off", "bidi_streaming", "RequestHead ResponseHead Lost Cancel", "Aborted"],
    ["cut off behind its status", "unary", `${one} TrailersOnly! Lost`, "Ended"],
    ["half-closed", "unary", one, "AwaitingResponse"],
    ["answered before it is half-closed", "bidi_streaming", "RequestHead ResponseHead RequestEnd", "Responding"]
  ]
  for (const [rule, kind, path, end] of rows) {
    it(rule, () => {
      for (const role of ["client", "server"] as const) assert.strictEqual(walk(kind, role, path), end)
    })
  }
})

describe("what breaks the order is the fault of who did it", () => {
  const rows: ReadonlyArray<readonly [rule: string, path: string, party: "client" | "server", message: string]> = [
    [
      "a message behind the half-close",
      "RequestHead RequestMessage RequestEnd RequestMessage",
      "client",
      "RequestMessage by the client in the state AwaitingResponse"
    ],
    [
      "a message before the head",
      "RequestMessage",
      "client",
      "RequestMessage by the client in the state AwaitingRequest"
    ],
    ["a response to nothing", "ResponseHead", "server", "ResponseHead by the server in the state AwaitingRequest"],
    [
      "a message before the response's head",
      "RequestHead ResponseMessage",
      "server",
      "ResponseMessage by the server in the state Requesting"
    ],
    [
      "trailers alone behind a head",
      "RequestHead ResponseHead TrailersOnly",
      "server",
      "TrailersOnly by the server in the state BothWays"
    ],
    [
      "a second head",
      "RequestHead ResponseHead ResponseHead",
      "server",
      "ResponseHead by the server in the state BothWays"
    ],
    ["a second status", "RequestHead TrailersOnly! Trailers", "server", "Trailers by the server in the state Ended"]
  ]
  for (const [rule, path, party, message] of rows) {
    it(rule, () => {
      for (const role of ["client", "server"] as const) {
        const fault = role === party ? "caller" : "peer"
        assert.strictEqual(walk("bidi_streaming", role, path), `OutOfOrder ${fault} INTERNAL: ${message}`)
      }
    })
  }
})

describe("gRPC statuscodes: cardinality violations are UNIMPLEMENTED", () => {
  const one = "RequestHead RequestMessage RequestEnd"
  const rows: ReadonlyArray<
    readonly [kinds: ReadonlyArray<Kind>, path: string, party: "client" | "server", words: string]
  > = [
    [["unary", "server_streaming"], "RequestHead RequestEnd", "client", "one request message, but there were none"],
    [
      ["unary", "server_streaming"],
      "RequestHead RequestMessage RequestMessage",
      "client",
      "one request message, but there were several"
    ],
    [
      ["unary", "client_streaming"],
      `${one} ResponseHead Trailers`,
      "server",
      "one response message, but there were none"
    ],
    [["unary", "client_streaming"], `${one} TrailersOnly`, "server", "one response message, but there were none"],
    [
      ["unary", "client_streaming"],
      `${one} ResponseHead ResponseMessage ResponseMessage`,
      "server",
      "one response message, but there were several"
    ]
  ]
  for (const [kinds, path, party, words] of rows) {
    it(`${words}: ${path}`, () => {
      for (const kind of ["unary", "client_streaming", "server_streaming", "bidi_streaming"] as const) {
        const fault = party === "server" ? "caller" : "peer"
        const found = walk(kind, "server", path)
        if (kinds.includes(kind)) {
          assert.strictEqual(found, `WrongMessageCount ${fault} UNIMPLEMENTED: the method has ${words}`)
        } else assert.notInclude(found, "WrongMessageCount")
      }
    })
  }
  it("are not looked for behind the end", () =>
    assert.strictEqual(walk("unary", "server", "RequestHead TrailersOnly! RequestMessage RequestMessage"), "Ended"))
})

it("the whole table", () => {
  const short: Readonly<Record<string, string>> = { ClientFault: "C!", ServerFault: "S!" }
  const rows = states.map((state) => {
    const row = inputs.map((input) => transitions[state][input])
    return `${state}: ${row.map((next) => (next === state ? "=" : (short[next] ?? next))).join(" ")}`
  })
  assert.deepStrictEqual(
    [inputs.join(" "), ...rows],
    [
      "RequestHead RequestMessage RequestEnd ResponseHead ResponseMessage Trailers TrailersOnly Cancel Deadline Lost",
      "AwaitingRequest: Requesting C! C! S! S! S! S! Aborted Aborted Aborted",
      "Requesting: C! = AwaitingResponse BothWays S! S! Ended Aborted Aborted Aborted",
      "AwaitingResponse: C! C! C! Responding S! S! Ended Aborted Aborted Aborted",
      "BothWays: C! = Responding S! = Ended S! Aborted Aborted Aborted",
      "Responding: C! C! C! S! = Ended S! Aborted Aborted Aborted",
      "Ended: C! = = S! S! S! S! = = =",
      "Aborted: = = = = = = = = = ="
    ]
  )
})

it("the ends are absorbing", () => {
  for (const state of ["Ended", "Aborted"] as const) {
    for (const input of inputs) assert.include([state, "ClientFault", "ServerFault"], transitions[state][input])
  }
})

it("who may go on is what the table lets pass", () => {
  for (const state of states) {
    const call = new GrpcCallState("client", "bidi_streaming")
    call.state = state
    assert.strictEqual(call.isOver, state === "Ended" || state === "Aborted")
    const isPassed = transitions[state].RequestMessage !== "ClientFault"
    assert.strictEqual(call.isRequesting, isPassed && !call.isOver)
  }
})
