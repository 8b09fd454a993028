/**
 * Calls of gRPC, grpc-web and Connect as a seed has them: right ones, and such
 * with one mistake, with what a server may answer.
 *
 * @since 0.1.0
 */
import * as Zlib from "node:zlib"
import * as GrpcPeer from "../harness/GrpcPeer.ts"
import * as World from "../harness/GrpcServerWorld.ts"
import type * as Wire from "../harness/Http2Wire.ts"
import * as Words from "./GrpcWords.ts"
import type { Random } from "./Http2Traffic.ts"

export type Form = "grpc" | "web" | "web-text" | "connect"

export interface Plan {
  readonly form: Form
  readonly head: Wire.Fields
  readonly body: Uint8Array
  /** What may come of it: `grpc 5`, `http 415`. Empty: it has no end by itself. */
  readonly expected: ReadonlyArray<string>
  /** What is wrong, or right, for who reads a failure. */
  readonly about: string
}

/** Above: RESOURCE_EXHAUSTED. */
export const maxReceiveBytes = 20_000

/** A deadline that is over before the run is. */
const shortTimeout = "700m"

const methods = ["SayHello", "StreamHellos", "CollectHellos", "ChatHellos"] as const

type Method = (typeof methods)[number]

/** The code of a call whose requests are these. */
const codeOf = (method: Method, names: ReadonlyArray<string>): number => {
  for (const name of names) {
    if (name === "early") return 0
    const code = Words.words[name as Words.Word]
    if (code === 13 && method === "CollectHellos") continue
    if (code !== undefined) return code
  }
  return 0
}

interface Draft {
  readonly method: Method
  readonly names: ReadonlyArray<string>
  readonly fields: Record<string, string>
  messages: Array<Uint8Array>
  path: string
  expected: ReadonlyArray<string>
  about: string
}

const takesMany = (method: Method): boolean => method === "CollectHellos" || method === "ChatHellos"

const draftOf = (random: Random): Draft => {
  const method = random.pick(methods)
  const word = (): string => (random.chance(3) ? random.pick(Words.all) : random.pick(["ok", "later", "meta"]))
  const names = takesMany(method)
    ? random.list(random.pick([2, 6]), () => (random.chance(12) ? "early" : word()))
    : [method === "StreamHellos" && random.chance(6) ? "endless" : word()]
  const code = names[0] === "endless" ? 4 : codeOf(method, names)
  const waits = code === 4 || random.chance(8)
  return {
    method,
    names,
    // A handler that hangs has a deadline, mostly.
    fields: waits && !random.chance(6) ? { "grpc-timeout": shortTimeout } : {},
    messages: names.map((name) => World.text(name)),
    path: `/hello.Greeter/${method}`,
    expected: [`grpc ${code}`],
    about: `${method} ${names.join(" ")}`
  }
}

/** What a mistake does to a call. */
type Mistake = (draft: Draft, random: Random) => void

/** The call may end by its names, too, where those come first. */
const orElse = (draft: Draft, ...codes: ReadonlyArray<number>): void => {
  const expected = codes.map((code) => `grpc ${code}`)
  draft.expected = takesMany(draft.method) ? [...draft.expected, ...expected] : expected
}

const instead = (draft: Draft, ...expected: ReadonlyArray<string>): void => {
  draft.expected = expected
}

/** Puts `bytes` somewhere between the messages, or in the place of the only one. */
const insert = (draft: Draft, random: Random, bytes: Uint8Array): void => {
  if (takesMany(draft.method)) draft.messages.splice(random.below(draft.messages.length + 1), 0, bytes)
  else draft.messages = [bytes]
}

