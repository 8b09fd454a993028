/**
 * Where figures come from: the machine and the versions, without which they
 * mean nothing to anybody else.
 */
import * as Fs from "node:fs"
import * as Module from "node:module"
import * as Os from "node:os"
import * as Path from "node:path"

export interface Machine {
  readonly processor: string
  readonly coreCount: number
  readonly memoryBytes: number
  readonly system: string
  readonly node: string
  /** The subject and all peers: the dependencies of this package, as they are installed. */
  readonly packages: Readonly<Record<string, string>>
}

export const describe = (): Machine => {
  const cores = Os.cpus()
  return {
    processor: cores[0]?.model ?? "unknown",
    coreCount: cores.length,
    memoryBytes: Os.totalmem(),
    system: `${Os.type()} ${Os.release()} ${Os.arch()}`,
    node: process.version,
    packages: packageVersions(Path.resolve(import.meta.dirname, "../package.json"))
  }
}

const packageVersions = (manifestFile: string): Record<string, string> => {
  const manifest = JSON.parse(Fs.readFileSync(manifestFile, "utf8"))
  const names = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })
    // Types do not run.
    .filter((name) => !name.startsWith("@types/"))
  return Object.fromEntries(names.map((name) => [name, installedVersion(name, manifestFile)]))
}

/** Looks where Node would look, and reads the manifest itself: not every package exports it. */
const installedVersion = (name: string, from: string): string => {
  const folders = Module.createRequire(from).resolve.paths(name) ?? []
  const file = folders.map((folder) => Path.join(folder, name, "package.json")).find((path) => Fs.existsSync(path))
  return file === undefined ? "not installed" : JSON.parse(Fs.readFileSync(file, "utf8")).version
}
