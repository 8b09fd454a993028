/**
 * Writes the TypeScript of all `.proto` files, by protoc-gen-es. Without a
 * network; what it wrote is committed, so that nobody else needs it.
 */
import * as ChildProcess from "node:child_process"
import * as Path from "node:path"

const root = Path.resolve(import.meta.dirname, "..")

/** The folders that have a `buf.gen.yaml`, and where it says that the sources go. */
const folders: ReadonlyArray<readonly [protos: string, sources: string]> = [
  ["packages/core/proto", "packages/core/src/grpc/generated"],
  ["packages/examples/proto", "packages/examples/src/generated"],
  ["test/vectors/protobuf", "test/harness/protobuf"]
]

const run = (folder: string, command: string, ...args: ReadonlyArray<string>): void => {
  const binaries = Path.join(root, "node_modules/.bin")
  const env = { ...process.env, PATH: `${binaries}${Path.delimiter}${process.env.PATH}` }
  const result = ChildProcess.spawnSync(command, args, { cwd: Path.join(root, folder), env, stdio: "inherit" })
  if (result.status !== 0)
    throw new Error(`${command} ${args.join(" ")} in ${folder}: ${result.error ?? result.status}`)
}

for (const [protos] of folders) run(protos, "buf", "generate")
run(".", "biome", "check", "--write", ...folders.map(([, sources]) => sources))
