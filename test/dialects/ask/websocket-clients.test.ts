/** Programs that people run: an older client in Python, and the example of the documents. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { refuse } from "../../support/faults.ts";
import { deadline } from "../../support/http.ts";
import { OWN_KEY, startScene } from "../../support/scene.ts";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const RUN_MS = 15_000;
// biome-ignore lint/style/noProcessEnv: a test may look at where it runs
const surroundings = process.env;

interface Ran {
  readonly code: number;
  readonly output: string;
}

async function run(
  command: string,
  args: readonly string[],
  lines: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const child = spawn(command, args, {
    env: { ...surroundings, PYTHONIOENCODING: "utf-8", NO_PROXY: "*", ...env },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  child.stdin.end(lines.map((line) => `${line}\n`).join(""));
  const [code] = await deadline(once(child, "close"), RUN_MS, args.join(" "));
  return { code: Number(code), output };
}

/** The first Python that has the package. */
const python = ["python3", "/usr/bin/python3"].find(
  (command) => spawnSync(command, ["-c", "import websockets"]).status === 0,
);
if (python === undefined && surroundings.CI === undefined) {
  process.stderr.write("\n*** no Python has websockets: no older client was run ***\n\n");
}

describe.skipIf(python === undefined && surroundings.CI === undefined)(
  "an older client in Python",
  { timeout: 2 * RUN_MS, concurrent: true },
  () => {
    const script = path("../../clients/ask_websocket.py");
    const runScript = (url: string, lines: readonly string[]) =>
      run(python ?? "python3", [script, url], lines);

    test("has what it needs", () => {
      expect(python).toBeDefined();
    });

    test("talks, and goes on from an older answer, on the old port and on the main one", async () => {
      const { parley, upstream } = await startScene({ WS_PORT: "9001" });
      const urls = [
        `ws://127.0.0.1:${parley.ports.websocket}`,
        `ws://127.0.0.1:${parley.port}/ask`,
      ];
      for (const url of urls) {
        const { code, output } = await runScript(url, ["one", "cost is $5", "back", "天空"]);
        expect(output).toMatch(
          /answer> echo: one\s+answer> echo: cost is \$5\s+answer> echo: 天空\s+bye/,
        );
        expect(code).toBe(0);
        expect(upstream.requests.at(-1)?.json).toMatchObject({
          messages: [{ content: "one" }, { content: "echo: one" }, { content: "天空" }],
        });
      }
    });

    test("is told in its language what went wrong", async () => {
      const settings = { WS_PORT: "9001", LANG: "zh_CN.UTF-8" };
      const { parley } = await startScene(settings, { behaviour: refuse(500) });
      const url = `ws://127.0.0.1:${parley.ports.websocket}/`;
      const { code, output } = await runScript(url, ["one"]);
      expect(output).toMatch(/failed: \p{Script=Han}*OpenAI/u);
      expect(output).not.toContain("Traceback");
      expect(code).toBe(1);
    });
  },
);

describe.concurrent("the example in the documents", { timeout: 2 * RUN_MS }, () => {
  const example = path("../../../examples/ask-websocket.mjs");

  test("asks, prints what comes, and branches", async () => {
    const { parley, upstream } = await startScene({ API_KEY: "" });
    const env = { PARLEY_URL: parley.origin, PARLEY_TOKEN: OWN_KEY };
    const { code, output } = await run(process.execPath, [example], [], env);
    expect(output).toMatch(/> Name a colour\.\necho: Name a colour\.\n> Why that one\?\necho: Why/);
    expect(code).toBe(0);
    const [, second, third] = upstream.requests;
    const root = [{ content: "Name a colour." }, { content: "echo: Name a colour." }];
    expect(second?.json).toMatchObject({ messages: [...root, { content: "Why that one?" }] });
    expect(third?.json).toMatchObject({
      messages: [...root, { content: "Name another one instead." }],
    });
  });

  test("says what went wrong", async () => {
    const { parley } = await startScene({ API_KEY: "" });
    const { code, output } = await run(process.execPath, [example], [], {
      PARLEY_URL: parley.origin,
      PARLEY_TOKEN: "",
    });
    expect(output).toContain("An OpenAI API key is needed");
    expect(code).toBe(1);
  });
});
