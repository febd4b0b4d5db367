/** The choice of a language, where its texts come late. */
import { expect, test } from "vitest";
import { openPage } from "../support/browser.ts";
import { startScene } from "../support/scene.ts";

test.each(["en", "zh-CN"])(
  "of two languages the one chosen last holds: %s",
  {
    tags: "chromium",
  },
  async (last) => {
    const { parley } = await startScene();
    const { page, wrongs } = await openPage(`${parley.origin}/status`);
    const late = Promise.withResolvers<void>();
    await page.route(/ru-RU|ru[^/]*\.json/, async (route) => {
      await late.promise;
      await route.continue();
    });
    const asked = page.waitForRequest(/\.json$/);
    await page.locator("header select").selectOption("ru");
    await asked;
    await page.locator("header select").selectOption(last);
    const arrived = page.waitForResponse(/\.json$/);
    late.resolve();
    await (await arrived).finished();
    await page.locator(`html[lang="${last}"]`).waitFor();
    expect(await page.locator("header select").inputValue()).toBe(last);
    await page.reload();
    await page.locator(`html[lang="${last}"]`).waitFor();
    expect(wrongs).toEqual([]);
  },
);
