/**
 * The negotiation of `permessage-deflate` (RFC 7692 §7.1): what a client
 * offers, what a server makes of it, and whether the client can take that.
 *
 * ```text
 * offer    permessage-deflate; client_max_window_bits; server_no_context_takeover
 * answer   permessage-deflate; server_no_context_takeover; client_max_window_bits=12
 * ```
 *
 * @since 0.1.0
 */
import type { Extension } from "./WebSocketExtensions.ts"

/**
 * What both sides do, once agreed on.
 *
 * @category models
 */
export interface Parameters {
  readonly server: Side
  readonly client: Side
}

/** How one side compresses. @category models */
export interface Side {
  /**
   * `keep`: a message may refer to those before it, and each side holds a
   * window of them. `reset`: each message stands alone.
   */
  readonly context: "keep" | "reset"
  /** The base-2 logarithm of the window, 8 to 15. */
  readonly windowBits: number
}

/** @category options */
export interface Options {
  /**
   * Whether the server's messages may refer to earlier ones. `keep` compresses
   * similar small messages far better, and costs up to 32 KiB a connection on
   * both sides and some 90 microseconds a message. Default `reset`.
   */
  readonly serverContext?: "keep" | "reset" | undefined
  /** The same for the client's messages, which are only inflated here. Default `reset`. */
  readonly clientContext?: "keep" | "reset" | undefined
  /** The largest window of the server's messages, 8 to 15. Default 15, 32 KiB. */
  readonly serverWindowBits?: number | undefined
  /** The largest window of the client's messages, 8 to 15. Default 15, 32 KiB. */
  readonly clientWindowBits?: number | undefined
}

/** @category constants */
export const extensionName = "permessage-deflate"

/**
 * A client's offer: what it wants at most, and that it understands
 * `client_max_window_bits`. Throws a `RangeError` for window bits out of range.
 *
 * @category negotiating
 */
export const offer = (options?: Options): Extension => {
  const wanted = resolve(options)
  const parameters: Array<readonly [string, string | undefined]> = []
  if (wanted.server.context === "reset") parameters.push([serverReset, undefined])
  if (wanted.client.context === "reset") parameters.push([clientReset, undefined])
  if (wanted.server.windowBits < 15) parameters.push([serverBits, String(wanted.server.windowBits)])
  parameters.push([clientBits, wanted.client.windowBits < 15 ? String(wanted.client.windowBits) : undefined])
  return { name: extensionName, parameters }
}

/** @category models */
export interface Agreement {
  readonly parameters: Parameters
  /** The extension of the answer. */
  readonly answer: Extension
}

/**
 * A server's answer to the first offer that it can take (RFC 7692 §5: "the
 * client lists offers in order of preference"); `undefined` where there is
 * none, and messages go as they are. Throws a `RangeError` for window bits of
 * its own out of range.
 *
 * @category negotiating
 */
export const choose = (extensions: ReadonlyArray<Extension>, options?: Options): Agreement | undefined => {
  const wanted = resolve(options)
  for (const extension of extensions) {
    if (extension.name !== extensionName) continue
    const offered = read(extension, "offer")
    if (offered !== undefined) return agree(offered, wanted)
  }
  return undefined
}

/**
 * What a server's answer means to the client that sent `offered`; `undefined`
 * where it is no answer to that offer, and the connection must fail.
 *
 * @category negotiating
 */
