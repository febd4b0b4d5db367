/** Each page in each language, light on a screen and dark on a phone: nothing is wrong or cut off. */
import type { BrowserContextOptions, Page } from "playwright-core";
import { expect, test } from "vitest";
import { startTokenScene } from "../dialects/openai/support.ts";
import { openPage, violationsOf } from "../support/browser.ts";
import { createAnswer } from "../support/upstream.ts";

const locales = ["en", "zh-CN", "zh-TW", "ru"];
const looks = [
  { colorScheme: "light", viewport: { width: 1280, height: 800 } },
  { colorScheme: "dark", viewport: { width: 390, height: 800 } },
] as const;

const answer = [
  "Some `code`, **words** and [a link](https://example.org/).",
  "```ts\n// a comment\nconst a: number = 1; // 2\nexport class B { c = 'text' + /d/; }\n```",
  "```html\n<p class='a'>&amp;</p>\n```",
  "```yaml\na: 1\nb: [true, 'c']\n```",
  '```bash\n# comment\necho "$HOME" && exit 1\n```',
  "| first column | second column | third |\n|---|---|---|\n| some words | 1,234,567 | x |",
  "> a quotation",
].join("\n\n");

const scene = await startTokenScene(
  { SECOND_LIMIT: "1000", MINUTE_LIMIT: "6000", DAY_LIMIT: "150000", STATUS_UPSTREAMS: "names" },
  { behaviour: createAnswer({ text: () => answer }) },
);
const { token } = await scene.issue({
  name: "A token with quotas of all kinds",
  requests_per_day: 1_000,
  tokens_per_month: 100_000_000,
  money_per_month: "1234.5678",
  minute_limit: 500,
});
await scene.ask(undefined, { headers: { authorization: `Bearer ${token}` } });

const uses: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  "/": async (page) => {
    await page.keyboard.type("?");
    await page.keyboard.press("Enter");
    await page.locator('[aria-busy="false"]').waitFor();
    // a second version, so that its switch is there
    await page.locator(".message button").last().click();
    await page.locator(".versions").waitFor();
    for (const kind of ["keyword", "tag", "attr", "comment"]) {
      await page.locator(`[aria-busy="false"] .hljs-${kind}`).first().waitFor();
    }
    for (const summary of await page.locator("summary").all()) await summary.click();
  },
  "/me": async (page) => {
    await page.locator('input[type="password"]').fill(token);
    await page.keyboard.press("Enter");
    await page.locator("table").last().waitFor();
  },
  "/status": (page) => page.locator(".state").waitFor(),
};

/** Regions that scroll sideways, other than code. */
const CUT_OFF = `[document.documentElement, ...document.querySelectorAll(".scroll, main, header")]
  .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth + 1)
  .map(({ tagName, scrollWidth, innerText }) => [tagName, scrollWidth, innerText].join())`;

async function wrongIn(path: string, look: BrowserContextOptions): Promise<readonly string[]> {
  const { page, wrongs } = await openPage(scene.parley.origin + path, look);
  await uses[path]?.(page);
  const cutOff = (await page.evaluate(CUT_OFF)) as string[]; // by its text
  const found = [...(await violationsOf(page)), ...cutOff, ...wrongs];
  await page.close();
  return found.map((one) => `${JSON.stringify(look)}: ${one}`);
}

const cases = Object.keys(uses).flatMap((path) => locales.map((locale) => [path, locale] as const));

test.each(cases)("the page %s in %s", { tags: "chromium" }, async (path, locale) => {
  const found = await Promise.all(looks.map((look) => wrongIn(path, { ...look, locale })));
  expect(found.flat()).toEqual([]);
});
