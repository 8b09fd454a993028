/** The sources of the workspace, as the architecture tests see them. */
import * as Fs from "node:fs"
import * as Path from "node:path"

export const root = Path.resolve(import.meta.dirname, "../..")

export interface SourceFile {
  /** From the root of the workspace, with slashes: `packages/core/src/bytes/ByteQueue.ts`. */
  readonly path: string
  readonly text: string
}

/** All TypeScript files below a folder of the workspace, in order. */
export const filesBelow = (folder: string): ReadonlyArray<SourceFile> => {
  const absolute = Path.join(root, folder)
  if (!Fs.existsSync(absolute)) return []
  return Fs.readdirSync(absolute, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !/(?:^|[\\/])(?:node_modules|dist)[\\/]/.test(name))
    .map((name) => `${folder}/${name.split(Path.sep).join("/")}`)
    .sort()
    .map((path) => ({ path, text: Fs.readFileSync(Path.join(root, path), "utf8") }))
}
