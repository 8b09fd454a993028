import { MethodNotAllowed } from "@sluice/core"
import { NodeMain, NodeWebServer } from "@sluice/node"
import { Effect, Layer, Schema } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"

const UserId = Schema.NumberFromString.check(Schema.isInt(), Schema.isGreaterThan(0))
const Limit = Schema.NumberFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 1, maximum: 100 }))
const Draft = Schema.Struct({ title: Schema.NonEmptyString, tags: Schema.Array(Schema.String) })
const Login = Schema.Struct({ name: Schema.NonEmptyString, password: Schema.RedactedFromValue(Schema.String) })

/** `GET /users/7/posts?tag=net&limit=3`: the path and the query, in one schema. */
const list = Effect.gen(function* () {
  const params = yield* HttpRouter.schemaParams(
    Schema.Struct({ id: UserId, tag: Schema.optionalKey(Schema.String), limit: Schema.optionalKey(Limit) })
  )
  return yield* HttpServerResponse.json({ limit: 20, ...params })
})

/** `POST /users/7/posts` with JSON. */
const create = Effect.gen(function* () {
  const { id } = yield* HttpRouter.schemaPathParams(Schema.Struct({ id: UserId }))
  const draft = yield* HttpServerRequest.schemaBodyJson(Draft)
  return yield* HttpServerResponse.json({ author: id, ...draft }, { status: 201 })
})

/** `POST /login` with a form. */
const login = Effect.gen(function* () {
  const { name } = yield* HttpServerRequest.schemaBodyUrlParams(Login)
  return HttpServerResponse.text(`hello, ${name}`)
})

export const Routes = Layer.mergeAll(
  HttpRouter.add("GET", "/users/:id/posts", list),
  HttpRouter.add("POST", "/users/:id/posts", create),
  HttpRouter.add("POST", "/login", login)
).pipe(Layer.provide(MethodNotAllowed.layer()))

const Main = HttpRouter.serve(Routes).pipe(Layer.provide(NodeWebServer.layer({ host: "127.0.0.1", port: 3000 })))

if (import.meta.main) NodeMain.run(Main)
