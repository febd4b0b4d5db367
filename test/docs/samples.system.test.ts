import { spawn } from "node:child_process";
import process from "node:process";
import { describe, expect, test } from "vitest";
import { readDocument, readmes } from "../../scripts/docs/files.ts";
import { languages } from "../../src/locales.ts";
import { OWN_KEY, startScene } from "../support/scene.ts";
import { outcomeOf, type RanScript, runPythonCode, SCRIPT_MS } from "../support/scripts.ts";

/** The block behind the marker of a sample, with the address and the key of a running server. */
function sampleIn(path: string, sample: string, origin: string): string {
  const marker = `<!-- sample: examples/${sample} -->`;
  const [, after = ""] = readDocument(path).split(marker);
  const code = /^\s*```\w+\n([\s\S]*?)```/.exec(after)?.[1] ?? "";
  expect(code, `${path} has ${sample}`).not.toBe("");
  return code
    .replaceAll("http://localhost:5000", origin)
    .replaceAll(/YOUR_(OPENAI_API_KEY|PARLEY_TOKEN)/g, OWN_KEY);
}

function runNode(code: string): Promise<RanScript> {
  return outcomeOf(spawn(process.execPath, ["--input-type=module", "-e", code]));
}

async function startServer() {
  const { parley, upstream } = await startScene({ ROUTE: "api", API_KEY: "" });
  return { origin: parley.origin, upstream };
}

describe.concurrent.each(languages)("in %s", { timeout: 2 * SCRIPT_MS }, (language) => {
  const page = (name: string) => `docs/${language}/${name}`;

  test.each([readmes[language], page("api-envelope.md")])(
    "the dialogue of %s remembers what was said",
    { tags: "python" },
    async (path) => {
      const { origin, upstream } = await startServer();
      const code = sampleIn(path, "dialogue.py", origin);
      const { output } = await runPythonCode(code, ["be brief", "one", "two", "exit"]);
      expect(output).toMatch(/echo: one[\s\S]*echo: two/);
      const lengths = upstream.requests.map(
        ({ json }) => Reflect.get(Object(json), "messages").length,
      );
      expect(lengths).toEqual([2, 4]);
    },
  );

  test.each(["question.py", "stream.py"])(
    "%s prints the answer",
    { tags: "python" },
    async (sample) => {
      const { origin } = await startServer();
      const code = sampleIn(page("api-envelope.md"), sample, origin);
      const ran = await runPythonCode(code, ["天空 why?"]);
      expect(ran.output).toContain("echo: 天空 why?");
      expect(ran.code).toBe(0);
    },
  );

  test.each([
    ["openai.mjs", "api-openai.md"],
    ["anthropic.mjs", "api-anthropic.md"],
  ])("%s prints the answer as it arrives", async (sample, name) => {
    const { origin } = await startServer();
    const ran = await runNode(sampleIn(page(name), sample, origin));
    expect(ran.output).toMatch(/^echo: .+\n$/);
    expect(ran.code).toBe(0);
  });
});
