/**
 * Bodies that Effect knows by a platform's own types (`HttpBody.Raw` and
 * `HttpBody.FormData`), as bytes or streams: texts, arrays of bytes, blobs,
 * web streams and responses, and whatever can be iterated, as Node's streams.
 *
 * @internal
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { HttpBody } from "effect/http/HttpBody"
import * as Stream from "effect/Stream"
import * as Utf8 from "../bytes/Utf8.ts"
import type { FieldsInput } from "../protocol/http/HttpField.ts"

/** @category models */
export type Source =
  | { readonly _tag: "Bytes"; readonly bytes: Uint8Array | string }
  | {
      readonly _tag: "Stream"
      readonly stream: Stream.Stream<Uint8Array, unknown>
      /** What the body itself says of its type and size. */
      readonly headers: FieldsInput
      /** The status of a web response. */
      readonly status?: number
    }

/** A body that is none of those is a defect of its stream. @category converting */
export const make = (body: HttpBody): Source => {
  if (body._tag === "FormData") return ofWeb(new globalThis.Response(body.formData))
  return body._tag === "Raw" ? ofRaw(body.body) : bytesOf("")
}

/** Lets go of a body that is not sent. @category releasing */
export const cancel = (body: HttpBody): Effect.Effect<void> => {
  if (body._tag !== "Raw") return Effect.void
  const raw = body.body
  if (raw instanceof ReadableStream) return Effect.promise(() => raw.cancel().catch(() => {}))
  if (raw instanceof globalThis.Response) return Effect.promise(async () => raw.body?.cancel().catch(() => {}))
  // Node's streams: an opened file would stay open.
  const destroy = (raw as { readonly destroy?: unknown } | null | undefined)?.destroy
  return typeof destroy === "function" ? Effect.sync(() => destroy.call(raw)) : Effect.void
}

const ofRaw = (raw: unknown): Source => {
  if (raw === null || raw === undefined) return bytesOf("")
  if (typeof raw === "string" || raw instanceof Uint8Array) return bytesOf(raw)
  if (raw instanceof ArrayBuffer) return bytesOf(new Uint8Array(raw))
  if (ArrayBuffer.isView(raw)) return bytesOf(new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength))
  if (raw instanceof globalThis.Response) return ofResponse(raw)
  if (raw instanceof ReadableStream) return streamOf(raw)
  if (raw instanceof Blob || raw instanceof URLSearchParams) return ofWeb(new globalThis.Response(raw))
  if (typeof raw === "object" && Symbol.asyncIterator in raw) {
    return {
      _tag: "Stream",
      stream: Stream.fromAsyncIterable(raw as AsyncIterable<Uint8Array | string>, (cause) => cause).pipe(
        Stream.map(toBytes)
      ),
      headers: {}
    }
  }
  return {
    _tag: "Stream",
    stream: Stream.die(new TypeError("a raw body must be text, bytes, a blob, or something that streams bytes")),
    headers: {}
  }
}

const bytesOf = (bytes: Uint8Array | string): Source => ({ _tag: "Bytes", bytes })

/** A web response is taken whole: its status and fields come with its body. */
const ofResponse = (response: globalThis.Response): Source => {
  const { body, status } = response
  const stream = body === null ? Stream.empty : streamOf(body).stream
  // Cookies are the one field whose lines are listed one by one.
  const cookies = response.headers.getSetCookie()
  const headers: FieldsInput = Object.fromEntries(response.headers)
  return {
    _tag: "Stream",
    stream,
    headers: cookies.length > 1 ? { ...headers, "set-cookie": cookies } : headers,
    status
  }
}

const ofWeb = (response: globalThis.Response): Source => {
  const type = response.headers.get("content-type")
  const headers: Readonly<Record<string, string>> = type === null ? {} : { "content-type": type }
  return response.body === null ? bytesOf("") : streamOf(response.body, headers)
}

const streamOf = (
  stream: ReadableStream,
  headers: Readonly<Record<string, string>> = {}
): Extract<Source, { readonly _tag: "Stream" }> => ({
  _tag: "Stream",
  stream: Stream.fromReadableStream<Uint8Array | string, unknown>({
    evaluate: () => stream,
    onError: (cause) => cause
  }).pipe(Stream.map(toBytes)),
  headers
})

const toBytes = (part: Uint8Array | string): Uint8Array => (typeof part === "string" ? Utf8.encode(part) : part)
