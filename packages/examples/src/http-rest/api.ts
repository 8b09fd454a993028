/**
 * The users API as Effect's `HttpApi`: what server, clients and the OpenAPI
 * document share. Errors are problem details (RFC 9457), each with a type.
 */
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiError from "effect/http-api/HttpApiError"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"

const Id = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }))

/** What clients say of a user. */
export class Draft extends Schema.Class<Draft>("Draft")({
  name: Schema.NonEmptyString.check(Schema.isMaxLength(100)),
  email: Schema.String.check(
    Schema.isMaxLength(254),
    Schema.isPattern(/^[!-?A-~]+@[!-?A-~]+$/, { expected: "an email address" })
  )
}) {}

export class User extends Schema.Class<User>("User")({ id: Id, ...Draft.fields }) {}

/** Users in the order of their ids, from the first above `after`. */
export const PageQuery = Schema.Struct({
  after: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)).pipe(Schema.withDecodingDefaultKey(Effect.succeed(0))),
  limit: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 })).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(20))
  )
})

export class Page extends Schema.Class<Page>("Page")({
  users: Schema.Array(User),
  /** Ask for the next page with it as `after`; on the last page there is none. */
  next: Schema.optionalKey(Id)
}) {}

export class UserNotFound extends HttpApiError.Problem<UserNotFound>()(
  "UserNotFound",
  { type: "https://users.example/problems/user-not-found", status: 404, title: "No such user" },
  { id: Id }
) {}

export class EmailTaken extends HttpApiError.Problem<EmailTaken>()(
  "EmailTaken",
  { type: "https://users.example/problems/email-taken", status: 409, title: "Another user has this address" },
  { email: Schema.String }
) {}

const params = { id: Id }

class UsersGroup extends HttpApiGroup.make("users")
  .add(
    HttpApiEndpoint.get("list", "/", { query: PageQuery, success: Page }),
    HttpApiEndpoint.get("get", "/:id", { params, success: User, error: UserNotFound }),
    HttpApiEndpoint.post("create", "/", {
      payload: Draft,
      success: User.pipe(HttpApiSchema.status(201)),
      error: EmailTaken
    }),
    HttpApiEndpoint.put("update", "/:id", {
      params,
      payload: Draft,
      success: User,
      error: [UserNotFound, EmailTaken]
    }),
    HttpApiEndpoint.delete("remove", "/:id", { params, error: UserNotFound })
  )
  .prefix("/users") {}

/** What is wrong with a request that does not fit the schemas is a typed 400 as well. */
export class Api extends HttpApi.make("users")
  .add(UsersGroup)
  .middleware(HttpApiMiddleware.ProblemDetails)
  .annotateMerge(OpenApi.annotations({ title: "Users", version: "0.1.0" })) {}
