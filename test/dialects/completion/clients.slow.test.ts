import { describe, expect, test } from "vitest";
import en from "../../../locales/en.json" with { type: "json" };
import { OWN_KEY, startScene } from "../../support/scene.ts";
import { runPythonScript, SCRIPT_MS } from "../../support/scripts.ts";

describe.concurrent("scripts in Python", { tags: "python", timeout: 2 * SCRIPT_MS }, () => {
  test("an older client is served with nothing but the address changed", async () => {
    const { parley, upstream } = await startScene({ ACCESS_TOKEN: "123456" });
    const args = [parley.origin, "123456", OWN_KEY];
    const { code, output } = await runPythonScript("test/clients/completion_old.py", { args });
    expect(code).toBe(0);
    expect(output.split("\n")).toEqual([
      "200 ok echo: Привет, какая ты версия модели?",
      "200 ok echo: Привет, Медвед!",
      "200 ok echo: Where was it played?",
      "['choices', 'created', 'id', 'model', 'object', 'status', 'system_fingerprint', 'text', 'usage']",
      "",
    ]);
    const keys = new Set(upstream.requests.map(({ headers }) => headers.authorization));
    expect([...keys]).toEqual([`Bearer ${OWN_KEY}`]);
  });

  test("the sample asks, gives parameters and streams", async () => {
    const { parley } = await startScene({ API_KEY: "" });
    const env = { PARLEY_URL: parley.origin, OPENAI_TOKEN: OWN_KEY };
    const { code, output } = await runPythonScript("examples/completion.py", { env });
    expect(output).toMatch(
      /^echo: Why is the sky blue\?\necho: The capital of France\? \d+ tokens\necho: Tell me a story\.\n$/,
    );
    expect(code).toBe(0);
  });

  test("the sample says what is wrong in words", async () => {
    const { parley } = await startScene({ API_KEY: "" });
    const { code, output } = await runPythonScript("examples/completion.py", {
      env: { PARLEY_URL: parley.origin },
    });
    expect(code).toBe(1);
    expect(output).toContain(en.error.key_missing.replace("{{field}}", "openai-token"));
  });
});
