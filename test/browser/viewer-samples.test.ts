/** What the viewer of /openapi.json shows as code runs as it stands. */
import { expect, test } from "vitest";
import { openPage } from "../support/browser.ts";
import { javaScript, pythonCode, shell } from "../support/code.ts";
import { OWN_KEY, startScene } from "../support/scene.ts";

const programs = { curl: shell, Python: pythonCode, JavaScript: javaScript } as const;
const CHAT = "openai/post/v1/chat/completions";
const QUESTION = `It's "quoted" \\ $HOME, 你好?`;

test.each([
  ["envelope/post", false],
  ["envelope/post", true],
  [CHAT, false],
  [CHAT, true],
  ["openai/get/v1/models", false],
] as const)(
  "%s as code, streamed: %s",
  { tags: ["chromium", "python"] },
  async (place, isStreamed) => {
    const { parley, upstream } = await startScene({ API_KEY: "" });
    const { page } = await openPage(`${parley.origin}/docs#/${place}`);
    await page.locator("article pre").first().waitFor();
    const body = page.locator("article textarea");
    const hasBody = (await body.count()) > 0;
    if (hasBody) {
      const question = JSON.stringify(QUESTION);
      await body.fill((await body.inputValue()).replace('"Say hello."', question));
    }
    if (isStreamed) await page.getByLabel("Stream the answer").check();
    for (const [name, execute] of Object.entries(programs)) {
      await page.getByRole("button", { name, exact: true }).click();
      const code = await page.locator("article pre").first().innerText();
      const { stdout } = await execute(code.replace("YOUR_KEY", OWN_KEY));
      const { json, headers } = upstream.requests.at(-1) ?? {};
      expect(headers?.authorization, name).toBe(`Bearer ${OWN_KEY}`);
      if (!hasBody) expect(stdout, name).toContain('"id"');
      else expect(Object(json).messages, name).toEqual([{ role: "user", content: QUESTION }]);
      if (isStreamed) expect(stdout, name).toContain("[DONE]");
    }
    expect(upstream.requests).toHaveLength(Object.keys(programs).length);
  },
);
