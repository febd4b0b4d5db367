/** Below a path that a proxy takes away, as `/ai/` here. */
import { expect, test } from "vitest";
import { openPage } from "../support/browser.ts";
import { buffered, passOn, startPrefixProxy } from "../support/page-proxy.ts";
import { startScene } from "../support/scene.ts";
import { createAnswer } from "../support/upstream.ts";

test.each([
  ["api", passOn],
  ["", buffered],
] as const)(
  "the pages work below a prefix, ROUTE=%s, also where a proxy holds answers back",
  { tags: "chromium" },
  async (ROUTE, pass) => {
    const text = () => "```js\nlet a = 1;\n```\necho";
    const { parley } = await startScene({ ROUTE }, { behaviour: createAnswer({ text }) });
    const base = await startPrefixProxy(parley.port, pass);
    const { page, wrongs } = await openPage(`${base}/`);
    await page.keyboard.type("Hello?");
    await page.keyboard.press("Enter");
    await page.locator('[aria-busy="false"]:has-text("echo")').waitFor();
    // what colors code is loaded by itself
    await page.locator(".answer .hljs-keyword").waitFor();
    await page.getByRole("link", { name: "Status" }).click();
    await page.locator(".state").waitFor();
    await page.getByRole("link", { name: "My token" }).click();
    await page.locator('input[type="password"]').waitFor();
    expect(page.url()).toBe(`${base}/me`);
    await page.goto(`${base}/me/`);
    expect(page.url()).toBe(`${base}/me`);
    await page.locator("header select").selectOption("ru");
    await page.locator('html[lang="ru"]').waitFor();
    expect(wrongs).toEqual([]);
  },
);
