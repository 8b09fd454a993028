/** Effect's `HttpApi`, served and called by its own client. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiError from "effect/http-api/HttpApiError"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { leaveNoHandles } from "../../harness/NodeHandles.ts"
import * as Served from "./Served.ts"

leaveNoHandles()

class CurrentUser extends Context.Service<CurrentUser, { readonly name: string }>()("test/CurrentUser") {}

class Authorization extends HttpApiMiddleware.Service<Authorization, { provides: CurrentUser }>()(
  "test/Authorization",
  {
    security: { bearer: HttpApiSecurity.bearer },
    error: HttpApiError.Unauthorized
  }
) {}

class NoteNotFound extends Schema.TaggedError<NoteNotFound>()(
  "NoteNotFound",
  { id: Schema.Int },
  { httpApiStatus: 404 }
) {}

const Note = Schema.Struct({ id: Schema.Int, text: Schema.String })

const group = HttpApiGroup.make("notes").add(
  HttpApiEndpoint.get("get", "/notes/:id", { params: { id: Schema.Int }, success: Note, error: NoteNotFound }),
  HttpApiEndpoint.post("create", "/notes", {
    payload: Schema.Struct({ text: Schema.NonEmptyString }),
    success: Note.pipe(HttpApiSchema.status(201))
  }),
  HttpApiEndpoint.delete("remove", "/notes/:id", { params: { id: Schema.Int } }),
  HttpApiEndpoint.get("who", "/who", { success: Schema.String }).middleware(Authorization)
)

const Api = HttpApi.make("api").add(group)

const handlers = HttpApiBuilder.group(Api, "notes", (handlers) =>
  handlers.handleAll({
    get: ({ params }) =>
      params.id === 1 ? Effect.succeed({ id: 1, text: "first" }) : Effect.fail(new NoteNotFound({ id: params.id })),
    create: ({ payload }) => Effect.succeed({ id: 2, text: payload.text }),
    remove: () => Effect.void,
    who: () => Effect.map(CurrentUser, (user) => user.name)
  })
)

const authorization = Layer.succeed(Authorization, {
  bearer: (app, { credential }) =>
    Redacted.value(credential) === "secret"
      ? Effect.provideService(app, CurrentUser, { name: "Ann" })
      : Effect.fail(new HttpApiError.Unauthorized())
})

const serve = Served.routes(HttpApiBuilder.layer(Api).pipe(Layer.provide(handlers), Layer.provide(authorization)))

const connect = Effect.gen(function* () {
  const served = yield* serve
  const client = yield* HttpApiClient.make(Api, { baseUrl: served.url })
  return { ...served, notes: client.notes }
})

describe("HttpApi", () => {
  it.live("calls by the client of the same description", () =>
    Effect.gen(function* () {
      const { notes } = yield* connect
      assert.deepStrictEqual(yield* notes.get({ params: { id: 1 } }), { id: 1, text: "first" })
      assert.deepStrictEqual(yield* notes.create({ payload: { text: "tëxt" } }), { id: 2, text: "tëxt" })
      assert.isUndefined(yield* notes.remove({ params: { id: 1 } }))
    }).pipe(Effect.provide(Served.fetchClient))
  )

  it.live("typed errors arrive as themselves", () =>
    Effect.gen(function* () {
      const { ask, notes } = yield* connect
      assert.deepStrictEqual(yield* Effect.flip(notes.get({ params: { id: 7 } })), new NoteNotFound({ id: 7 }))
      assert.strictEqual((yield* ask("/notes/7")).status, 404)
    }).pipe(Effect.provide(Served.fetchClient))
  )

  it.live("what does not fit the description is a 400", () =>
    Effect.gen(function* () {
      const { ask } = yield* connect
      const json = (body: string) => ({ method: "POST", body, headers: { "content-type": "application/json" } })
      assert.strictEqual((yield* ask("/notes", json('{"text":""}'))).status, 400)
      assert.strictEqual((yield* ask("/notes", json("{}"))).status, 400)
      assert.strictEqual((yield* ask("/notes", json("{"))).status, 400)
      assert.strictEqual((yield* ask("/notes/x")).status, 400)
      assert.strictEqual((yield* ask("/notes", json('{"text":"a"}'))).status, 201)
    }).pipe(Effect.provide(Served.fetchClient))
  )

  it.live("security: who has the token is known, the others are refused", () =>
    Effect.gen(function* () {
      const { ask } = yield* connect
      const as = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })
      assert.strictEqual((yield* ask("/who", as("secret"))).text, '"Ann"')
      assert.strictEqual((yield* ask("/who", as("wrong"))).status, 401)
      assert.strictEqual((yield* ask("/who")).status, 401)
    }).pipe(Effect.provide(Served.fetchClient))
  )
})
