import * as Fs from "node:fs"
import * as Path from "node:path"
import { DatabaseSync } from "node:sqlite"
import { assert, describe, it } from "@effect/vitest"
import { Draft } from "@sluice/examples/http-rest/api"
import { Users } from "@sluice/examples/http-rest/users"
import * as UsersSqlite from "@sluice/examples/http-rest/users-sqlite"
import * as Effect from "effect/Effect"
import { temporaryDirectory } from "../../harness/NodeNet.ts"
import * as UsersContract from "../support/UsersContract.ts"

const ann = new Draft({ name: "Robert'); DROP TABLE users; --", email: "ann@example.test" })

describe("users in SQLite", () => {
  UsersContract.check(UsersSqlite.layer(":memory:"))

  it.effect("a file keeps them, and is closed with the scope", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const layer = UsersSqlite.layer(Path.join(directory, "users.db"))
      const created = yield* Users.use((users) => users.create(ann)).pipe(Effect.provide(layer))
      // SQLite removes its log when the last connection closes.
      assert.deepStrictEqual(Fs.readdirSync(directory), ["users.db"])
      const found = yield* Users.use((users) => users.get(created.id)).pipe(Effect.provide(layer))
      assert.deepStrictEqual(found, created)
    })
  )

  it.effect("a migration is applied once", () =>
    Effect.gen(function* () {
      const file = Path.join(yield* temporaryDirectory, "users.db")
      const list = Users.use((users) => users.list({ after: 0, limit: 1 }))
      yield* Effect.provide(list, UsersSqlite.layer(file))
      yield* Effect.provide(list, UsersSqlite.layer(file))
      const database = new DatabaseSync(file)
      assert.deepStrictEqual({ ...database.prepare("PRAGMA user_version").get() }, { user_version: 1 })
      database.close()
    })
  )

  it.effect("a file that is no database is an error that names it", () =>
    Effect.gen(function* () {
      const file = Path.join(yield* temporaryDirectory, "users.db")
      Fs.writeFileSync(file, "something else, and long enough to be looked at".repeat(100))
      const error = yield* Effect.flip(Effect.provide(Effect.asVoid(Users), UsersSqlite.layer(file)))
      assert.include(error.message, file)
    })
  )

  it.effect("what cannot be stored is a defect", () =>
    Effect.gen(function* () {
      const users = yield* Users
      const exit = yield* Effect.exit(users.create({ ...ann, name: null } as unknown as Draft))
      assert.strictEqual(exit._tag, "Failure")
    }).pipe(Effect.provide(UsersSqlite.layer(":memory:")))
  )
})
