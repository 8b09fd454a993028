/**
 * Where users are kept: a service, so that its handlers do not know where.
 * This Layer keeps them in memory; `users-sqlite.ts` has another.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Draft, EmailTaken, Page, User, UserNotFound } from "./api.ts"

/** Addresses are one user's each, and compared without regard to case. */
export class Users extends Context.Service<
  Users,
  {
    readonly list: (query: { readonly after: number; readonly limit: number }) => Effect.Effect<Page>
    readonly get: (id: number) => Effect.Effect<User, UserNotFound>
    readonly create: (draft: Draft) => Effect.Effect<User, EmailTaken>
    readonly update: (id: number, draft: Draft) => Effect.Effect<User, UserNotFound | EmailTaken>
    readonly remove: (id: number) => Effect.Effect<void, UserNotFound>
  }
>()("@sluice/examples/http-rest/Users") {}

/** A page of what was found for a limit, and one more if there is a next page. */
export const pageOf = (found: ReadonlyArray<User>, limit: number): Page => {
  const users = found.slice(0, limit)
  return new Page(found.length > limit ? { users, next: users[limit - 1]!.id } : { users })
}

export const layerMemory = Layer.sync(Users)(() => {
  /** Ids only grow, so the order of insertion is the order of ids. */
  const users = new Map<number, User>()
  const ids = new Map<string, number>()
  let lastId = 0

  const keep = (user: User, before?: User) => {
    if (before !== undefined) ids.delete(before.email.toLowerCase())
    ids.set(user.email.toLowerCase(), user.id)
    users.set(user.id, user)
    return Effect.succeed(user)
  }
  const find = (id: number) => {
    const user = users.get(id)
    return user === undefined ? Effect.fail(new UserNotFound({ id })) : Effect.succeed(user)
  }
  const isTaken = (email: string, by?: number) => {
    const id = ids.get(email.toLowerCase())
    return id !== undefined && id !== by
  }

  return {
    list: ({ after, limit }) =>
      Effect.sync(() => pageOf([...users.values()].filter((user) => user.id > after).slice(0, limit + 1), limit)),
    get: (id) => Effect.suspend(() => find(id)),
    create: (draft) =>
      Effect.suspend(() =>
        isTaken(draft.email)
          ? Effect.fail(new EmailTaken({ email: draft.email }))
          : keep(new User({ ...draft, id: ++lastId }))
      ),
    update: (id, draft) =>
      Effect.suspend(() =>
        Effect.flatMap(find(id), (before) =>
          isTaken(draft.email, id)
            ? Effect.fail(new EmailTaken({ email: draft.email }))
            : keep(new User({ ...draft, id }), before)
        )
      ),
    remove: (id) =>
      Effect.suspend(() =>
        Effect.map(find(id), (user) => {
          ids.delete(user.email.toLowerCase())
          users.delete(id)
        })
      )
  }
})
