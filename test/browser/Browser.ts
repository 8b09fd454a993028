/** Chromium, for as long as a test runs. */
import * as Fs from "node:fs"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import {
  type BrowserContextOptions,
  type Browser as Chromium,
  chromium,
  type Locator,
  type Page
} from "playwright-core"

const executablePath = "/usr/bin/chromium"

/** Why there is no browser to test with, where there is none. */
export const missing: string | undefined = Fs.existsSync(executablePath) ? undefined : `there is no ${executablePath}`

const args = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync"
]

let running: Chromium | undefined

/** One browser for the tests of a file: it takes longer to start than most of them. */
export const launch = async (): Promise<void> => {
  running = await chromium.launch({ executablePath, args })
}

export const close = async (): Promise<void> => running?.close()

/** The browser as one test has it. */
export interface Browser {
  /** A page in a profile of its own, which is empty. */
  readonly open: (url: string, options?: BrowserContextOptions) => Effect.Effect<Page, never, Scope.Scope>
  /** What pages have told their consoles, and answers that none of them should get. */
  readonly problems: ReadonlyArray<string>
}

export const make = Effect.sync((): Browser => {
  const problems: Array<string> = []
  const context = (options?: BrowserContextOptions) =>
    Effect.acquireRelease(
      Effect.promise(() => running!.newContext({ viewport: { width: 1280, height: 800 }, ...options })),
      (context) => Effect.promise(() => context.close())
    )
  return {
    problems,
    open: (url, options) =>
      Effect.flatMap(context(options), (context) =>
        Effect.promise(async () => {
          context.setDefaultTimeout(20_000)
          context.on("console", (message) => problems.push(`${message.type()}: ${message.text()}`))
          context.on("weberror", (error) => problems.push(`${error.error()}`))
          context.on("response", (response) => {
            if (response.status() >= 400) problems.push(`${response.status()} ${response.url()}`)
          })
          const page = await context.newPage()
          await page.goto(url)
          return page
        })
      )
  }
})

/** Waits until the element has exactly this text. */
export const shows = (locator: Locator, text: string): Promise<void> =>
  locator.and(locator.page().getByText(text, { exact: true })).waitFor()

/** What has the focus: its id, or else its role and text. */
export const focused = (page: Page): Promise<string> =>
  page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()")

/** The focus has an outline that can be seen. */
export const assertFocusVisible = async (page: Page): Promise<void> => {
  const outline = await page.evaluate(
    "(({ outlineStyle, outlineWidth }) => [outlineStyle, outlineWidth])(getComputedStyle(document.activeElement))"
  )
  assert.deepStrictEqual(outline, ["solid", "3px"], await focused(page))
}

interface Node {
  readonly ignored: boolean
  readonly role?: { readonly value: string }
  readonly name?: { readonly value: string }
}

/** The tree that a screen reader gets: roles and names. */
export const accessibilityTree = async (
  page: Page
): Promise<ReadonlyArray<{ readonly role: string; readonly name: string }>> => {
  const session = await page.context().newCDPSession(page)
  const { nodes } = (await session.send("Accessibility.getFullAXTree")) as { readonly nodes: ReadonlyArray<Node> }
  await session.detach()
  return nodes
    .filter((node) => !node.ignored)
    .map((node) => ({ role: node.role?.value ?? "", name: node.name?.value ?? "" }))
}

/** The texts whose contrast to what is behind them is below 4.5:1, as WCAG 2.2 §1.4.3 counts it. */
export const faintTexts = (page: Page): Promise<ReadonlyArray<string>> => page.evaluate(findFaintTexts)

const findFaintTexts = `(() => {
  const parse = (color) => color.match(/[\\d.]+/g).map(Number)
  const luminance = ([red, green, blue]) => {
    const linear = [red, green, blue].map((value) => {
      const share = value / 255
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
  }
  const behind = (element) => {
    for (let one = element; one !== null; one = one.parentElement) {
      const color = parse(getComputedStyle(one).backgroundColor)
      if (color[3] !== 0) return color
    }
    return [255, 255, 255]
  }
  const faint = []
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (texts.nextNode()) {
    const text = texts.currentNode.textContent.trim()
    const element = texts.currentNode.parentElement
    if (text === "" || !element.checkVisibility()) continue
    const pair = [luminance(parse(getComputedStyle(element).color)), luminance(behind(element))]
    const contrast = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05)
    if (contrast < 4.5) faint.push(contrast.toFixed(2) + " " + text)
  }
  return faint
})()`
