import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import en from "../../../locales/en.json" with { type: "json" };
import { OWN_KEY, startScene } from "../../support/scene.ts";
import { outcomeOf, SCRIPT_MS } from "../../support/scripts.ts";

const sample = fileURLToPath(new URL("../../../examples/ask-websocket.mjs", import.meta.url));

function runSample(env: Readonly<Record<string, string>>) {
  return outcomeOf(spawn(process.execPath, [sample], { env }));
}

describe.concurrent("the sample for WebSocket", { timeout: 2 * SCRIPT_MS }, () => {
  test("streams, and asks two questions at once in two branches", async () => {
    const { parley, upstream } = await startScene({ API_KEY: "" });
    const { code, output } = await runSample({ PARLEY_URL: parley.origin, PARLEY_TOKEN: OWN_KEY });
    expect(output).toBe("echo: Name a fruit.\necho: What color is it?\necho: How does it taste?\n");
    expect(code).toBe(0);
    const lengths = upstream.requests.map(
      ({ json }) => Reflect.get(Object(json), "messages").length,
    );
    expect(lengths).toEqual([1, 3, 3]);
  });

  test("says in words what is wrong", async () => {
    const { parley } = await startScene({ API_KEY: "" });
    const { code, output } = await runSample({ PARLEY_URL: parley.origin });
    expect(output).toContain(en.error.key_missing);
    expect(code).toBe(1);
  });
});
