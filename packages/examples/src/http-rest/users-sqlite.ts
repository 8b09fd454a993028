/**
 * Keeps users in a file, by the SQLite that comes with Node.
 *
 * Its calls are synchronous: statements are short here, and no request can
 * come between two of them. What goes wrong besides a taken address is a
 * defect: the client sees a 500, and nothing of the reason.
 */
import type { DatabaseSync } from "node:sqlite"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { EmailTaken, User, UserNotFound } from "./api.ts"
import { pageOf, Users } from "./users.ts"

/** Each entry is applied once to a file, in order; `user_version` counts those that were. */
const migrations = [
  `CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    email TEXT NOT NULL COLLATE NOCASE UNIQUE
  ) STRICT`
]

/** Opens the file, and makes it if there is none; closes it with the scope. */
export const layer = (file: string) =>
  Layer.effect(Users)(
    Effect.gen(function* () {
      const database = yield* open(file)
      const list = database.prepare("SELECT id, name, email FROM users WHERE id > ? ORDER BY id LIMIT ?")
      const get = database.prepare("SELECT id, name, email FROM users WHERE id = ?")
      const create = database.prepare("INSERT INTO users (name, email) VALUES (?, ?) RETURNING id, name, email")
      const update = database.prepare("UPDATE users SET name = ?, email = ? WHERE id = ? RETURNING id, name, email")
      const remove = database.prepare("DELETE FROM users WHERE id = ?")

      const found = (row: unknown, id: number) =>
        row === undefined ? Effect.fail(new UserNotFound({ id })) : Effect.succeed(userOf(row))

      return {
        list: ({ after, limit }) => Effect.sync(() => pageOf(list.all(after, limit + 1).map(userOf), limit)),
        get: (id) => Effect.suspend(() => found(get.get(id), id)),
        create: ({ name, email }) =>
          Effect.map(
            unlessTaken(email, () => create.get(name, email)),
            userOf
          ),
        update: (id, { name, email }) =>
          Effect.flatMap(
            unlessTaken(email, () => update.get(name, email, id)),
            (row) => found(row, id)
          ),
        remove: (id) =>
          Effect.suspend(() => (remove.run(id).changes === 0 ? Effect.fail(new UserNotFound({ id })) : Effect.void))
      }
    })
  )

/** The module is loaded when it is used: Node 22 calls it experimental, in a warning. */
const open = Effect.fnUntraced(function* (file: string) {
  const { DatabaseSync } = yield* Effect.promise(() => import("node:sqlite"))
  const attempt = <A>(what: () => A) =>
    Effect.try({ try: what, catch: (cause) => new Error(`cannot use ${file}: ${String(cause)}`) })
  const database = yield* Effect.acquireRelease(
    attempt(() => new DatabaseSync(file)),
    (database) => Effect.sync(() => database.close())
  )
  yield* attempt(() => migrate(database))
  return database
})

const migrate = (database: DatabaseSync) => {
  database.exec("PRAGMA journal_mode = WAL")
  const version = Number(database.prepare("PRAGMA user_version").get()!.user_version)
  for (const [index, migration] of migrations.entries()) {
    if (index < version) continue
    database.exec(`BEGIN; ${migration}; PRAGMA user_version = ${index + 1}; COMMIT`)
  }
}

const userOf = (row: unknown): User => new User(row as { id: number; name: string; email: string })

/** SQLITE_CONSTRAINT_UNIQUE. */
const uniqueViolation = 2067

const unlessTaken = <A>(email: string, statement: () => A): Effect.Effect<A, EmailTaken> =>
  Effect.try({ try: statement, catch: (error) => error as { readonly errcode?: number } }).pipe(
    Effect.catch((error) =>
      error.errcode === uniqueViolation ? Effect.fail(new EmailTaken({ email })) : Effect.die(error)
    )
  )
