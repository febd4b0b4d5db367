/** What the page shows as code runs as it stands. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { openPage } from "../support/browser.ts";
import { python } from "../support/needs.ts";
import { OWN_KEY, startScene } from "../support/scene.ts";

const QUESTION = `It's "quoted" \\ $HOME, 你好?`;
const run = promisify(execFile);

const programs: Readonly<Record<string, (code: string) => Promise<{ stdout: string }>>> = {
  curl: (code) => run("sh", ["-c", code]),
  Python: (code) => run(python ?? "python3", ["-c", code]),
  "Python: stream": (code) => run(python ?? "python3", ["-c", code]),
  JavaScript: (code) => run(process.execPath, ["--input-type=module", "-e", code]),
};

test.each(["shared", "own"])(
  "each piece of code asks what was asked, with the %s key",
  { tags: ["chromium", "python"] },
  async (whose) => {
    const isOwn = whose === "own";
    const { parley, upstream } = await startScene({ ROUTE: "api", ...(isOwn && { API_KEY: "" }) });
    const { page } = await openPage(`${parley.origin}/`);
    await page.locator("#question").fill(QUESTION);
    await page.locator("summary").last().click();
    for (const [name, execute] of Object.entries(programs)) {
      await page.getByRole("button", { name, exact: true }).click();
      const code = (await page.locator("details pre").innerText()).replace("YOUR_KEY", OWN_KEY);
      const { stdout } = await execute(code);
      const { messages } = Object(upstream.requests.at(-1)?.json);
      expect(messages, name).toEqual([{ role: "user", content: QUESTION }]);
      expect(stdout, name).toContain(name === "curl" ? '"code":200' : QUESTION);
    }
    expect(upstream.requests).toHaveLength(Object.keys(programs).length);
  },
);
