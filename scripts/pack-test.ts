/**
 * Tests the packages as a consumer gets them: builds, packs, installs the
 * tarballs into an empty project, then type-checks and runs a program there.
 *
 * What only fails after publishing fails here: a file that is not in
 * `files`, an export without a target, a declaration that does not resolve, an
 * import of what is no dependency.
 */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Tarball from "./Tarball.ts"

const root = Path.resolve(import.meta.dirname, "..")
const packages = ["core", "node", "examples"]

const main = (): void => {
  const temporary = Fs.mkdtempSync(Path.join(Os.tmpdir(), "sluice-pack-"))
  try {
    step("build", () => {
      npm(root, "run", "clean")
      npm(root, "run", "build")
    })
    const tarballs = step("pack", () => pack(temporary))
    step("what the tarballs hold", () => {
      const found = tarballs.flatMap((tarball) =>
        Tarball.problems(tarball, Tarball.sourcesOf(root, tarball)).map((problem) => `${tarball.name}: ${problem}`)
      )
      if (found.length > 0) throw new Error(`the tarballs are not right\n  ${found.join("\n  ")}`)
    })
    const consumer = Path.join(temporary, "consumer")
    step("install into an empty project", () => install(consumer, temporary, tarballs))
    step("type-check the consumer", () => typeCheck(consumer))
    step("run the consumer", () => node(consumer, "main.ts"))
    step("internal folders are closed", () => internalsAreClosed(consumer, tarballs))
    step("the command line starts", () => commandLine(consumer))
  } finally {
    Fs.rmSync(temporary, { recursive: true, force: true })
  }
}

const step = <A>(name: string, run: () => A): A => {
  const start = performance.now()
  const result = run()
  console.log(`ok ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`)
  return result
}

const pack = (folder: string): ReadonlyArray<Tarball.Tarball> => {
  const workspaces = packages.flatMap((name) => ["--workspace", `packages/${name}`])
  return Tarball.decode(npm(root, "pack", "--json", "--pack-destination", folder, ...workspaces))
}

/** Installs what a reader of the README would: Sluice, the two Effect packages, and types for Node. */
const install = (consumer: string, folder: string, tarballs: ReadonlyArray<Tarball.Tarball>): void => {
  Fs.cpSync(Path.join(root, "scripts/consumer"), consumer, { recursive: true })
  const manifest = JSON.parse(Fs.readFileSync(Path.join(root, "package.json"), "utf8"))
  const versions = ["effect", "@effect/platform-node", "@types/node"].map(
    (name) => `${name}@${manifest.devDependencies[name]}`
  )
  const files = tarballs.map((tarball) => Path.join(folder, tarball.filename))
  Fs.writeFileSync(Path.join(consumer, "package.json"), '{ "private": true, "type": "module" }\n')
  npm(consumer, "install", "--prefix", consumer, ...installOptions, ...files, ...versions)
}

const installOptions = ["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts", "--save-exact"]

/** Both ways in which programs resolve modules today, and nothing skipped: our declarations must be sound. */
const typeCheck = (consumer: string): void => {
  for (const resolution of ["nodenext", "bundler"]) {
    const module = resolution === "bundler" ? "esnext" : "nodenext"
    const options = ["--module", module, "--moduleResolution", resolution, "--strict", "--noEmit", "--target", "es2022"]
    const extensions = ["--allowImportingTsExtensions", "--types", "node", "--skipLibCheck", "false"]
    node(consumer, Path.join(root, "node_modules/typescript/bin/tsc"), ...options, ...extensions, "main.ts")
  }
}

/** Asks for each file below an `internal/` of the tarballs, and for one that is not there. */
const internalsAreClosed = (consumer: string, tarballs: ReadonlyArray<Tarball.Tarball>): void => {
  const internals = tarballs.flatMap(Tarball.internalModules)
  const program = `
    for (const name of ${JSON.stringify([...internals, "@sluice/core/internal/Any", "@sluice/node/internal/Any"])}) {
      const code = await import(name).then(() => "imported", (error) => error.code)
      if (code !== "ERR_PACKAGE_PATH_NOT_EXPORTED") throw new Error(name + " is not closed: " + code)
    }`
  node(consumer, "--input-type=module", "--eval", program)
}

const commandLine = (consumer: string): void => {
  const shown = run(consumer, Path.join(consumer, "node_modules/.bin/sluice-examples"), ["--help"])
  for (const name of ["tcp-echo", "chat"]) {
    if (!shown.includes(name)) throw new Error(`sluice-examples --help does not name ${name}:\n${shown}`)
  }
}

const npm = (cwd: string, ...args: ReadonlyArray<string>): string => run(cwd, "npm", args)
const node = (cwd: string, ...args: ReadonlyArray<string>): string => run(cwd, process.execPath, args)

/** Runs a program to its end; its output is shown only when it fails. */
const run = (cwd: string, command: string, args: ReadonlyArray<string>): string => {
  const { NODE_OPTIONS: _, npm_config_local_prefix: __, ...env } = process.env
  const result = ChildProcess.spawnSync(command, args, { cwd, env, encoding: "utf8", timeout: 180_000 })
  if (result.error !== undefined) throw result.error
  if (result.status !== 0) {
    const shown = [command, ...args.map((arg) => (arg.length > 60 ? "…" : arg))].join(" ")
    throw new Error(`${shown}\nended with ${result.status ?? result.signal}\n${result.stdout}${result.stderr}`)
  }
  return result.stdout
}

try {
  main()
} catch (error) {
  console.error(`not ok: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
