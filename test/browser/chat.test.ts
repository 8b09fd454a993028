/** The chat's page in a real browser, and the program as a process, with a terminal beside it. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type * as Dialer from "@sluice/core/transport/Dialer"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Effect from "effect/Effect"
import type { Page } from "playwright-core"
import * as Program from "../examples/support/Program.ts"
import * as Started from "../examples/support/Started.ts"
import * as Browser from "./Browser.ts"

/** The chat; the same ports again for one that comes after another. */
const start = Effect.fnUntraced(function* (ports: { readonly tcp: string; readonly web: string }) {
  const program = yield* Program.serve("chat", ["chat", "--port", ports.tcp, "--web-port", ports.web])
  yield* program.line
  const url = (yield* program.line).replace("page: ", "")
  return { ...program, url, ports: { tcp: program.where.split(":")[1]!, web: new URL(url).port } }
})

const chat = Effect.gen(function* () {
  return { program: yield* start({ tcp: "0", web: "0" }), browser: yield* Browser.make }
})

/** Somebody at a terminal, who has come in. */
const terminal = Effect.fnUntraced(function* (program: { readonly address: Dialer.Target }, name: string) {
  const talk = yield* Started.talk(program.address)
  while (!(yield* talk.line).startsWith("* welcome"));
  yield* talk.say(`/nick ${name}\n`)
  while ((yield* talk.line) !== `* you are ${name} now`);
  return talk
})

const join = async (page: Page, name: string): Promise<void> => {
  await page.getByLabel("Your name").first().fill(name)
  await page.getByRole("button", { name: "Join" }).click()
  await page.locator("#chat").waitFor()
}

const say = async (page: Page, text: string): Promise<void> => {
  await page.getByLabel("Message", { exact: true }).fill(text)
  await page.getByRole("button", { name: "Send" }).click()
}

const lastText = (page: Page) => page.locator("#messages .text").last()

const people = (page: Page) => page.locator("#people .name").allTextContents()

/** Cells of a door's row: who is here, and messages in and out. */
const counts = (page: Page, door: string, cells: ReadonlyArray<number>) =>
  Promise.all(
    cells.map((count, index) => Browser.shows(page.locator(`tr[data-door=${door}] td`).nth(index), `${count}`))
  )

const longWord = "x".repeat(400)

