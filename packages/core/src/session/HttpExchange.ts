/**
 * One request and its response, in whatever version of HTTP: what a session
 * hands to a server.
 *
 * Everything is synchronous and costs nothing until it is asked for. Commands
 * answer with the reason why they did nothing; after the exchange is over all
 * of them do nothing.
 *
 * @since 0.1.0
 */
import * as Predicate from "effect/Predicate"
import type { FieldsInput } from "../protocol/http/HttpField.ts"
import type { HttpFields } from "../protocol/http/HttpFields.ts"
import type { Refusal } from "../protocol/http/HttpReason.ts"
import type { Transport } from "../transport/Transport.ts"
import type { HttpBody } from "./HttpBody.ts"

/** @category type IDs */
export const TypeId = "~@sluice/core/session/HttpExchange"

/** Whether the `source` of a request is an exchange of ours. @category guards */
export const isHttpExchange = (u: unknown): u is HttpExchange => Predicate.hasProperty(u, TypeId)

/**
 * The head of a response. `Content-Length` may be given, and must be true; the
 * rest of the framing, `Connection` and `Date` are the session's.
 *
 * @category models
 */
export interface ResponseParts {
  /** From 200 to 599; for `upgrade` 101 too. */
  readonly status: number
  /** The reason phrase. Default: the registered one. HTTP/2 has none. */
  readonly statusText?: string | undefined
  /** Checked once for each record, so never changed after it was used. */
  readonly headers: FieldsInput
}

/** @category models */
export interface HttpExchange {
  readonly [TypeId]: typeof TypeId
  readonly method: string
  /** As it was sent: `/path?query`, a whole URL, `host:port` or `*`. */
  readonly target: string
  /** `host:port` or `host`; empty where an HTTP/1.0 client named none. */
  readonly authority: string
  readonly scheme: "http" | "https"
  readonly version: "1.0" | "1.1" | "2"
  /** What the client asks to change to: `Upgrade`, or `:protocol` (RFC 8441). */
  readonly upgradeProtocol: string | undefined
  /** The connection, which other exchanges may share: its addresses and TLS. Not to be written to. */
  readonly transport: Transport
  /** The request's body; `undefined` where it has none. */
  readonly body: HttpBody | undefined
  /**
   * RFC 9110 §10.1.1: whether the client waits for `100 Continue`, which the
   * first reader of the body sends. After a final response has begun it is not
   * sent any more, and the body may never come.
   */
  readonly awaitsContinue: boolean
  /**
   * Takes the limit of size off the body, for who reads messages and limits
   * those; and that of its pace too, where a client may be quiet for as long as
   * it likes. Of HTTP/2 only: HTTP/1.1 keeps its limits.
   */
  relaxBody(pace: "limited" | "any"): void
  /** All fields, as they came. */
  readonly fields: HttpFields
  /** One field by its name in lower case; several lines joined with a comma. */
  header(name: string): string | undefined
  /** All fields but `Set-Cookie`, by name in lower case: one record, without a prototype, that nobody may change. */
  headers(): Readonly<Record<string, string>>

  /** Whether nothing of a final response was sent, and one can be. */
  readonly isAnswerable: boolean
  /** How far the response is. `over`: it can be sent no more. */
  readonly phase: Phase
  /** Answers with a whole response. */
  respond(parts: ResponseParts, body: Uint8Array | string | undefined): Refusal | undefined
  /** Begins a response whose body comes by `write` and ends with `end`. */
  begin(parts: ResponseParts): Refusal | undefined
  write(data: Uint8Array | string): Refusal | undefined
  end(trailers?: FieldsInput): Refusal | undefined
  /** Sends a 1xx response. */
  interim(status: number, headers: FieldsInput): Refusal | undefined
  /** Whether the peer keeps up. While `false`, writers should wait for `onWritable`. */
  readonly isWritable: boolean
  /** Calls `resume` once, when the peer keeps up again or the exchange is over. Returns how to forget it. */
  onWritable(resume: () => void): () => void
  /** Breaks the response off, so that the peer cannot take it for whole. */
  abort(): void
  /**
   * Changes the protocol: with 101, or with a 2xx to CONNECT, as all of HTTP/2
   * has it. `takeOver` gets the stream, and the bytes that have come behind the
   * request already; it is told of drain and shutdown from then on. Only for a
   * request whose body was received.
   */
  upgrade(parts: ResponseParts, takeOver: (transport: Transport, rest: Uint8Array) => Upgraded): Refusal | undefined
  /** What whoever serves wants sent behind the response's body; read when the body ends. */
  trailers?: FieldsInput | undefined
}

/**
 * Who has taken a stream over: what a draining server tells it. It shows its
 * end by closing the transport.
 *
 * @category models
 */
export interface Upgraded {
  /** Finish what is in flight, tell the peer, and close. */
  drain(): void
  /** Let go of the transport at once. */
  cut(): void
  /** What the peer has done wrong, or which limit it reached, as a tag for statistics. Looked at in the end. */
  readonly failure?: string | undefined
}

/** @category models */
export type Phase = "unanswered" | "begun" | "completed" | "upgraded" | "over"