const mistakes: Readonly<Record<string, Mistake>> = {
  "a timeout of nothing": (draft) => {
    draft.fields["grpc-timeout"] = "0m"
    instead(draft, "grpc 4")
  },
  "a timeout that is none": (draft, random) => {
    draft.fields["grpc-timeout"] = random.pick(["1", "S", "-1S", "123456789S", "1.5S", "1 S", "x".repeat(100)])
    instead(draft, "grpc 13")
  },
  "a tiny timeout": (draft, random) => {
    draft.fields["grpc-timeout"] = random.pick(["1n", "1u", "1m"])
    orElse(draft, 4)
    instead(draft, ...draft.expected, "grpc 4", `grpc ${codeOf(draft.method, draft.names)}`)
  },
  "an unknown encoding": (draft, random) => {
    draft.fields["grpc-encoding"] = random.pick(["br", "x", "GZIP,gzip"])
    instead(draft, "grpc 12")
  },
  "an unknown path": (draft, random) => {
    draft.path = random.pick(["/hello.Greeter/Nope", "/nope.Nope/Say", "/", "//", "/hello.Greeter", "/?/hello.Greeter"])
    instead(draft, "grpc 12")
  },
  "another content type": (draft, random) => {
    draft.fields["content-type"] = random.pick(["application/grpc+json", "application/grpc-x", "text/plain", "x"])
    instead(draft, "http 415")
  },
  "another method": (draft, random) => {
    draft.fields[":method"] = random.pick(["GET", "PUT", "OPTIONS"])
    instead(draft, "http 405")
  },
  "a wrong flag": (draft, random) => {
    insert(draft, random, World.message("0a026f6b", 2 + random.below(254)))
    orElse(draft, 13)
  },
  "compressed without an encoding": (draft, random) => {
    insert(draft, random, World.message(Zlib.gzipSync("x"), 1))
    orElse(draft, 13)
  },
  "no protobuf": (draft, random) => {
    insert(
      draft,
      random,
      World.message(random.pick(["0aff", "0a05", "ff", "0a01ff", "0affffffff0f", "07", "0800000f"]))
    )
    orElse(draft, 13)
    // Some of it is: fields that are not known.
    if (!takesMany(draft.method)) instead(draft, "grpc 13", "grpc 0")
  },
  "a message above the limit": (draft, random) => {
    const bytes = World.message(new Uint8Array(10))
    new DataView(bytes.buffer).setUint32(1, random.pick([maxReceiveBytes + 1, 2 ** 31, 2 ** 32 - 1]))
    insert(draft, random, bytes)
    orElse(draft, 8)
  },
  "a message that is cut": (draft, random) => {
    const bytes = World.text("cut short")
    draft.messages.push(bytes.subarray(0, 1 + random.below(bytes.length - 1)))
    if (!takesMany(draft.method)) draft.messages = draft.messages.slice(-1)
    orElse(draft, 13)
  },
  "another count of messages": (draft, random) => {
    if (takesMany(draft.method)) return
    draft.messages = random.pick([[], [World.text("ok"), World.text("ok")]])
    instead(draft, "grpc 12", "grpc 13")
  },
  "a bomb": (draft, random) => {
    draft.fields["grpc-encoding"] = "gzip"
    insert(draft, random, World.message(Zlib.gzipSync(new Uint8Array(random.pick([maxReceiveBytes + 1, 500_000]))), 1))
    orElse(draft, 8)
  },
  "compressed garbage": (draft, random) => {
    draft.fields["grpc-encoding"] = random.pick(["gzip", "deflate", "zstd"])
    const bytes = Zlib.gzipSync("garbage")
    insert(draft, random, World.message(bytes.subarray(0, random.below(bytes.length)), 1))
    orElse(draft, 13)
  }
}

const names = Object.keys(mistakes)

/** What changes nothing. */
const varied = (draft: Draft, random: Random): void => {
  const { fields } = draft
  if (random.chance(4)) draft.path += random.pick(["?", "?a=b", "?/"])
  if (random.chance(4)) fields["content-type"] = random.pick(["application/grpc+proto", "application/grpc;a=b"])
  if (random.chance(6)) fields.te = ""
  if (random.chance(4)) fields["x-in-bin"] = random.pick(["AQI", "!!", "AQ==,AQ"])
  if (random.chance(4)) fields["grpc-previous-rpc-attempts"] = random.pick(["1", "-1", "99999999999"])
  if (random.chance(3)) fields["grpc-accept-encoding"] = random.pick(["gzip", "gzip,deflate", "br", ",,"])
  if (!random.chance(3)) return
  const encoding = random.pick(["gzip", "deflate", "zstd"] as const)
  const compress = { gzip: Zlib.gzipSync, deflate: Zlib.deflateSync, zstd: Zlib.zstdCompressSync }[encoding]
  fields["grpc-encoding"] = encoding
  draft.messages = draft.messages.map((bytes) =>
    random.chance(2) ? bytes : World.message(new Uint8Array(compress(bytes.subarray(5))), 1)
  )
}

