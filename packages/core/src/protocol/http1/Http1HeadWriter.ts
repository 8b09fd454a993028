/**
 * Heads to send. Framing and the connection's own fields are written by the
 * engine, which alone knows how the message goes on; all others are the
 * caller's, and are checked, so that no value can split a message (RFC 9112
 * §11.1).
 *
 * Hot path: `bench/` rows "http1". Fields that are sent often can be prepared
 * once, and are then one text.
 *
 * @since 0.1.0
 */
import * as HttpContentLength from "../http/HttpContentLength.ts"
import type { FieldsInput } from "../http/HttpField.ts"
import * as HttpField from "../http/HttpField.ts"
import * as HttpMessage from "../http/HttpMessage.ts"
import * as HttpTarget from "../http/HttpTarget.ts"
import { InvalidMessage } from "./Http1Error.ts"

/**
 * Fields that were checked: see {@link prepare}.
 *
 * @category models
 */
export class PreparedFields {
  /** All but those below, each line with its CR LF. */
  lines = ""
  /** `Content-Length`. */
  lengthBytes: number | undefined = undefined
  /** `Host`; only for requests. */
  host: string | undefined = undefined
  /** The options of `Connection` that are not the engine's own, each behind a comma. */
  options = ""
  /** Whether `Connection` has `close`; whether there is a `Date`, and an `Upgrade`. */
  closes = false
  hasDate = false
  hasUpgrade = false
}

/**
 * Checks fields, for one or many messages. `Connection: close` is understood;
 * its `keep-alive` is dropped, as is `Transfer-Encoding: chunked`: the engine
 * says both when they are true. Other transfer codings are refused.
 *
 * @category preparing
 */
export const prepare = (fields: FieldsInput): PreparedFields | InvalidMessage => {
  const prepared = new PreparedFields()
  for (const name of Object.keys(fields)) {
    const value = fields[name]
    if (value === undefined) continue
    const known = knownNames.get(name) ?? learn(name)
    if (known === undefined) return new InvalidMessage(`${JSON.stringify(name)} is no field name`)
    if (typeof value !== "string") {
      for (const one of value) {
        const refusal = add(prepared, known, name, one)
        if (refusal !== undefined) return refusal
      }
      continue
    }
    const refusal = add(prepared, known, name, value)
    if (refusal !== undefined) return refusal
  }
  return prepared
}

/** `HTTP/1.1 200 OK`, with its CR LF; the registered phrase where none is given. @category writing */
export const statusLine = (status: number, phrase: string | undefined): string | InvalidMessage => {
  if (phrase === undefined || phrase === "") return statusLines[status] ?? makeStatusLine(status)
  if (!HttpMessage.isStatus(status)) return new InvalidMessage(`${status} is no status`)
  if (!HttpField.isValue(phrase)) return new InvalidMessage("the reason phrase has a character that it cannot have")
  return `HTTP/1.1 ${status} ${phrase}\r\n`
}

/** `GET /path HTTP/1.1`, with its CR LF. @category writing */
export const requestLine = (method: string, target: string): string | InvalidMessage => {
  if (!HttpField.isToken(method)) return new InvalidMessage(`${JSON.stringify(method)} is no method`)
  if (!HttpTarget.isTarget(target) || HttpTarget.formOf(method, target) === undefined) {
    return new InvalidMessage(`${JSON.stringify(target)} is no request target for ${method}`)
  }
  return `${method} ${target} HTTP/1.1\r\n`
}

/**
 * The `Connection` line, empty where nothing is to be said: `close`,
 * `keep-alive` (which only HTTP/1.0 needs to hear), `upgrade`, and the
 * caller's options.
 *
 * @category writing
 */
export const connectionLine = (prepared: PreparedFields, own: "" | "close" | "keep-alive"): string => {
  if (prepared.options === "" && !prepared.hasUpgrade) return own === "" ? "" : `connection: ${own}\r\n`
  const options = (own === "" ? "" : `, ${own}`) + (prepared.hasUpgrade ? ", upgrade" : "") + prepared.options
  return `connection: ${options.slice(2)}\r\n`
}

