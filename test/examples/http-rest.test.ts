import * as Path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as HttpRest from "@sluice/examples/http-rest"
import { Api, Draft, EmailTaken, UserNotFound } from "@sluice/examples/http-rest/api"
import * as Users from "@sluice/examples/http-rest/users"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as Layer from "effect/Layer"
import { temporaryDirectory } from "../harness/NodeNet.ts"
import * as Fetched from "./support/Fetched.ts"
import * as Program from "./support/Program.ts"

const serve = Fetched.serve(Layer.provide(HttpRest.server, Users.layerMemory))

/** Effect's client of the same description. */
const connect = Effect.gen(function* () {
  const { where } = yield* serve
  const api = yield* HttpApiClient.make(Api, { baseUrl: `http://${where}` })
  return api.users
})

const ann = new Draft({ name: "Ann", email: "ann@example.test" })
const bob = new Draft({ name: "Bob", email: "bob@example.test" })

const json = (method: string, body: unknown): RequestInit => ({
  method,
  body: typeof body === "string" ? body : JSON.stringify(body),
  headers: { "content-type": "application/json" }
})

interface Problem {
  readonly errors: ReadonlyArray<{ readonly path: ReadonlyArray<string> }>
}

describe("http-rest", () => {
  it.live("a user is created, got, changed, and removed", () =>
    Effect.gen(function* () {
      const users = yield* connect
      const created = yield* users.create({ payload: ann })
      assert.deepInclude(created, { name: "Ann", email: "ann@example.test" })
      const params = { id: created.id }
      assert.deepStrictEqual(yield* users.get({ params }), created)
      const changed = yield* users.update({ params, payload: new Draft({ ...ann, name: "Anna" }) })
      assert.deepStrictEqual(yield* users.get({ params }), changed)
      assert.strictEqual(changed.name, "Anna")
      yield* users.remove({ params })
      assert.deepStrictEqual(yield* Effect.flip(users.get({ params })), new UserNotFound(params))
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.live("what cannot be done is a typed error", () =>
    Effect.gen(function* () {
      const users = yield* connect
      yield* users.create({ payload: ann })
      const { id } = yield* users.create({ payload: bob })
      const taken = new EmailTaken({ email: ann.email })
      assert.deepStrictEqual(yield* Effect.flip(users.create({ payload: ann })), taken)
      const payload = new Draft({ ...bob, email: ann.email })
      assert.deepStrictEqual(yield* Effect.flip(users.update({ params: { id }, payload })), taken)
      const unknown = { params: { id: 99 } }
      assert.deepStrictEqual(
        yield* Effect.flip(users.update({ ...unknown, payload: bob })),
        new UserNotFound({ id: 99 })
      )
      assert.deepStrictEqual(yield* Effect.flip(users.remove(unknown)), new UserNotFound({ id: 99 }))
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.live("a list comes in pages", () =>
    Effect.gen(function* () {
      const users = yield* connect
      for (let index = 1; index <= 25; index++) {
        yield* users.create({ payload: new Draft({ name: `${index}`, email: `${index}@example.test` }) })
      }
      const first = yield* users.list({ query: { after: 0, limit: 20 } })
      assert.deepStrictEqual([first.users.length, first.next], [20, first.users[19]!.id])
      const last = yield* users.list({ query: { after: first.next!, limit: 5 } })
      assert.deepStrictEqual(
        last.users.map((user) => user.name),
        ["21", "22", "23", "24", "25"]
      )
      assert.isUndefined(last.next)
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.live("a page has 20 users unless asked for more", () =>
    Effect.gen(function* () {
      const { ask } = yield* serve
      for (let index = 1; index <= 21; index++) {
        yield* ask("/users", json("POST", { name: "x", email: `${index}@example.test` }))
      }
      const { json: page } = yield* ask("/users")
      assert.lengthOf((page as { users: ReadonlyArray<unknown> }).users, 20)
    })
  )

  const statuses: ReadonlyArray<readonly [what: string, path: string, init: RequestInit, status: number]> = [
    ["a user that was created", "/users", json("POST", ann), 201],
    ["a user that is removed", "/users/1", { method: "DELETE" }, 204],
    ["a user that is not there", "/users/2", {}, 404],
    ["an address that is taken", "/users", json("POST", { name: "x", email: "BOB@example.test" }), 409],
    ["an id that is none", "/users/x", {}, 400],
    ["a page that is none", "/users?limit=0", {}, 400],
    ["a page that is too large", "/users?limit=101", {}, 400],
    ["a user without a name", "/users", json("POST", { ...ann, name: "" }), 400],
    ["an address that is none", "/users", json("POST", { ...ann, email: "ann" }), 400],
    ["a field that is missing", "/users", json("POST", { name: "Ann" }), 400],
    ["a body that is no JSON", "/users", json("POST", "{"), 400],
    ["a body of another type", "/users", { method: "POST", body: "name=Ann" }, 415]
  ]
  for (const [what, path, init, status] of statuses) {
    it.live(`${what}: ${status}, told as a problem`, () =>
      Effect.gen(function* () {
        const { ask } = yield* serve
        yield* ask("/users", json("POST", bob))
        const answer = yield* ask(path, init)
        assert.strictEqual(answer.status, status, answer.text)
        if (status < 300 || status === 415) return
        assert.match(answer.headers.get("content-type") ?? "", /^application\/problem\+json/)
        assert.deepInclude(answer.json, { status })
      })
    )
  }

  it.live("what does not fit is named", () =>
    Effect.gen(function* () {
      const { ask } = yield* serve
      const { json: problem } = yield* ask("/users", json("POST", { name: "Ann", email: "ann" }))
      assert.deepStrictEqual((problem as Problem).errors[0]?.path, ["payload", "email"])
    })
  )

  it.live("the document and its page are served, and load nothing from elsewhere", () =>
    Effect.gen(function* () {
      const { ask } = yield* serve
      const { json: document } = yield* ask("/openapi.json")
      assert.sameMembers(Object.keys((document as { paths: object }).paths), ["/users", "/users/{id}"])
      const page = yield* ask("/docs")
      assert.strictEqual(page.status, 200)
      assert.notMatch(page.text, /<(?:script|link|img)[^>]+(?:src|href)\s*=/)
    })
  )
})

describe("http-rest as a process", () => {
  it.live("a file keeps the users from one run to the next", () =>
    Effect.gen(function* () {
      const file = Path.join(yield* temporaryDirectory, "users.db")
      const run = Effect.fnUntraced(function* (path: string, init?: RequestInit) {
        const program = yield* Program.serve("http-rest", ["http-rest", "--port", "0", "--db", file])
        const answer = yield* Fetched.fetched(`http://${program.where}${path}`, init)
        yield* program.signal("SIGTERM")
        const ended = yield* program.ended
        assert.deepStrictEqual([ended.code, ended.stderr], [0, []])
        return answer.json
      })
      const created = yield* run("/users", json("POST", ann))
      assert.deepStrictEqual(yield* run("/users"), { users: [created] })
    })
  )

  it.live("a file that cannot be opened is one line that names it, and exit code 1", () =>
    Effect.gen(function* () {
      const program = yield* Program.start(["http-rest", "--port", "0", "--db", "/nowhere/users.db"])
      const { code, stderr } = yield* program.ended
      assert.strictEqual(code, 1)
      assert.lengthOf(stderr, 1)
      assert.include(stderr[0]!, "/nowhere/users.db")
    })
  )
})
