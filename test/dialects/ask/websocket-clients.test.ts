import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { startScene } from "../../support/scene.ts";
import { inCI, runPythonScript, SCRIPT_MS } from "../../support/scripts.ts";

/** Debian's own has its packages, whichever comes first in the path. */
const python = ["python3", "/usr/bin/python3"].find((one) => {
  try {
    execFileSync(one, ["-c", "import websockets"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
});
if (python === undefined && !inCI) {
  process.stderr.write("\n*** no python3 with websockets: its client was not tested ***\n\n");
}

describe.skipIf(python === undefined && !inCI)("in Python", { timeout: 2 * SCRIPT_MS }, () => {
  test("a client of before is served on a port of its own, at any path", async () => {
    expect(python).toBeDefined();
    const { parley } = await startScene({ WS_PORT: "9001" });
    const url = `ws://127.0.0.1:${parley.ports.websocket}`;
    for (const path of ["", "/any/path"]) {
      const options = { python: python ?? "", args: [url + path] };
      const { code, output } = await runPythonScript("test/clients/ask_websocket_old.py", options);
      expect(output.split("\n")).toEqual([
        "answer> echo: 早上好",
        "answer> echo: it costs $5",
        "answer> echo: other",
        "True True",
        "answer> echo: somebody else",
        "True",
        expect.stringMatching(/^failed> <\|err\|>\$There is no such conversation/),
        "<|err|>",
        "",
      ]);
      expect(code).toBe(0);
    }
  });
});
