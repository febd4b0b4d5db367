/** What the page shows as code runs as it stands. */
import { expect, test } from "vitest";
import { openPage } from "../support/browser.ts";
import { javaScript, pythonCode, shell } from "../support/code.ts";
import { OWN_KEY, startScene } from "../support/scene.ts";

const QUESTION = `It's "quoted" \\ $HOME, 你好?`;

const programs = {
  curl: shell,
  Python: pythonCode,
  "Python: stream": pythonCode,
  JavaScript: javaScript,
} as const;

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
