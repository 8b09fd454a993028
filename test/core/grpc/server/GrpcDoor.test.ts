import { assert, describe, it } from "@effect/vitest"
import * as GrpcServer from "@sluice/core/grpc/server/GrpcServer"
import type { GrpcWire } from "@sluice/core/grpc/server/GrpcWire"
import * as Effect from "effect/Effect"
import * as World from "../../../harness/GrpcServerWorld.ts"
import { Greeter } from "../../../harness/protobuf/hello_pb.ts"

const Services = GrpcServer.layer(Greeter, { sayHello: ({ name }) => Effect.succeed({ message: name }) })

const say = "/hello.Greeter/SayHello"

type Row = readonly [
  what: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  code: string,
  message: RegExp
]

const refused: ReadonlyArray<Row> = [
  ["an unknown service", "/hello.Nobody/SayHello", {}, "12", /no service for/],
  ["an unknown method", "/hello.Greeter/Shout", {}, "12", /no method for/],
  ["a method without a handler", "/hello.Greeter/StreamHellos", {}, "12", /no method for/],
  ["a path that is none", "/", {}, "12", /no service for/],
  ["a timeout that is none", say, { "grpc-timeout": "1" }, "13", /no time/],
  ["a timeout that is over", say, { "grpc-timeout": "0S" }, "4", /deadline/],
  ["an unknown compression", say, { "grpc-encoding": "lzma" }, "12", /lzma/]
]

describe("GrpcDoor", () => {
  for (const [what, path, headers, code, message] of refused) {
    it.effect(`refuses ${what}`, () =>
      Effect.gen(function* () {
        const world = yield* World.make(Services)
        const answer = yield* World.call(world, path, World.text("A"), headers)
        assert.deepStrictEqual([answer.status, answer.code], [200, code])
        assert.match(answer.message ?? "", message)
        assert.strictEqual(
          answer.headers["grpc-accept-encoding"],
          code === "12" && path === say ? "identity" : undefined
        )
        const next = yield* World.call(world, say, World.text("A"))
        assert.strictEqual(next.code, "0")
      })
    )
  }

  it.effect("says no more than the code, where the client takes no head with the rest", () =>
    Effect.gen(function* () {
      const world = yield* World.make(Services)
      const answer = yield* World.call(world, `/${'"'.repeat(10_000)}`, World.text("A"))
      assert.deepStrictEqual([answer.status, answer.code, answer.message], [200, "12", undefined])
    })
  )

  it.effect("finds the method behind a query", () =>
    Effect.gen(function* () {
      const world = yield* World.make(Services)
      assert.strictEqual((yield* World.call(world, `${say}?a=/b`, World.text("A"))).code, "0")
    })
  )

  it.effect("asks its wires in order, gRPC's own first", () =>
    Effect.gen(function* () {
      const asked: Array<readonly [string, string | undefined]> = []
      const wire = (name: string, answers: boolean): GrpcWire => ({
        open: (exchange, method) => {
          asked.push([name, method?.name])
          if (!answers) return undefined
          exchange.respond({ status: 204, headers: {} }, undefined)
          return "answered"
        }
      })
      const world = yield* World.make(Services, { wires: [wire("a", false), wire("b", true), wire("c", true)] })
      assert.strictEqual((yield* World.call(world, say, World.text("A"))).code, "0")
      assert.deepStrictEqual(asked, [])
      const other = yield* World.call(world, say, World.text("A"), { "content-type": "application/other" })
      assert.strictEqual(other.status, 204)
      assert.deepStrictEqual(asked, [
        ["a", "SayHello"],
        ["b", "SayHello"]
      ])
    })
  )
})
