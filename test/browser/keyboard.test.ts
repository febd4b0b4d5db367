/** Each page with the keyboard alone: everything is reached, in the order in which it stands, and seen. */
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { startTokenScene } from "../dialects/openai/support.ts";
import { openPage } from "../support/browser.ts";

const scene = await startTokenScene({ MINUTE_LIMIT: "60", DAY_LIMIT: "500" });

/** What can have the focus, in the order of the page. */
const REACHABLE = `[...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")]
  .filter((one) => !one.disabled && one.checkVisibility())`;

interface Stop {
  readonly index: number;
  readonly isSeen: boolean;
}

/** Tab from the beginning of the page to its end. */
async function walk(page: Page): Promise<{ stops: readonly Stop[]; count: number }> {
  await page.evaluate(
    "document.activeElement.blur(), document.body.tabIndex = -1, document.body.focus()",
  );
  const count = (await page.evaluate(`${REACHABLE}.length - 1`)) as number; // the body
  const stops: Stop[] = [];
  for (let step = 0; step < count; step += 1) {
    await page.keyboard.press("Tab");
    stops.push(
      (await page.evaluate(`(() => {
      const one = document.activeElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(one);
      const box = one.getBoundingClientRect();
      const isInView = box.bottom > 0 && box.top < innerHeight;
      return {
        index: ${REACHABLE}.filter((other) => other !== document.body).indexOf(one),
        isSeen: outlineStyle !== "none" && outlineWidth !== "0px" && isInView,
      };
    })()`)) as Stop,
    ); // as written there
  }
  return { stops, count };
}

const uses: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
  "/": async (page) => {
    await page.keyboard.type("Hello?");
    await page.keyboard.press("Enter");
    await page.locator('[aria-busy="false"]').waitFor();
    for (const summary of await page.locator("summary").all()) await summary.press("Enter");
    await page.locator("#question").fill("More?");
  },
  "/me": async (page) => {
    await page.locator('input[type="password"]').fill(scene.token);
    await page.keyboard.press("Enter");
    await page.locator("fieldset").waitFor();
  },
  "/status": (page) => page.locator(".state").waitFor(),
};

describe.each(Object.keys(uses))("the page %s", { tags: "chromium" }, (path) => {
  test.each([390, 1280])("is walked through with Tab, %d px wide", async (width) => {
    const viewport = { width, height: 700 };
    const { page } = await openPage(scene.parley.origin + path, { viewport });
    await uses[path]?.(page);
    const { stops, count } = await walk(page);
    expect(stops.map(({ index }) => index)).toEqual(Array.from({ length: count }, (_, at) => at));
    expect(stops.filter(({ isSeen }) => !isSeen)).toEqual([]);
  });
});

test("a visitor's whole way needs no pointer", { tags: "chromium" }, async () => {
  const { page } = await openPage(`${scene.parley.origin}/`);
  await page.keyboard.type("First?");
  await page.keyboard.press("Enter");
  await page.locator('[aria-busy="false"]:has-text("echo: First?")').waitFor();
  const press = async (name: string) => {
    await page.getByRole("button", { name }).first().focus();
    await page.keyboard.press("Enter");
  };
  await press("Edit");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("Second?");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.locator('[aria-busy="false"]:has-text("echo: Second?")').waitFor();
  await press("Previous version");
  await page.locator('.answer:has-text("echo: First?")').waitFor();
  await press("New conversation");
  expect(await page.locator(".message").count()).toBe(0);
  await page.keyboard.type("Third?");
  expect(await page.locator("#question").inputValue()).toBe("Third?");
});