const grpc = (random: Random, form: "grpc" | "web" | "web-text"): Plan => {
  const draft = draftOf(random)
  const kind = random.below(4)
  if (kind < 2) varied(draft, random)
  else if (kind === 2) {
    const name = random.pick(names)
    mistakes[name]!(draft, random)
    draft.about += `: ${name}`
  }
  const { fields } = draft
  if (form !== "grpc" && !draft.expected[0]!.startsWith("http")) {
    fields["content-type"] = `application/grpc-${form}${random.pick(["", "+proto"])}`
  }
  const hangs = draft.expected.includes("grpc 4") && fields["grpc-timeout"] === undefined
  const bytes = World.join(...draft.messages)
  return {
    form,
    head: GrpcPeer.head(draft.path, fields),
    body: form === "web-text" ? textOf(random, bytes) : bytes,
    expected: hangs ? [] : draft.expected,
    about: `${form} ${draft.about}`
  }
}

/** In parts with their own padding; and sometimes it is none. */
const textOf = (random: Random, bytes: Uint8Array): Uint8Array => {
  let text = ""
  for (let at = 0; at < bytes.length; ) {
    const end = random.chance(2) ? bytes.length : at + 1 + random.below(10)
    text += Buffer.from(bytes.subarray(at, end)).toString("base64")
    at = end
  }
  return Buffer.from(text)
}

const spoilt = ["=", "A", "A===", "AAA=A", "AA A", "!!!!", "AAAAA"]

/** HTTP statuses of Connect. */
const httpOf: Readonly<Record<number, number>> = { 0: 200, 1: 499, 2: 500, 4: 504, 5: 404, 13: 500 }

const connect = (random: Random): Plan => {
  const word = random.pick(Words.all)
  const fields: Record<string, string> = { "content-type": "application/json", te: "" }
  let body: Uint8Array | string = JSON.stringify({ name: word })
  let expected: ReadonlyArray<string> = [`http ${httpOf[Words.words[word] ?? 0]}`]
  if (word === "hang") fields["connect-timeout-ms"] = "700"
  switch (random.below(9)) {
    case 0:
      body = random.pick(["", "{", "[]", "null", '{"name":1}', Uint8Array.of(0x22, 0xff), "\x00", '{"name":"ok"}}'])
      expected = ["http 400"]
      break
    case 1:
      body = `{"x":${"[".repeat(9_000)}${"]".repeat(9_000)}}`
      expected = ["http 200", "http 400"]
      break
    case 2:
      body = `{"name":"${"x".repeat(maxReceiveBytes)}"}`
      expected = ["http 429"]
      break
    case 3:
      fields["content-encoding"] = "gzip"
      body = new Uint8Array(Zlib.gzipSync(body))
      break
    case 4:
      fields["content-encoding"] = "gzip"
      body = random.pick(["x", new Uint8Array(Zlib.gzipSync(new Uint8Array(1_000_000)))])
      expected = body === "x" ? ["http 400", "http 500"] : ["http 429"]
      break
    case 5:
      fields["connect-timeout-ms"] = random.pick(["x", "-1", "12345678901", "0"])
      expected = fields["connect-timeout-ms"] === "0" ? ["http 504"] : ["http 400"]
      break
    case 6:
      fields["content-type"] = random.pick(["application/xml", "application/connect+json"])
      expected = ["http 415"]
      break
  }
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body
  return {
    form: "connect",
    head: GrpcPeer.head("/hello.Greeter/SayHello", fields),
    body: bytes,
    expected,
    about: `connect ${JSON.stringify(fields)} ${bytes.length < 100 ? Buffer.from(bytes).toString("latin1") : ""}`
  }
}

export const make = (random: Random): Plan => {
  const kind = random.below(12)
  if (kind < 7) return grpc(random, "grpc")
  if (kind < 8) return grpc(random, "web")
  if (kind < 10) {
    const plan = grpc(random, "web-text")
    if (!random.chance(4) || plan.body.length === 0) return plan
    const body = Buffer.concat([plan.body, Buffer.from(random.pick(spoilt))])
    const expected = plan.expected.length === 0 ? [] : [...plan.expected, "grpc 13"]
    return { ...plan, body, expected, about: `${plan.about} (spoilt)` }
  }
  return connect(random)
}
