import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const src = fileURLToPath(new URL("../src/", import.meta.url));

const DECLARATION =
  /^export (?:abstract |async )?(const|let|function\*?|class|interface|type|enum) (\w+)/gm;

const exported = readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .flatMap((path) =>
    [...readFileSync(src + path, "utf8").matchAll(DECLARATION)].map(([, kind = "", name = ""]) => ({
      path,
      kind,
      name,
    })),
  );

test("the exported names were read", () => {
  expect(exported.length).toBeGreaterThan(400);
});

test("an exported name is defined in one file", () => {
  const files = new Map<string, string[]>();
  for (const { path, name } of exported) {
    // the database finds a migration's steps by these names
    if (path.startsWith("storage/migrations/")) continue;
    files.set(name, [...(files.get(name) ?? []), path]);
  }
  expect([...files].filter(([, paths]) => paths.length > 1)).toEqual([]);
});

test("upper bounds are named max… and MAX_…", () => {
  const OTHER_WORDS = /^(most|longest|largest|least)[A-Z]|^(MOST|LONGEST|LARGEST|LEAST)_/;
  const wrong = exported.filter(
    ({ kind, name }) => /^(const|function)/.test(kind) && OTHER_WORDS.test(name),
  );
  expect(wrong).toEqual([]);
});
