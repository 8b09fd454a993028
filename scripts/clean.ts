/** Removes what the build wrote. */
import * as Fs from "node:fs"
import * as Path from "node:path"

const root = Path.resolve(import.meta.dirname, "..")
for (const name of ["core", "node", "examples"])
  Fs.rmSync(Path.join(root, "packages", name, "dist"), { recursive: true, force: true })
