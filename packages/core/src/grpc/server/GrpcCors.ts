/**
 * Which pages may call from other origins: the CORS protocol (Fetch §3.2) for
 * calls of grpc-web and Connect.
 *
 * A browser asks first, with a preflight, for each call that a form could not
 * send as well: all of grpc-web, and all of Connect but GET. It is answered for
 * the paths of methods that the server has. Every header that the page wants to
 * send is allowed to it, unless `headers` names some; and it may read all that
 * a reply has in its head.
 *
 * Give grpc-web and Connect the same options where both are spoken: a preflight
 * does not say which of them it is for, and is answered by the first.
 *
 * A page of an origin that is not allowed gets the same answers without the
 * fields of CORS: its browser then sends no call, or hides the answer. That is
 * the browser's doing, for its user: others than browsers are not kept out.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as HttpField from "../../protocol/http/HttpField.ts"
import type { HttpExchange } from "../../session/HttpExchange.ts"
import type { GrpcMethod } from "../GrpcMethod.ts"

/** @category options */
export interface Options {
  /**
   * Origins that may call, as browsers write them: `https://app.example`,
   * `http://localhost:5173`. `any`: all of them. A function is asked for each
   * request; where it throws, the origin may not. Default: none.
   */
  readonly origins?: "any" | ReadonlyArray<string> | ((origin: string) => boolean) | undefined
  /**
   * Whether the page's cookies and certificates come with its calls. `include`
   * does not go with `any` origin: that would be every page that a user opens.
   * Default `omit`.
   */
  readonly credentials?: "omit" | "include" | undefined
  /**
   * Metadata that pages may send, beside the headers of the protocols
   * themselves. `any`: what they ask for. Default `any`.
   */
  readonly headers?: "any" | ReadonlyArray<string> | undefined
  /** Fields that pages may read beside those of the reply itself: what a proxy adds. Default: none. */
  readonly exposedHeaders?: ReadonlyArray<string> | undefined
  /**
   * How long a browser remembers the answer to a preflight. From 0; browsers
   * have limits of their own, of 10 minutes to a day. Default 2 hours.
   */
  readonly maxAge?: Duration.Input | undefined
}

/** @category models */
export class GrpcCors {
  private readonly isAllowed: (origin: string) => boolean
  private readonly allowOrigin: "any" | "each"
  private readonly credentials: "omit" | "include"
  private readonly headers: "any" | string
  private readonly exposed: ReadonlyArray<string>
  private readonly maxAgeText: string

  /** Use {@link make}. */
  constructor(options: Options) {
    const { credentials = "omit", exposedHeaders = [], headers = "any", maxAge = "2 hours", origins = [] } = options
    if (origins === "any" && credentials === "include") {
      throw new RangeError("credentials are not for any origin: name the origins")
    }
    this.isAllowed = predicateOf(origins)
    this.allowOrigin = origins === "any" ? "any" : "each"
    this.credentials = credentials
    this.headers = headers === "any" ? headers : [...protocolHeaders, ...headers.map(nameOf)].join(", ")
    this.exposed = exposedHeaders.map(nameOf)
    this.maxAgeText = String(secondsOf(maxAge))
  }

  /** Answers a preflight for `method`; `false`: it is none, and nothing was done. */
  preflight(exchange: HttpExchange, method: GrpcMethod | undefined): boolean {
    if (method === undefined || exchange.method !== "OPTIONS") return false
    if (exchange.header("access-control-request-method") === undefined) return false
    const headers: Record<string, string> = { vary: preflightVary }
    const origin = this.originFor(exchange)
    if (origin !== undefined) {
      headers["access-control-allow-origin"] = origin
      headers["access-control-allow-methods"] = method.idempotency === "no_side_effects" ? "POST, GET" : "POST"
      const allowed = this.allowedHeaders(exchange.header("access-control-request-headers"))
      if (allowed !== "") headers["access-control-allow-headers"] = allowed
      headers["access-control-max-age"] = this.maxAgeText
      if (this.credentials === "include") headers["access-control-allow-credentials"] = "true"
    }
    exchange.respond({ status: 204, headers }, undefined)
    return true
  }

