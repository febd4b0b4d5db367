/** The operator's page in each language, in light and dark, wide and narrow. */
import { describe, expect, test } from "vitest";
import { startTokenScene } from "../dialects/openai/support.ts";
import { violationsOf } from "../support/browser.ts";
import { openOperator, repeatCalls } from "./operator-support.ts";

const wide = { width: 1280, height: 900 };
const narrow = { width: 390, height: 844 };
const looks = [
  ["en-US", "light", wide],
  ["zh-CN", "dark", narrow],
  ["zh-TW", "light", narrow],
  ["ru-RU", "dark", wide],
] as const;
const views = ["overview", "calls", "changes", "system"];

describe.each(looks)(
  "the operator's page in %s, %s",
  { tags: "chromium" },
  (locale, scheme, viewport) => {
    test("has words for everything, nothing that axe finds, and fits the window", async () => {
      const scene = await startTokenScene();
      await scene.ask();
      repeatCalls(scene.parley.config.DATA_DIR, 500, 2);
      const options = { locale, colorScheme: scheme, viewport };
      const { page, wrongs } = await openOperator(scene.parley.origin, "#/system", options);
      for (const view of views) {
        await page.locator(`nav.side a[href="#/${view}"]`).click();
        await page.locator(`nav.side a[aria-current][href="#/${view}"]`).waitFor();
        await page.locator("main .scroll:visible, main .empty:visible").first().waitFor();
        const unfold = page.locator("button.unfold").first();
        if (await unfold.isVisible()) await unfold.click();
        expect(await violationsOf(page), view).toEqual([]);
        // a key that has no text is shown as it is
        const shown = await page.locator("main").innerText();
        expect(shown, view).not.toMatch(/\b(?:operator|status|visitor|holder|window)\.\w/);
        expect(await page.evaluate("document.documentElement.scrollWidth"), view).toBe(
          viewport.width,
        );
      }
      expect(wrongs).toEqual([]);
    });
  },
);
