/** Python's grpcio, as a process of its own: the official interop cases on gRPC's C core. */
import * as ChildProcess from "node:child_process"
import * as Readline from "node:readline"
import { fileURLToPath } from "node:url"
import { toBinary } from "@bufbuild/protobuf"
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt"
import { file_grpc_testing_messages } from "@sluice/examples/generated/grpc/testing/messages_pb"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Tool from "./Tool.ts"

const python = "/usr/bin/python3"
const script = fileURLToPath(new URL("./grpc/interop.py", import.meta.url))

/** The messages that both sides speak, for a script that generates no code. */
const descriptors = [
  Buffer.from(toBinary(FileDescriptorProtoSchema, file_grpc_testing_messages.proto)).toString("base64")
]

/** Why there is nobody to test with, where there is nobody. */
export const missing = (): string | undefined =>
  ChildProcess.spawnSync(python, ["-c", "import grpc, google.protobuf"], { timeout: 10_000 }).status === 0
    ? undefined
    : "there is no python3 with grpcio and protobuf"

/** What a client of grpcio says of each case, by its name: `passed`, or what is wrong. */
export const runCases = (port: number): Effect.Effect<Readonly<Record<string, string>>> =>
  Effect.map(Tool.run(python, [script, "client", String(port), ...descriptors]), ({ stderr, stdout }) => {
    const lines = String(stdout)
      .split("\n")
      .filter((line) => line !== "")
    if (lines.length === 0) throw new Error(stderr)
    return Object.fromEntries(lines.map((line) => JSON.parse(line) as [string, string]))
  })

/** A server of grpcio for the length of the scope; gives its port. */
export const serve: Effect.Effect<number, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.callback<readonly [ChildProcess.ChildProcess, number]>((resume) => {
      const child = ChildProcess.spawn(python, [script, "server", ...descriptors], {
        stdio: ["pipe", "pipe", "inherit"]
      })
      Readline.createInterface({ input: child.stdout }).once("line", (line) =>
        resume(Effect.succeed([child, Number(line)]))
      )
      child.once("error", (error) => resume(Effect.die(error)))
      child.once("exit", (code) => resume(Effect.die(new Error(`the server of grpcio ended with ${code}`))))
    }),
    ([child]) =>
      Effect.callback<void>((resume) => {
        child.once("close", () => resume(Effect.void))
        child.kill("SIGKILL")
      })
  ),
  ([, port]) => port
)
