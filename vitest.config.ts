import { defineConfig } from "vitest/config";
import { leftOut, needs } from "./test/support/needs.ts";

const inCI = process.env.CI !== undefined;
/** In this process and without a service. What a new folder holds is in the full ring. */
const QUICK = ["test", "test/limits", "test/{config,core,dialects,docs,http,metrics}/**"].map(
  (folder) => `${folder}/!(*.slow|*.deep).test.ts`,
);
/** What takes minutes: run by `npm run test:deep` alone. */
const DEEP = ["test/**/*.deep.test.ts"];
const services = ["test/support/services.ts"];

// Suites start processes of their own, which need a core too; a generous deadline keeps a busy machine
// from failing what is only slow.
export default defineConfig({
  test: {
    setupFiles: ["test/support/setup.ts"],
    isolate: false,
    maxWorkers: 2,
    // on a machine that others use, what is only late is not wrong
    retry: inCI ? 2 : 0,
    testTimeout: 90_000,
    hookTimeout: 90_000,
    reporters: ["default", leftOut],
    tags: needs.map(({ name, isMet }) => ({ name, skip: !inCI && !isMet })),
    coverage: { include: ["src/**/*.ts"], reporter: ["text-summary"] },
    projects: [
      { extends: true, test: { name: "quick", include: QUICK } },
      {
        extends: true,
        test: {
          name: "full",
          include: ["test/**/*.test.ts"],
          exclude: [...QUICK, ...DEEP],
          globalSetup: services,
        },
      },
      {
        extends: true,
        test: {
          name: "deep",
          include: DEEP,
          // one at a time, after all others: these measure
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          globalSetup: services,
        },
      },
    ],
  },
});
