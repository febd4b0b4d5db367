/** What linters and generators of clients say of /openapi.json. */
import { describe, expect, test } from "vitest";
import { startScene } from "../../support/scene.ts";
import { type Ran, type Run, runPrograms } from "./programs.ts";

const ADMIN = { ADMIN_TOKEN: "admin-0123456789-0123456789" };
const settings = [
  { ROUTE: "api", METRICS_TOKEN: "metrics-0123456789", ...ADMIN },
  { API_KEY: "", CHATS_ACCESS: "open" },
];
const DOCUMENT = "openapi.json";
const MADE = "made.ts";
const TSCONFIG = JSON.stringify({
  compilerOptions: {
    strict: true,
    noEmit: true,
    target: "es2022",
    module: "esnext",
    moduleResolution: "bundler",
    lib: ["es2022", "dom", "dom.iterable"],
    types: [],
  },
  include: ["**/*.ts"],
});

async function documentOf(env: Readonly<Record<string, string>>): Promise<string> {
  const { parley } = await startScene(env);
  return (await fetch(`${parley.origin}/openapi.json`)).text();
}

/** Each beside the document. */
async function run(document: string, ...runs: readonly Run[]): Promise<Ran> {
  const [first, ...rest] = runs;
  if (first === undefined) throw new Error("nothing to run");
  return runPrograms([{ ...first, files: { [DOCUMENT]: document, ...first.files } }, ...rest]);
}

describe.each(settings)("/openapi.json, %j", (env) => {
  test("passes the recommended rules of Redocly", async () => {
    const { code, stderr } = await run(await documentOf(env), {
      program: "@redocly/cli/bin/cli.js",
      args: ["lint", "--extends", "recommended", DOCUMENT],
      env: { REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" },
    });
    expect(stderr).toContain("Your API description is valid");
    expect(code).toBe(0);
  });

  test("passes the rules of Spectral", async () => {
    const { code, stdout } = await run(await documentOf(env), {
      program: "@stoplight/spectral-cli/dist/index.js",
      args: ["lint", "--fail-severity", "error", DOCUMENT],
      files: { ".spectral.yaml": 'extends: ["spectral:oas"]\n' },
    });
    expect(stdout).toContain("(0 errors");
    expect(code).toBe(0);
  });

  test.each<[name: string, Run]>([
    [
      "openapi-ts",
      {
        program: "@hey-api/openapi-ts/bin/run.js",
        args: ["-i", DOCUMENT, "-o", "made", "-c", "@hey-api/client-fetch"],
      },
    ],
    [
      "openapi-typescript",
      { program: "openapi-typescript/bin/cli.js", args: [DOCUMENT, "-o", MADE] },
    ],
    [
      "orval",
      {
        program: "orval/dist/bin/orval.mjs",
        args: ["--input", `./${DOCUMENT}`, "--output", MADE, "--client", "fetch"],
      },
    ],
  ])("becomes a client that compiles, by %s", async (_name, made) => {
    const compile = { program: "typescript/lib/tsc.js", args: ["-p", "."] };
    const files = { "tsconfig.json": TSCONFIG };
    const { code, stdout, stderr } = await run(await documentOf(env), { ...made, files }, compile);
    expect(stdout + stderr).toBe("");
    expect(code).toBe(0);
  });
});
