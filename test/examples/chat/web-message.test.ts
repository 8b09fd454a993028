/** The page is plain JavaScript, and has its limits and codes once more: here they are the same. */
import * as Fs from "node:fs"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Rooms from "@sluice/examples/chat/rooms"
import * as WebMessage from "@sluice/examples/chat/web-message"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

const pageFile = (name: string) =>
  Fs.readFileSync(fileURLToPath(new URL(`../../../packages/examples/src/chat/page/${name}`, import.meta.url)), "utf8")

const key = "0123456789abcdef"

describe("what the page and its door say", () => {
  const requests: ReadonlyArray<readonly [json: string, isRequest: boolean]> = [
    [`{"_tag":"Hello","name":"ann","room":"lobby","key":"${key}"}`, true],
    [`{"_tag":"Hello","room":"lobby","key":"${key}"}`, true],
    [`{"_tag":"Hello","room":"lobby"}`, false],
    [`{"_tag":"Hello","room":"lobby","key":"${"x".repeat(65)}"}`, false],
    [`{"_tag":"Say","text":"hello"}`, true],
    [`{"_tag":"Say","text":1}`, false],
    [`{"_tag":"Rename","name":"ann"}`, true],
    [`{"_tag":"Move","room":"games"}`, true],
    [`{"_tag":"Entered"}`, false],
    ["null", false],
    ["{", false]
  ]
  const decode = Schema.decodeUnknownResult(Schema.fromJsonString(WebMessage.Request))
  for (const [json, isRequest] of requests) {
    it(`${json} is ${isRequest ? "a" : "no"} request`, () =>
      assert.strictEqual(Result.isSuccess(decode(json)), isRequest))
  }

  it("the page's fields hold what the rooms take", () => {
    const lengths = [...pageFile("index.html").matchAll(/id="([\w-]+)"[^>]*? maxlength="(\d+)"/g)]
    assert.deepStrictEqual(
      lengths.map((match) => [match[1], Number(match[2])]),
      [
        ["join-name", Rooms.maxNameChars],
        ["join-room", Rooms.maxNameChars],
        ["new-room-name", Rooms.maxNameChars],
        ["text", Rooms.maxTextChars],
        ["rename-name", Rooms.maxNameChars]
      ]
    )
  })

  it("the page knows the door's close codes", () => {
    const script = pageFile("connection.js")
    const { broken, ...known } = WebMessage.closeCodes
    for (const [name, code] of Object.entries(known)) assert.include(script, `const ${name} = ${code}\n`)
    assert.notInclude(script, `${broken}`)
  })

  it("the page begins in the lobby", () => assert.include(pageFile("page.js"), `const lobby = "${Rooms.lobby}"\n`))
})
