/** @internal @since 0.1.0 */
import * as Effect from "effect/Effect"
import type * as Headers from "effect/http/Headers"
import { HttpServerError, RequestParseError } from "effect/http/HttpServerError"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type * as Socket from "effect/socket/Socket"
import type { HttpExchange } from "../session/HttpExchange.ts"

export const toSocket = (
  request: HttpServerRequest,
  _exchange: HttpExchange,
  _headers: Headers.Headers
): Effect.Effect<Socket.Socket, HttpServerError> =>
  Effect.fail(new HttpServerError({ reason: new RequestParseError({ request, description: "not an upgrade" }) }))
