/**
 * The stories of http2jp/hpack-test-case: what several encoders made of the
 * same lists, one connection a file. They are no part of this repository:
 * `SLUICE_HPACK_STORIES` names the folder that has them, compacted, a folder
 * for each encoder.
 *
 * Each block is decoded exactly, and encoded and decoded again.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { HpackDecoder } from "@sluice/core/protocol/hpack/HpackDecoder"
import { HpackEncoder } from "@sluice/core/protocol/hpack/HpackEncoder"
import { assert, describe, it } from "vitest"
import { decode, encode, entriesOf, type Field } from "../core/protocol/hpack/HpackWire.ts"

interface Story {
  readonly cases: ReadonlyArray<{
    readonly wire: string
    readonly headers: ReadonlyArray<Readonly<Record<string, string>>>
    /** The setting from this case on. */
    readonly header_table_size?: number
  }>
}

const folder = process.env.SLUICE_HPACK_STORIES ?? ""
const encoders = Fs.existsSync(folder)
  ? Fs.readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  : []
if (encoders.length === 0) {
  it.skip("no stories: SLUICE_HPACK_STORIES names no folder of http2jp/hpack-test-case")
}

for (const { name: encoderName } of encoders) {
  describe(encoderName, () => {
    for (const file of Fs.readdirSync(Path.join(folder, encoderName))) {
      it(file, () => {
        const story: Story = JSON.parse(Fs.readFileSync(Path.join(folder, encoderName, file), "utf8"))
        const theirs = new HpackDecoder()
        const encoder = new HpackEncoder()
        const ours = new HpackDecoder()
        for (const { header_table_size: setting, headers, wire } of story.cases) {
          if (setting !== undefined) {
            theirs.setMaxTableBytes(setting)
            ours.setMaxTableBytes(setting)
            encoder.setPeerMaxTableBytes(setting)
          }
          const fields = headers.flatMap((one): ReadonlyArray<Field> => Object.entries(one))
          const expected = { fields, outcome: undefined }
          assert.deepStrictEqual(decode(theirs, [Buffer.from(wire, "hex")]), expected)
          const { fields: again, outcome } = decode(ours, [encode(encoder, fields)])
          assert.deepStrictEqual([again.map(([name, value]) => [name, value]), outcome], [fields, undefined])
          assert.deepStrictEqual(entriesOf(ours), entriesOf(encoder))
        }
        assert.isAbove(story.cases.length, 0)
      })
    }
  })
}
