import { describe } from "@effect/vitest"
import * as Users from "@sluice/examples/http-rest/users"
import * as UsersContract from "../support/UsersContract.ts"

describe("users in memory", () => UsersContract.check(Users.layerMemory))
