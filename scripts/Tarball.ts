/** What a package's tarball must hold, and what it must not. */
import * as Fs from "node:fs"
import * as Path from "node:path"

/** As `npm pack --json` reports it. */
export interface Tarball {
  readonly name: string
  readonly filename: string
  readonly files: ReadonlyArray<{ readonly path: string }>
}

/** Reads the answer of `npm pack --json`: a list, or (since npm 12) one entry a package. */
export const decode = (json: string): ReadonlyArray<Tarball> => Object.values(JSON.parse(json))

/** What is wrong with a tarball of these sources: a file is missing, or one is there that is not for consumers. */
export const problems = (tarball: Tarball, sources: ReadonlyArray<string>): ReadonlyArray<string> => {
  const paths = new Set(tarball.files.map((file) => file.path))
  const needed = ["package.json", "LICENSE", "README.md", ...sources.flatMap(wanted)]
  return [
    ...needed.filter((path) => !paths.has(path)).map((path) => `${path} is missing`),
    ...[...paths].filter((path) => !expected.test(path) || unwanted.test(path)).map((path) => `${path} is for nobody`),
    ...[...paths].filter((path) => isStale(path, paths)).map((path) => `${path} has no source`)
  ]
}

/** The TypeScript sources of a package, from its `src`. */
export const sourcesOf = (root: string, tarball: Tarball): ReadonlyArray<string> => {
  const folder = Path.join(root, "packages", tarball.name.replace("@sluice/", ""), "src")
  return Fs.readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => name.split(Path.sep).join("/"))
}

/** The modules below an `internal/` folder, as a consumer would name them. */
export const internalModules = (tarball: Tarball): ReadonlyArray<string> =>
  tarball.files
    .map((file) => /^src\/(.*\binternal\/.*)\.ts$/.exec(file.path)?.[1])
    .filter((module) => module !== undefined)
    .map((module) => `${tarball.name}/${module}`)

/** A `page` folder is served to browsers as it is, by programs and by their builds. */
const expected =
  /^(?:package\.json|LICENSE|README\.md|src\/.*\.ts|src\/.*\/page\/[\w-]+\.(?:html|css|js|svg)|dist\/.*\.(?:js|d\.ts)(?:\.map)?)$/
const unwanted = /\.(?:test|spec|bench)\.|(?:^|\/)(?:test|tests|__tests__|node_modules)\//

/** A source with its program, its declarations, and the maps that lead back to it. */
const wanted = (source: string): ReadonlyArray<string> => {
  const output = `dist/${source.slice(0, -3)}`
  return [`src/${source}`, `${output}.js`, `${output}.js.map`, `${output}.d.ts`, `${output}.d.ts.map`]
}

const isStale = (path: string, paths: ReadonlySet<string>): boolean => {
  const output = /^dist\/(.*?)(?:\.js|\.d\.ts)(?:\.map)?$/.exec(path)?.[1]
  return output !== undefined && !paths.has(`src/${output}.ts`)
}