  /** The head of a reply with what its page needs. */
  withFields(exchange: HttpExchange, fields: HttpField.FieldsInput): HttpField.FieldsInput {
    const origin = this.originFor(exchange)
    const vary = this.allowOrigin === "any" ? fields.vary : withOrigin(fields.vary)
    if (origin === undefined) return vary === undefined ? fields : { ...fields, vary }
    return {
      ...fields,
      vary,
      "access-control-allow-origin": origin,
      "access-control-allow-credentials": this.credentials === "include" ? "true" : undefined,
      "access-control-expose-headers": this.exposedOf(fields)
    }
  }

  /** What the request's page is told; `undefined` where there is no page, or it may not. */
  private originFor(exchange: HttpExchange): string | undefined {
    const origin = exchange.header("origin")
    if (origin === undefined) return undefined
    if (this.allowOrigin === "any") return "*"
    return this.isAllowed(origin) ? origin : undefined
  }

  private allowedHeaders(asked: string | undefined): string {
    if (this.headers !== "any") return this.headers
    const names = (asked ?? "").split(",").map((name) => HttpField.trim(name, 0, name.length))
    return names.filter(HttpField.isName).join(", ")
  }

  private exposedOf(fields: HttpField.FieldsInput): string | undefined {
    const names = Object.keys(fields).filter((name) => fields[name] !== undefined && !readable.has(name))
    const all = [...names, ...this.exposed]
    return all.length === 0 ? undefined : all.join(", ")
  }
}

/** Options that make no sense are a `RangeError`. @category constructors */
export const make = (options: Options): GrpcCors => new GrpcCors(options)

const predicateOf = (origins: NonNullable<Options["origins"]>): ((origin: string) => boolean) => {
  if (typeof origins === "function") {
    return (origin) => {
      try {
        return origins(origin) === true
      } catch {
        return false
      }
    }
  }
  if (origins === "any") return () => true
  for (const origin of origins) {
    if (!serialized.test(origin)) throw new RangeError(`${JSON.stringify(origin)} is no origin, as https://app.example`)
  }
  const set = new Set(origins)
  return (origin) => set.has(origin)
}

/** A scheme, a host in lower case, and a port that is not the scheme's: without a slash behind it. Fetch §3.2. */
const serialized = /^(?:null|[a-z][a-z0-9+.-]*:\/\/[^/?#@\sA-Z]+)$/

const nameOf = (name: string): string => {
  if (!HttpField.isName(name)) throw new RangeError(`${JSON.stringify(name)} is no name of a header`)
  return name.toLowerCase()
}

const secondsOf = (maxAge: Duration.Input): number => {
  const seconds = Math.floor(Duration.toSeconds(maxAge))
  if (!(seconds >= 0) || seconds === Number.POSITIVE_INFINITY) throw new RangeError("maxAge is finite and at least 0")
  return seconds
}

const withOrigin = (vary: string | ReadonlyArray<string> | undefined): string => {
  if (vary === undefined) return "origin"
  return `${typeof vary === "string" ? vary : vary.join(", ")}, origin`
}

const preflightVary = "origin, access-control-request-method, access-control-request-headers"

/** What clients of the protocols send themselves. */
const protocolHeaders = [
  "content-type",
  "x-grpc-web",
  "x-user-agent",
  "grpc-timeout",
  "connect-protocol-version",
  "connect-timeout-ms",
  "content-encoding"
]

/** Fetch §2.2.2: what every page may read, and what is no business of one. */
const readable: ReadonlySet<string> = /*#__PURE__*/ new Set([
  "cache-control",
  "content-language",
  "content-length",
  "content-type",
  "expires",
  "last-modified",
  "pragma",
  "vary"
])
