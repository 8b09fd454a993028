/** A request by hand, whose connection is a transport in memory: it writes down how it was answered. */
import type { FieldsInput } from "@sluice/core/protocol/http/HttpField"
import type { HttpFields } from "@sluice/core/protocol/http/HttpFields"
import type * as HttpBody from "@sluice/core/session/HttpBody"
import { type HttpExchange, type ResponseParts, TypeId, type Upgraded } from "@sluice/core/session/HttpExchange"
import * as MemoryTransport from "@sluice/core/transport/MemoryTransport"
import type { Transport } from "@sluice/core/transport/Transport"
import { type Recorder, record } from "./TransportContract.ts"

export interface Options {
  readonly method?: string | undefined
  /** Default `/`. */
  readonly target?: string | undefined
  readonly version?: HttpExchange["version"] | undefined
  readonly authority?: string | undefined
  readonly upgradeProtocol?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: HttpBody.HttpBody | undefined
  /** What has come behind the request. */
  readonly rest?: Uint8Array | undefined
}

/** What was sent of a response, in order. */
export type Sent =
  | { readonly _tag: "Head"; readonly status: number; readonly headers: FieldsInput }
  | { readonly _tag: "Body"; readonly data: Uint8Array | string }
  | { readonly _tag: "End"; readonly trailers: FieldsInput | undefined }

export class FakeExchange implements HttpExchange {
  readonly [TypeId]: typeof TypeId = TypeId
  readonly method: string
  readonly target: string
  readonly authority: string
  readonly scheme = "http"
  readonly version: HttpExchange["version"]
  readonly upgradeProtocol: string | undefined
  readonly transport: Transport
  readonly awaitsContinue = false
  readonly body: HttpBody.HttpBody | undefined
  readonly isWritable = true
  phase: HttpExchange["phase"] = "unanswered"
  readonly sent: Array<Sent> = []
  /** The response that it was upgraded with. */
  upgradedWith: ResponseParts | undefined
  upgraded: Upgraded | undefined
  /** The client's end of the connection, and what came to it. */
  readonly peer: Transport
  readonly heard: Recorder
  private readonly record: Readonly<Record<string, string>>
  private readonly rest: Uint8Array

  constructor(options: Options = {}) {
    this.method = options.method ?? "GET"
    this.target = options.target ?? "/"
    this.version = options.version ?? "1.1"
    this.authority = options.authority ?? "server.test"
    this.record = options.headers ?? {}
    this.upgradeProtocol = options.upgradeProtocol ?? this.record.upgrade
    this.body = options.body
    this.rest = options.rest ?? new Uint8Array(0)
    const [transport, peer] = MemoryTransport.pair()
    this.transport = transport
    this.peer = peer
    this.heard = record(peer, { onEnd: () => peer.end() })
  }

  get isAnswerable(): boolean {
    return this.phase === "unanswered"
  }

  relaxBody(): void {}

  get fields(): HttpFields {
    return {
      headers: () => this.record,
      header: (name) => this.record[name],
      setCookies: () => [],
      visit: (line) => {
        for (const [name, value] of Object.entries(this.record)) line(name, value)
      }
    }
  }

  header(name: string): string | undefined {
    return this.record[name]
  }

  headers(): Readonly<Record<string, string>> {
    return this.record
  }

  upgrade(
    parts: ResponseParts,
    takeOver: (transport: Transport, rest: Uint8Array) => Upgraded
  ): ReturnType<HttpExchange["upgrade"]> {
    if (this.phase !== "unanswered") return { _tag: "ConnectionEnded", message: "over" } as never
    this.phase = "upgraded"
    this.upgradedWith = parts
    this.upgraded = takeOver(this.transport, this.rest)
    return undefined
  }

  respond(parts: ResponseParts = { status: 200, headers: {} }, body?: Uint8Array | string): undefined {
    this.begin(parts)
    if (body !== undefined) this.write(body)
    this.end()
    this.phase = "completed"
  }

  begin({ headers, status }: ResponseParts): undefined {
    this.sent.push({ _tag: "Head", status, headers })
  }

  write(data: Uint8Array | string): undefined {
    this.sent.push({ _tag: "Body", data })
  }

  end(trailers?: FieldsInput): undefined {
    this.sent.push({ _tag: "End", trailers })
  }

  readonly interim = () => undefined
  readonly onWritable = () => () => {}
  readonly abort = (): void => this.transport.destroy()
}

/** The fields of the example in RFC 6455 §1.3. */
export const webSocketFields = {
  host: "server.test",
  upgrade: "websocket",
  connection: "Upgrade",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  "sec-websocket-version": "13"
} as const
