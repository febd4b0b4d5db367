import { existsSync, statfsSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { leftOut, needs } from "./test/support/needs.ts";

const inCI = process.env.CI !== undefined;
/** In this process and without a service. What a new folder holds is in the full ring. */
const QUICK = ["test", "test/limits", "test/{config,core,dialects,docs,http,metrics}/**"].map(
  (folder) => `${folder}/!(*.slow|*.system|*.heavy|*.deep).test.ts`,
);
/** Parley and its programs as processes, among real proxies, terminals, stores and other copies. */
const SYSTEM = ["test/{server,doctor,scripts}/**/!(*.heavy|*.deep).test.ts", "test/**/*.system.test.ts"];
/** What fills cores and memory, or measures them. */
const HEAVY = ["test/**/*.heavy.test.ts"];
/** What takes minutes: run by `npm run test:deep` alone. */
const DEEP = ["test/**/*.deep.test.ts"];
/** Programs from a package.json of their own: run by `npm run test:clients` alone. */
const CLIENTS = ["test/clients/npm/*.test.ts"];
/** In a real browser, by `npm run test:browser`. */
const BROWSER = ["test/browser/**/*.test.ts"];
const IN_MEMORY = "/dev/shm";
const ROOM_BYTES = 2 ** 30;
const services = ["test/support/services.ts"];

/** Thousands of databases that live for a second need no disk, nor does their server. */
function useQuickFolder(): void {
  if (process.env.TMPDIR !== undefined || !existsSync(IN_MEMORY)) return;
  const { bavail, bsize } = statfsSync(IN_MEMORY);
  if (bavail * bsize > ROOM_BYTES) process.env.TMPDIR = IN_MEMORY;
}
useQuickFolder();

const oneAtATime = (groupOrder: number) => ({ fileParallelism: false, sequence: { groupOrder } });

// A generous deadline keeps a busy machine from failing what is only slow.
export default defineConfig({
  test: {
    setupFiles: ["test/support/setup.ts"],
    isolate: false,
    maxWorkers: 3,
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
          exclude: [QUICK, SYSTEM, HEAVY, DEEP, BROWSER, CLIENTS, "**/node_modules/**"].flat(),
          globalSetup: services,
        },
      },
      { extends: true, test: { name: "system", include: SYSTEM, globalSetup: services } },
      { extends: true, test: { name: "browser", include: BROWSER, fileParallelism: false } },
      {
        extends: true,
        test: { name: "heavy", include: HEAVY, globalSetup: services, ...oneAtATime(1) },
      },
      {
        extends: true,
        test: { name: "deep", include: DEEP, globalSetup: services, ...oneAtATime(2) },
      },
      {
        extends: true,
        test: { name: "clients", include: CLIENTS, testTimeout: 180_000, ...oneAtATime(3) },
      },
    ],
  },
});
