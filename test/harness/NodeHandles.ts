/** What a test left open, as Node counts it. */
import { afterEach, assert, beforeEach } from "@effect/vitest"

const kinds = ["TCPSocketWrap", "TCPServerWrap", "PipeWrap", "PipeServerWrap", "FSEventWrap"]

const handles = (): ReadonlyArray<string> =>
  process
    .getActiveResourcesInfo()
    .filter((kind) => kinds.includes(kind))
    .sort()

/**
 * After each test of the file, no socket, server or watcher is left that was
 * not there before. A handle that is closed goes some turns of the event loop
 * later; nothing is waited for but those.
 */
export const leaveNoHandles = (): void => {
  let before: ReadonlyArray<string> = []
  beforeEach(() => {
    before = handles()
  })
  afterEach(async () => {
    for (let turn = 0; turn < 2_000 && handles().length > before.length; turn++) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.deepStrictEqual(handles(), before)
  })
}
