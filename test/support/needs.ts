/**
 * Programs that a few tests need and a bare machine lacks. A test says so with a tag, as in
 * `describe("behind nginx", { tags: "nginx" }, …)`; where the program is missing it is left out and the end of
 * the run names it. With CI set nothing is left out: the test runs, and fails.
 */
import { spawnSync } from "node:child_process";
import type { Reporter, TestModule } from "vitest/node";

interface Need {
  readonly name: string;
  readonly install: string;
  isMet(): boolean;
}

const MODULES = "import requests, websockets, grpc, google.protobuf";
/** Debian's modules are for its own interpreter, whichever comes first in the path. */
export const python = ["python3", "/usr/bin/python3"].find((one) => runs(one, "-c", MODULES));

export const needs: readonly Need[] = [
  { name: "nginx", install: "apt-get install nginx-light", isMet: () => runs("nginx", "-v") },
  {
    name: "python",
    install: "apt-get install python3-{requests,websockets,grpcio,protobuf} protobuf-compiler",
    isMet: () => python !== undefined && runs("protoc", "--version"),
  },
];

/** Ends the report with what was left out, and how to bring it. */
export const leftOut: Reporter = {
  onTestRunEnd(modules: readonly TestModule[]) {
    const skipped = modules.flatMap((one) => [...one.children.allTests("skipped")]);
    for (const { name, install } of needs) {
      const count = skipped.filter((test) => test.tags.includes(name)).length;
      if (count > 0) process.stdout.write(`left out: ${count} tests need ${name}: ${install}\n`);
    }
  },
};

function runs(program: string, ...args: readonly string[]): boolean {
  return spawnSync(program, args).status === 0;
}
