/** What every Layer of `Users` does. */
import { assert, it } from "@effect/vitest"
import { Draft, EmailTaken, type User, UserNotFound } from "@sluice/examples/http-rest/api"
import { Users } from "@sluice/examples/http-rest/users"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"

const draft = (name: string) => new Draft({ name, email: `${name}@example.test` })

export const check = (layer: Layer.Layer<Users, unknown>) => {
  it.effect("keeps what was created and changed, with an id of its own", () =>
    Effect.gen(function* () {
      const users = yield* Users
      const ann = yield* users.create(draft("ann"))
      const bob = yield* users.create(draft("bob"))
      assert.notStrictEqual(ann.id, bob.id)
      assert.deepStrictEqual(yield* users.get(ann.id), ann)
      const changed = yield* users.update(ann.id, draft("anna"))
      assert.deepStrictEqual({ ...changed }, { id: ann.id, name: "anna", email: "anna@example.test" })
      assert.deepStrictEqual(yield* users.get(ann.id), changed)
      assert.deepStrictEqual(yield* users.get(bob.id), bob)
    }).pipe(Effect.provide(layer))
  )

  it.effect("an address is one user's, however it is written, until it is given up", () =>
    Effect.gen(function* () {
      const users = yield* Users
      const ann = yield* users.create(draft("ann"))
      const bob = yield* users.create(draft("bob"))
      const shouted = new Draft({ name: "x", email: "ANN@example.test" })
      const taken = new EmailTaken({ email: shouted.email })
      assert.deepStrictEqual(yield* Effect.flip(users.create(shouted)), taken)
      assert.deepStrictEqual(yield* Effect.flip(users.update(bob.id, shouted)), taken)
      yield* users.update(ann.id, shouted)
      yield* users.update(ann.id, draft("anna"))
      yield* users.update(bob.id, draft("ann"))
      yield* users.remove(bob.id)
      yield* users.create(draft("ann"))
    }).pipe(Effect.provide(layer))
  )

  it.effect("who is not there cannot be got, changed or removed", () =>
    Effect.gen(function* () {
      const users = yield* Users
      const { id } = yield* users.create(draft("ann"))
      yield* users.remove(id)
      const missing = new UserNotFound({ id })
      assert.deepStrictEqual(yield* Effect.flip(users.get(id)), missing)
      assert.deepStrictEqual(yield* Effect.flip(users.update(id, draft("bob"))), missing)
      assert.deepStrictEqual(yield* Effect.flip(users.remove(id)), missing)
    }).pipe(Effect.provide(layer))
  )

  it.effect("an id is not given twice", () =>
    Effect.gen(function* () {
      const users = yield* Users
      const first = yield* users.create(draft("ann"))
      yield* users.remove(first.id)
      assert.isAbove((yield* users.create(draft("ann"))).id, first.id)
    }).pipe(Effect.provide(layer))
  )

  it.effect("pages follow each other without a gap, also when the last is full", () =>
    Effect.gen(function* () {
      const users = yield* Users
      for (const name of ["a", "b", "c", "d"]) yield* users.create(draft(name))
      const names = (found: ReadonlyArray<User>) => found.map((user) => user.name).join("")
      const first = yield* users.list({ after: 0, limit: 2 })
      const second = yield* users.list({ after: first.next!, limit: 2 })
      assert.deepStrictEqual([names(first.users), names(second.users), second.next], ["ab", "cd", undefined])
      assert.deepStrictEqual((yield* users.list({ after: 99, limit: 2 })).users, [])
    }).pipe(Effect.provide(layer))
  )
}
