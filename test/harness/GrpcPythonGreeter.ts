/** A client of Python's grpcio, as a process of its own, that calls the greeter, its health and its reflection. */
import * as ChildProcess from "node:child_process"
import * as Readline from "node:readline"
import { fileURLToPath } from "node:url"
import { type DescFile, toBinary } from "@bufbuild/protobuf"
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt"
import { file_grpc_health_v1_health } from "@sluice/core/grpc/generated/grpc/health/v1/health_pb"
import { file_grpc_reflection_v1_reflection } from "@sluice/core/grpc/generated/grpc/reflection/v1/reflection_pb"
import { file_grpc_reflection_v1alpha_reflection } from "@sluice/core/grpc/generated/grpc/reflection/v1alpha/reflection_pb"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"

export { missing } from "./GrpcPython.ts"

const script = fileURLToPath(new URL("./grpc/greeter.py", import.meta.url))

const encoded = (file: DescFile): string =>
  Buffer.from(toBinary(FileDescriptorProtoSchema, file.proto)).toString("base64")

/** The script does not know the greeter: reflection tells it. */
const descriptors = [
  file_grpc_health_v1_health,
  file_grpc_reflection_v1_reflection,
  file_grpc_reflection_v1alpha_reflection
].map(encoded)

/** What was called, and what came. */
export type Heard = readonly [what: string, value: unknown]

/** Runs it for the length of the scope at most: `all` calls everything once, `watch` watches the greeter's health. */
export const start = Effect.fnUntraced(function* (mode: "all" | "watch", where: string) {
  const heard = yield* Queue.unbounded<Heard>()
  const ended = yield* Deferred.make<{ readonly code: number | null; readonly stderr: string }>()
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => ChildProcess.spawn("/usr/bin/python3", [script, mode, where, ...descriptors], { stdio: "pipe" })),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  let stderr = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text
  })
  Readline.createInterface({ input: child.stdout }).on("line", (line) =>
    Queue.offerUnsafe(heard, JSON.parse(line) as Heard)
  )
  child.on("close", (code) => Deferred.doneUnsafe(ended, Effect.succeed({ code, stderr })))
  return {
    next: Queue.take(heard),
    /** All that has not been taken, once it has ended; it has to end well. */
    rest: Effect.flatMap(Deferred.await(ended), ({ code, stderr }) =>
      code === 0 ? Queue.takeAll(heard) : Effect.die(new Error(`the client of grpcio ended with ${code}\n${stderr}`))
    )
  }
})
