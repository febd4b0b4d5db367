import { readdirSync, readFileSync } from "node:fs";
import { dirname, posix, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const src = fileURLToPath(new URL("../src/", import.meta.url));

/**
 * What each part may import besides itself. A part is a folder of src, or a file of it without its
 * ending; each dialect is a part of its own.
 */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  clock: ["core"],
  locales: [],
  parsing: [],
  upstream: ["core"],
  limits: ["core"],
  storage: ["core"],
  alerts: ["core"],
  http: ["core", "locales", "limits"],
  // each by itself: no dialect imports another
  "dialects/*": ["core", "locales", "http"],
  doctor: ["core", "locales"],
  // both a dialect and the command, which is a process
  admin: ["*"],
  // http parses addresses; storage has the same options for the server and the command
  config: ["core", "locales", "parsing", "http", "storage"],
  "line-writer": [],
  // both record the end of a request
  log: ["core", "http"],
  metrics: ["core", "http"],
  compose: ["*"],
  main: ["*"],
};

/** The parts that may import each package. Any part but core may import Node's own modules. */
const packages: Readonly<Record<string, readonly string[]>> = {
  openai: ["upstream"],
  undici: ["upstream", "alerts"],
  "@grpc/grpc-js": ["dialects/ask"],
  "@grpc/proto-loader": ["dialects/ask"],
  "@grpc/reflection": ["dialects/ask"],
  "grpc-health-check": ["dialects/ask"],
  "@fastify/busboy": ["http"],
  hono: ["dialects", "http", "limits", "admin"],
  "@hono/node-server": ["http", "admin"],
  "hono-rate-limiter": ["limits"],
  ioredis: ["limits"],
  i18next: ["locales"],
  leven: ["admin"],
  "prom-client": ["metrics"],
  "string-width": ["admin"],
  zod: ["parsing", "config", "dialects", "http", "admin"],
  "zod-openapi": ["dialects/docs"],
  kysely: ["storage"],
  pg: ["storage"],
  ws: ["dialects/ask"],
};

/** The entry points of the two processes: the server and the command. */
const entries = ["main.ts", "admin/cli.ts"];

const files = readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => ({ path, text: readFileSync(src + path, "utf8") }));

function partOf(path: string): string {
  const [first = "", second = ""] = path.split("/");
  if (first === "dialects" && !second.endsWith(".ts")) return `dialects/${second}`;
  return first.replace(/\.ts$/, "");
}

/** The row of a part in the table. */
function rowOf(part: string): string {
  return part.startsWith("dialects/") ? "dialects/*" : part;
}

const importPattern =
  /^(?:(?:import|export)\b[^"';]*?\bfrom|import)\s+"([^"]+)"|\bimport\(\s*"([^"]+)"/gm;
const imports = files.flatMap(({ path, text }) =>
  [...text.matchAll(importPattern)].map((found) => ({
    path,
    target: found[1] ?? found[2] ?? "",
  })),
);
const own = imports.filter(({ target }) => target.startsWith("."));

describe("every import of src", () => {
  test("is found", () => {
    expect(files.length).toBeGreaterThan(40);
    const lines = files.flatMap(
      ({ text }) => text.match(/\bfrom "[@.\w]|^import "|\bimport\(\s*"/gm) ?? [],
    );
    expect(imports.length).toBe(lines.length);
  });

  test("follows the table of parts", () => {
    const wrong = own.filter(({ path, target }) => {
      const to = posix.join(dirname(path), target);
      if (to.startsWith("../locales/")) return partOf(path) !== "locales";
      const allowed = mayImport[rowOf(partOf(path))] ?? [];
      return !(allowed.includes("*") || [partOf(path), ...allowed].includes(partOf(to)));
    });
    expect(wrong).toEqual([]);
  });

  test("leaves compose/ to main.ts, and main.ts to nobody", () => {
    const users = (part: string) =>
      own
        .filter(({ path, target }) => partOf(posix.join(dirname(path), target)) === part)
        .filter(({ path }) => partOf(path) !== part);
    expect([...new Set(users("compose").map(({ path }) => path))]).toEqual(["main.ts"]);
    expect(users("main")).toEqual([]);
  });

  test("takes packages only into their parts, and none into core", () => {
    const foreign = imports.filter(({ target }) => !target.startsWith("."));
    const wrong = foreign.filter(({ path, target }) => {
      if (partOf(path) === "core") return true;
      if (target.startsWith("node:")) return false;
      const name = target.split("/", target.startsWith("@") ? 2 : 1).join("/");
      const parts = packages[name] ?? [];
      return !parts.some((part) => partOf(path) === part || partOf(path).startsWith(`${part}/`));
    });
    expect(wrong).toEqual([]);
  });

  test("belongs to a part of the table, and every part exists", () => {
    const parts = new Set(files.map(({ path }) => rowOf(partOf(path))));
    expect([...parts].sort()).toEqual(Object.keys(mayImport).sort());
  });
});

test("only the two process entries touch the process", () => {
  const touching = files.filter(
    ({ text }) =>
      /(?<![\w.])process\s*(\.\w|\[|\?\.)/.test(text) || /["'](node:)?process["']/.test(text),
  );
  expect(touching.map(({ path }) => relative(".", path))).toEqual(entries);
});