describe.skipIf(Browser.missing !== undefined)(
  `the chat's page in Chromium${Browser.missing === undefined ? "" : ` (skipped: ${Browser.missing})`}`,
  { timeout: 60_000 },
  () => {
    beforeAll(Browser.launch, 60_000)
    afterAll(Browser.close)

    it.live("what is said in a browser is read at a terminal, and the other way; people and counts follow", () =>
      Effect.gen(function* () {
        const { browser, program } = yield* chat
        const page = yield* browser.open(program.url)
        yield* Effect.promise(async () => {
          await join(page, "ann")
          await Browser.shows(page.locator("#state"), "Connected")
          await page.getByText("Nothing was said here yet.").waitFor()
        })
        const bob = yield* terminal(program, "bob")
        yield* bob.say("hello from a terminal\n")
        yield* Effect.promise(async () => {
          await Browser.shows(lastText(page), "hello from a terminal")
          await Browser.shows(page.locator("#messages .tag"), "by tcp")
          assert.deepStrictEqual(await people(page), ["ann", "bob"])
          await say(page, "hello from a browser")
          await Browser.shows(lastText(page), "hello from a browser")
        })
        assert.strictEqual(yield* bob.line, "ann: hello from a browser")
        yield* Effect.promise(async () => {
          await counts(page, "web", [1, 1, 2])
          await counts(page, "tcp", [1, 1, 1])
        })
        yield* bob.say("/quit\n")
        yield* Effect.promise(async () => {
          await page.getByText("bob left").waitFor()
          assert.deepStrictEqual(await people(page), ["ann"])
          await counts(page, "tcp", [0, 1, 1])
        })
        assert.deepStrictEqual(browser.problems, [])
      }).pipe(Effect.provide(NodeTransport.layerDialer()))
    )

    it.live("what people write is text, whatever it looks like", () =>
      Effect.gen(function* () {
        const { browser, program } = yield* chat
        const page = yield* browser.open(program.url)
        const markup = '<img src="x" onerror="document.title = 1"><script>document.title = 2</script>'
        yield* Effect.promise(async () => {
          await join(page, "ann")
          await say(page, markup)
          await Browser.shows(lastText(page), markup)
          assert.strictEqual(await page.locator("#messages img, #messages script").count(), 0)
          assert.strictEqual(await page.title(), "lobby · Sluice chat")
        })
        assert.deepStrictEqual(browser.problems, [])
      })
    )

    it.live("by keyboard alone: come in, talk, change the name, go to a room and back", () =>
      Effect.gen(function* () {
        const { browser, program } = yield* chat
        const page = yield* browser.open(program.url)
        const press = async (...keys: ReadonlyArray<string>) => {
          for (const key of keys) await page.keyboard.press(key)
        }
        yield* Effect.promise(async () => {
          assert.strictEqual(await Browser.focused(page), "join-name")
          await page.keyboard.type("ann")
          await press("Enter")
          await page.locator("#chat").waitFor()
          assert.strictEqual(await Browser.focused(page), "text")
          await Browser.assertFocusVisible(page)
          await page.keyboard.type("hello")
          await press("Enter")
          await Browser.shows(lastText(page), "hello")

          await press("Shift+Tab")
          assert.strictEqual(await Browser.focused(page), "own-name")
          await Browser.assertFocusVisible(page)
          await press("Enter")
          assert.strictEqual(await Browser.focused(page), "rename-name")
          await page.keyboard.type("a b")
          await press("Enter")
          await page.getByText("A name is 1 to 20").waitFor()
          await press("Control+a")
          await page.keyboard.type("anna")
          await press("Enter")
          await Browser.shows(page.locator("#own-name"), "anna")
          assert.strictEqual(await Browser.focused(page), "own-name")

          await page.locator("#new-room-name").focus()
          await page.keyboard.type("games")
          await press("Enter")
          await Browser.shows(page.locator("#room-name"), "games")
          await Browser.shows(page.locator("#announcement"), "You are in games now. You are alone here.")
          assert.strictEqual(await Browser.focused(page), "text")
          await page.locator("#rooms a").nth(1).waitFor()
          await page.locator("#rooms a").first().focus()
          await press("Enter")
          await Browser.shows(page.locator("#room-name"), "lobby")
          await page.goBack()
          await Browser.shows(page.locator("#room-name"), "games")
          assert.strictEqual(await page.locator("#rooms [aria-current=page] .room-label").textContent(), "games")
        })
        assert.deepStrictEqual(browser.problems, [])
      })
    )

    it.live("every stop of the Tab key can be seen, and all of the page is reached", () =>
      Effect.gen(function* () {
        const { browser, program } = yield* chat
        const page = yield* browser.open(program.url)
        yield* Effect.promise(async () => {
          await join(page, "ann")
          await page.locator("#rooms a").waitFor()
          await page.locator(".skip").focus()
          const stops: Array<string> = []
          while (stops.at(-1) !== "send") {
            await page.keyboard.press("Tab")
            await Browser.assertFocusVisible(page)
            stops.push(await Browser.focused(page))
          }
          assert.deepStrictEqual(stops, [
            "lobby 1 person",
            "new-room-name",
            "Create",
            "leave",
            "log",
            "own-name",
            "text",
            "send"
          ])
        })
        assert.deepStrictEqual(browser.problems, [])
      })
    )

    it.live("comes back by itself when the server does, with its name, and with the text that was typed", () =>
      Effect.gen(function* () {
        const { browser, program } = yield* chat
        const page = yield* browser.open(program.url)
        yield* Effect.promise(async () => {
          await join(page, "ann")
          await page.getByLabel("Message", { exact: true }).fill("not sent yet")
        })
        yield* program.signal("SIGTERM")
        assert.strictEqual((yield* program.ended).code, 0)
        yield* Effect.promise(async () => {
          await page.getByText("The server is going down. Reconnecting").waitFor()
          await Browser.shows(page.locator("#state"), "Reconnecting")
          await page.keyboard.press("Enter")
          await page.getByText("nothing was sent, and your text is kept").waitFor({ state: "attached" })
        })
        const again = yield* start(program.ports)
        const bob = yield* terminal(again, "bob")
        yield* Effect.promise(async () => {
          await Browser.shows(page.locator("#state"), "Connected")
          assert.isFalse(await page.locator("#lost").isVisible())
          assert.strictEqual(await page.locator("#own-name").textContent(), "ann")
          assert.strictEqual(await page.getByLabel("Message", { exact: true }).inputValue(), "not sent yet")
          await page.getByRole("button", { name: "Send" }).click()
        })
        yield* Effect.repeat(bob.line, { until: (line) => line === "ann: not sent yet" })
        // The browser itself tells of each attempt that found no server.
        const others = browser.problems.filter((problem) => !/^error: WebSocket connection to /.test(problem))
        assert.deepStrictEqual(others, [])
      }).pipe(Effect.provide(NodeTransport.layerDialer()))
    )

    it.live("the address names the room; one that is none leads to the lobby", () =>
      Effect.gen(function* () {
        const { browser, program } = yield* chat
        for (const [address, room] of [
          ["#games", "games"],
          ["#%", "lobby"],
          ["", "lobby"]
        ] as const) {
          const page = yield* browser.open(`${program.url}${address}`)
          yield* Effect.promise(async () => {
            await join(page, `in_${address.length}`)
            await Browser.shows(page.locator("#room-name"), room)
            await page.close()
          })
        }
        assert.deepStrictEqual(browser.problems, [])
      })
    )

    it.live("a name that is taken is told at its field; a reload comes in again", () =>
      Effect.gen(function* () {
        const { browser, program } = yield* chat
        yield* terminal(program, "bob")
        const page = yield* browser.open(program.url)
        yield* Effect.promise(async () => {
          await page.getByLabel("Your name").first().fill("Bob")
          await page.keyboard.press("Enter")
          await Browser.shows(page.locator("#join-problem"), "Somebody here has that name.")
          assert.strictEqual(await Browser.focused(page), "join-name")
          assert.strictEqual(await page.locator("#join-name").getAttribute("aria-invalid"), "true")
          await join(page, "ann")
          await page.getByLabel("Message", { exact: true }).fill("half a sent")
          await page.reload()
          await page.locator("#chat").waitFor()
          assert.deepStrictEqual(await people(page), ["ann", "bob"])
          assert.strictEqual(await page.getByLabel("Message", { exact: true }).inputValue(), "half a sent")
        })
        assert.deepStrictEqual(browser.problems, [])
      }).pipe(Effect.provide(NodeTransport.layerDialer()))
    )

    it.live("on a phone nothing is wider than the screen, and the menu gives the rooms", () =>
      Effect.gen(function* () {
        const { browser, program } = yield* chat
        const page = yield* browser.open(program.url, {
          viewport: { width: 375, height: 700 },
          isMobile: true,
          hasTouch: true
        })
        const assertFits = async () =>
          assert.strictEqual(await page.evaluate("document.documentElement.scrollWidth"), 375)
        yield* Effect.promise(async () => {
          await assertFits()
          await join(page, "a_name_of_20_letters")
          await say(page, longWord)
          await Browser.shows(lastText(page), longWord)
          await assertFits()
          assert.isAtMost(await page.evaluate<number>("document.getElementById('log').scrollWidth"), 375)
          const menu = page.getByRole("button", { name: "Menu" })
          assert.isFalse(await page.locator("#side").isVisible())
          await menu.tap()
          assert.strictEqual(await menu.getAttribute("aria-expanded"), "true")
          await assertFits()
          await page.keyboard.press("Escape")
          assert.isFalse(await page.locator("#side").isVisible())
          assert.strictEqual(await Browser.focused(page), "menu")
          await menu.tap()
          await page.locator("#new-room-name").fill("games")
          await page.getByRole("button", { name: "Create" }).tap()
          await Browser.shows(page.locator("#room-name"), "games")
          assert.isFalse(await page.locator("#side").isVisible())
        })
        assert.deepStrictEqual(browser.problems, [])
      })
    )

    it.live("whoever reads above is not taken away, and the log has a bound", () =>
      Effect.gen(function* () {
        const { browser, program } = yield* chat
        const bob = yield* terminal(program, "bob")
        const page = yield* browser.open(program.url)
        yield* Effect.promise(() => join(page, "ann"))
        yield* bob.say(Array.from({ length: 400 }, (_, index) => `line ${index}\n`).join(""))
        yield* Effect.promise(async () => {
          await Browser.shows(lastText(page), "line 399")
          assert.strictEqual(await page.locator("#messages li").count(), 300)
          await page.evaluate("document.getElementById('log').scrollTop = 0")
        })
        yield* bob.say("one more\n")
        yield* Effect.promise(async () => {
          await page.getByRole("button", { name: "New messages" }).waitFor()
          assert.isBelow(await page.evaluate<number>("document.getElementById('log').scrollTop"), 100)
          await page.getByRole("button", { name: "New messages" }).click()
          assert.isFalse(await page.locator("#newest").isVisible())
          assert.isTrue(await lastText(page).isVisible())
        })
        assert.deepStrictEqual(browser.problems, [])
      }).pipe(Effect.provide(NodeTransport.layerDialer()))
    )

    for (const colorScheme of ["light", "dark"] as const) {
      it.live(`${colorScheme}: every control has a name, and every text can be read`, () =>
        Effect.gen(function* () {
          const { browser, program } = yield* chat
          yield* terminal(program, "bob")
          const page = yield* browser.open(program.url, { colorScheme, reducedMotion: "reduce" })
          const assertNamed = async (landmarks: ReadonlyArray<string>) => {
            const tree = await Browser.accessibilityTree(page)
            const controls = tree.filter(({ role }) =>
              /^(?:button|link|textbox|dialog|log|table|navigation)$/.test(role)
            )
            assert.deepStrictEqual(
              controls.filter(({ name }) => name === ""),
              []
            )
            assert.includeMembers(
              tree.map(({ role }) => role),
              [...landmarks]
            )
            assert.deepStrictEqual(await Browser.faintTexts(page), [])
          }
          yield* Effect.promise(async () => {
            await assertNamed(["main", "heading", "textbox", "button"])
            // Many names, so that each colour of names is among them.
            for (const name of ["ann", "b", "c", "d", "e", "f", "g", "h"]) {
              if (name === "ann") await join(page, name)
              await say(page, `I am ${name}`)
              await Browser.shows(lastText(page), `I am ${name}`)
              await page.locator("#own-name").click()
              await page.locator("#rename-name").fill(`${name}2`)
              await page.keyboard.press("Enter")
              await Browser.shows(page.locator("#own-name"), `${name}2`)
            }
            await assertNamed(["banner", "main", "navigation", "complementary", "log", "status", "table"])
            await page.locator("#own-name").click()
            await assertNamed(["dialog"])
          })
          assert.deepStrictEqual(browser.problems, [])
        }).pipe(Effect.provide(NodeTransport.layerDialer()))
      )
    }
  }
)