const statusLines: Array<string> = []

const makeStatusLine = (status: number): string | InvalidMessage => {
  if (!HttpMessage.isStatus(status)) return new InvalidMessage(`${status} is no status`)
  const line = ["HTTP/1.1 ", status, " ", HttpMessage.reasonPhrase(status), "\r\n"].join("")
  statusLines[status] = line
  return line
}

/** A name that was checked, and the last line that was made with it: most responses of a program say the same again. */
interface KnownName {
  /** In lower case, where the field is the engine's own, or is looked at by it. */
  readonly own: string | undefined
  /** How long a value may be to be kept: those of secrets are not. */
  readonly longestValue: number
  /** Of the caller's fields: the last value that was kept. */
  value: string | undefined
  line: string
}

const knownNames = new Map<string, KnownName>()

/** Names are the program's words, and few. */
const mostKnownNames = 256
const longestKnownValue = 256

const ownNames: ReadonlySet<string> = /*#__PURE__*/ new Set([
  "connection",
  "content-length",
  "date",
  "host",
  "transfer-encoding",
  "upgrade"
])

const learn = (name: string): KnownName | undefined => {
  if (!HttpField.isName(name)) return undefined
  const lower = name.toLowerCase()
  const known: KnownName = {
    own: ownNames.has(lower) ? lower : undefined,
    longestValue: HttpField.isSecretName(lower) ? -1 : longestKnownValue,
    value: undefined,
    line: ""
  }
  if (knownNames.size < mostKnownNames) knownNames.set(name, known)
  return known
}

const add = (prepared: PreparedFields, known: KnownName, name: string, value: string): InvalidMessage | undefined => {
  if (value === known.value) {
    prepared.lines += known.line
    return undefined
  }
  if (!HttpField.isValue(value)) {
    return new InvalidMessage(`the value of ${name} has a character that no field can have`)
  }
  if (known.own !== undefined) return addOwn(prepared, known.own, name, value)
  const line = `${name}: ${value}\r\n`
  prepared.lines += line
  if (value.length <= known.longestValue) {
    known.value = value
    known.line = line
  }
  return undefined
}

const addOwn = (prepared: PreparedFields, own: string, name: string, value: string): InvalidMessage | undefined => {
  switch (own) {
    case "content-length":
      if (prepared.lengthBytes !== undefined) return new InvalidMessage("Content-Length is there twice")
      prepared.lengthBytes = HttpContentLength.parse(value)
      return prepared.lengthBytes === undefined ? new InvalidMessage("Content-Length is no number") : undefined
    case "transfer-encoding":
      return value.toLowerCase() === "chunked" ? undefined : new InvalidMessage(`the transfer coding ${value}`)
    case "connection":
      return addOptions(prepared, value)
    case "host":
      if (prepared.host !== undefined) return new InvalidMessage("Host is there twice")
      if (!HttpTarget.isAuthority(value, "optional")) return new InvalidMessage("Host is no host")
      prepared.host = value
      return undefined
    case "date":
      prepared.hasDate = true
      break
    case "upgrade":
      prepared.hasUpgrade = true
      break
  }
  prepared.lines += `${name}: ${value}\r\n`
  return undefined
}

const addOptions = (prepared: PreparedFields, value: string): InvalidMessage | undefined => {
  for (const item of value.split(",")) {
    const option = HttpField.trim(item, 0, item.length)
    const word = option.toLowerCase()
    if (word === "close") prepared.closes = true
    else if (word !== "keep-alive" && word !== "upgrade" && word !== "") {
      if (!HttpField.isToken(option)) return new InvalidMessage(`${JSON.stringify(option)} is no connection option`)
      prepared.options += `, ${option}`
    }
  }
  return undefined
}
