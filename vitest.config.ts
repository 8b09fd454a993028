import { defaultServerConditions } from "vite"
import { defineConfig } from "vitest/config"

const conditions = ["@sluice/source", ...defaultServerConditions]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 20_000,
    hookTimeout: 20_000
  }
})
