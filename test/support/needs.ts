/**
 * Programs that a few tests need and a bare machine lacks. A test says so with a tag, as in
 * `describe("behind nginx", { tags: "nginx" }, …)`. Where the program is missing, the test is left out
 * and the end of the run says how to install it. With CI set the test runs all the same, and fails.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import type { Reporter } from "vitest/node";
import list from "./needs.json" with { type: "json" };

const MODULES = "import requests, websockets, grpc, google.protobuf";
/** Debian's modules are for its own interpreter, whichever comes first in the path. */
export const python = ["python3", "/usr/bin/python3"].find((one) => runs(one, "-c", MODULES));

const DEBIANS_POSTGRES = "/usr/lib/postgresql";
/** Debian's newest: the server that npm installs has no pg_basebackup. */
export const postgresPrograms = (
  existsSync(DEBIANS_POSTGRES) ? readdirSync(DEBIANS_POSTGRES).toSorted() : []
)
  .map((version) => `${DEBIANS_POSTGRES}/${version}/bin`)
  .findLast((folder) => existsSync(`${folder}/pg_basebackup`) && existsSync(`${folder}/postgres`));

/** Valkey is a Redis that went its own way; either will do. */
export const redisProgram =
  ["redis-server", "valkey-server"].find((one) => runs(one, "--version")) ?? "redis-server";

/** The engine without a window, which takes half the time, or a whole browser. */
export const chromiumProgram =
  ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]
    .map((name) => `/usr/bin/${name}`)
    .find(existsSync) ?? "/usr/bin/chromium";

/** .ci/run reads the same list, before there is a Node that reads this file, and installs what is missing. */
export const needs = list.map(({ check, ...need }) => ({
  ...need,
  isMet: runs("sh", "-c", check),
}));

export const leftOut: Reporter = {
  onTestRunEnd(modules) {
    const skipped = modules.flatMap(({ children }) => [...children.allTests("skipped")]);
    for (const { name, packages } of needs.filter(({ isMet }) => !isMet)) {
      const count = skipped.filter((test) => test.tags.includes(name)).length;
      if (count === 0) continue;
      process.stdout.write(
        `left out: ${count} tests need ${name}: apt-get install ${packages.join(" ")}\n`,
      );
    }
  },
};

function runs(program: string, ...args: readonly string[]): boolean {
  return spawnSync(program, args).status === 0;
}
