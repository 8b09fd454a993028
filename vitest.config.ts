import * as Os from "node:os"
import { defaultServerConditions } from "vite"
import { defineConfig } from "vitest/config"

const conditions = ["@sluice/source", ...defaultServerConditions]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["test/**/*.test.ts"],
    // Many tests wait for processes: on two cores two files at a time take two thirds of the time.
    maxWorkers: Math.max(2, Os.availableParallelism() - 1),
    testTimeout: 20_000,
    hookTimeout: 20_000
  }
})
