import { defineConfig } from "vitest/config";

// Many suites wait for sockets and processes rather than for a core, so more of them than cores
// run at once; a generous deadline keeps a busy machine from failing what is only slow.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/build.ts"],
    maxWorkers: 3,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    coverage: { include: ["src/**"], reporter: ["text-summary"] },
  },
});
