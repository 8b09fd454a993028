import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as NodeUnixPath from "@sluice/node/NodeUnixPath"
import * as Effect from "effect/Effect"
import { leaveNoHandles } from "../harness/NodeHandles.ts"
import { temporaryDirectory } from "../harness/NodeNet.ts"

leaveNoHandles()

const inDirectory = <A, E>(body: (path: string) => Effect.Effect<A, E>) =>
  Effect.flatMap(temporaryDirectory, (directory) => body(Path.join(directory, "a.sock"))).pipe(Effect.scoped)

/** A server on `path` that is closed with the scope. */
const serving = (path: string) =>
  Effect.acquireRelease(
    Effect.callback<Net.Server>((resume) => {
      const server = Net.createServer((socket) => socket.end())
      server.listen(path, () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
  )

describe("NodeUnixPath.clear", () => {
  it.live("nothing there: nothing to do", () => inDirectory(NodeUnixPath.clear))

  it.live("a socket that answers is in use, and stays", () =>
    inDirectory((path) =>
      Effect.gen(function* () {
        yield* serving(path)
        const { reason } = yield* Effect.flip(NodeUnixPath.clear(path))
        assert.strictEqual(reason._tag, "AddressInUse")
        assert.isTrue(Fs.existsSync(path))
      }).pipe(Effect.scoped)
    )
  )

  it.live("a file that is no socket is in use, and stays", () =>
    inDirectory((path) =>
      Effect.gen(function* () {
        Fs.writeFileSync(path, "precious")
        const { reason } = yield* Effect.flip(NodeUnixPath.clear(path))
        assert.strictEqual(reason._tag, "AddressInUse")
        assert.strictEqual(Fs.readFileSync(path, "utf8"), "precious")
      })
    )
  )

  it.live("a folder that is not there is told", () =>
    inDirectory((path) =>
      Effect.gen(function* () {
        const { reason } = yield* Effect.flip(NodeUnixPath.clear(Path.join(path, "nowhere", "b.sock")))
        assert.strictEqual(reason._tag, "AddressUnavailable")
      })
    )
  )
})

describe("two servers that want one path", () => {
  it.live("one gets it where a dead socket stood, and the other is told", () =>
    inDirectory((path) =>
      Effect.gen(function* () {
        // A socket file that nobody serves: its server was closed under another name.
        const holder = Net.createServer()
        yield* Effect.callback<void>((resume) => void holder.listen(`${path}.old`, () => resume(Effect.void)))
        Fs.renameSync(`${path}.old`, path)
        yield* Effect.callback<void>((resume) => void holder.close(() => resume(Effect.void)))
        const exits = yield* Effect.all(
          [1, 2].map(() => Effect.exit(NodeTransport.makeListener({ path }))),
          { concurrency: 2 }
        )
        assert.deepStrictEqual(exits.map((exit) => exit._tag).sort(), ["Failure", "Success"])
        const client = Net.connect({ path })
        yield* Effect.callback<void>((resume) => void client.once("connect", () => resume(Effect.void)))
        client.destroy()
      }).pipe(Effect.scoped)
    )
  )
})

describe("NodeUnixPath.setMode", () => {
  it.live("sets the permissions of the file", () =>
    inDirectory((path) =>
      Effect.gen(function* () {
        yield* serving(path)
        yield* NodeUnixPath.setMode(path, 0o640)
        assert.strictEqual(Fs.statSync(path).mode & 0o777, 0o640)
      }).pipe(Effect.scoped)
    )
  )
})