export const confirm = (offered: Extension, answer: Extension): Parameters | undefined => {
  const asked = read(offered, "offer")
  const given = answer.name === extensionName ? read(answer, "answer") : undefined
  if (asked === undefined || given === undefined) return undefined
  // RFC 7692 §7.1.1.1: the server accepts by "including the parameter in the response".
  if (asked.serverReset && !given.serverReset) return undefined
  // RFC 7692 §7.1.2.1: the answer has "the same or smaller value as the offer".
  if ((given.serverBits ?? 15) > (asked.serverBits ?? 15)) return undefined
  // RFC 7692 §7.1.2.2: a server "MUST NOT include" what was not offered, nor more than was.
  if (given.clientBits !== undefined && given.clientBits > (asked.clientBits ?? 0)) return undefined
  return {
    server: { context: given.serverReset ? "reset" : "keep", windowBits: given.serverBits ?? 15 },
    client: {
      // A client may reset without being asked to: RFC 7692 §7.1.1.2.
      context: given.clientReset || asked.clientReset ? "reset" : "keep",
      windowBits: Math.min(given.clientBits ?? 15, asked.clientBits ?? 15)
    }
  }
}

const serverReset = "server_no_context_takeover"
const clientReset = "client_no_context_takeover"
const serverBits = "server_max_window_bits"
const clientBits = "client_max_window_bits"

/** The parameters of one extension, as they were read; `undefined` bits were not there. */
interface Read {
  readonly serverReset: boolean
  readonly clientReset: boolean
  readonly serverBits: number | undefined
  readonly clientBits: number | undefined
}

/**
 * RFC 7692 §7.1: an offer or answer with an unknown parameter, a value that is
 * not allowed, or the same parameter twice is not to be accepted.
 */
const read = ({ parameters }: Extension, where: "offer" | "answer"): Read | undefined => {
  const values = new Map<string, string | undefined>(parameters)
  if (values.size !== parameters.length) return undefined
  for (const [name, value] of values) {
    if (name === serverReset || name === clientReset) {
      if (value !== undefined) return undefined
    } else if (name === serverBits || name === clientBits) {
      // RFC 7692 §7.1.2.2: only in an offer may client_max_window_bits be without a value.
      const isBare = value === undefined && name === clientBits && where === "offer"
      if (!isBare && !bitsForm.test(value ?? "")) return undefined
    } else return undefined
  }
  const bits = (name: string) => (values.has(name) ? Number(values.get(name) ?? 15) : undefined)
  return {
    serverReset: values.has(serverReset),
    clientReset: values.has(clientReset),
    serverBits: bits(serverBits),
    clientBits: bits(clientBits)
  }
}

/** RFC 7692 §7.1.2: "a decimal integer value without leading zeroes between 8 to 15, inclusive". */
const bitsForm = /^(?:[89]|1[0-5])$/

const agree = (offered: Read, wanted: Parameters): Agreement => {
  const parameters: Parameters = {
    server: {
      context: offered.serverReset ? "reset" : wanted.server.context,
      windowBits: Math.min(offered.serverBits ?? 15, wanted.server.windowBits)
    },
    client: {
      context: offered.clientReset ? "reset" : wanted.client.context,
      // A client that does not offer the parameter cannot be held to it: 32 KiB then.
      windowBits: offered.clientBits === undefined ? 15 : Math.min(offered.clientBits, wanted.client.windowBits)
    }
  }
  const answer: Array<readonly [string, string | undefined]> = []
  if (parameters.server.context === "reset") answer.push([serverReset, undefined])
  if (parameters.client.context === "reset") answer.push([clientReset, undefined])
  if (offered.serverBits !== undefined || parameters.server.windowBits < 15) {
    answer.push([serverBits, String(parameters.server.windowBits)])
  }
  if (offered.clientBits !== undefined && parameters.client.windowBits < 15) {
    answer.push([clientBits, String(parameters.client.windowBits)])
  }
  return { parameters, answer: { name: extensionName, parameters: answer } }
}

const resolve = (options: Options | undefined): Parameters => ({
  server: { context: options?.serverContext ?? "reset", windowBits: bits("server", options?.serverWindowBits) },
  client: { context: options?.clientContext ?? "reset", windowBits: bits("client", options?.clientWindowBits) }
})

const bits = (side: "server" | "client", value = 15): number => {
  if (Number.isInteger(value) && value >= 8 && value <= 15) return value
  throw new RangeError(`${side}WindowBits must be from 8 to 15, but is ${value}`)
}
