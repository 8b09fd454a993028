import { assert, describe, it } from "@effect/vitest"
import * as CommandLine from "@sluice/examples/command-line"
import * as Option from "effect/Option"

describe("parseTarget", () => {
  const cases: ReadonlyArray<readonly [input: string, target: unknown]> = [
    ["127.0.0.1:80", { host: "127.0.0.1", port: 80 }],
    ["example.test:65535", { host: "example.test", port: 65_535 }],
    ["[::1]:80", { host: "::1", port: 80 }],
    ["unix:///run/app.sock", { path: "/run/app.sock" }],
    ["example.test", undefined],
    ["example.test:", undefined],
    [":80", undefined],
    ["a:0", undefined],
    ["a:65536", undefined],
    ["::1:80", undefined]
  ]
  for (const [input, target] of cases) {
    it(input, () => assert.deepStrictEqual(Option.getOrUndefined(CommandLine.parseTarget(input)), target))
  }
})
