/** The operator's page: an answer is never shown as the one to another question. */
import type { Page, Route } from "playwright-core";
import { describe, expect, test } from "vitest";
import { admin, startTokenScene } from "../dialects/openai/support.ts";
import { openOperator, repeatCalls } from "./operator-support.ts";

const rowsOf = (page: Page) => page.locator("main tbody tr");
const offline = (page: Page) => page.getByText("The server cannot be reached").first().waitFor();

/** Holds back what is asked under such an address until the test lets it go. */
async function holdBack(page: Page, pattern: RegExp) {
  const held: Route[] = [];
  let isOpen = false;
  await page.route(pattern, (route) => (isOpen ? route.continue() : void held.push(route)));
  return async () => {
    isOpen = true;
    await Promise.all(held.map((route) => route.continue()));
  };
}

describe("requests under a new filter", { tags: "chromium" }, () => {
  test("are not those of the old one where the answer fails, and come when the server is back", async () => {
    const scene = await startTokenScene();
    await scene.ask();
    repeatCalls(scene.parley.config.DATA_DIR, 300, 1);
    const { page } = await openOperator(scene.parley.origin, "#/calls");
    await rowsOf(page).nth(99).waitFor();
    let failures = 0;
    await page.route(/calls\?.*outcome=failed/, (route) => {
      failures += 1;
      return failures === 1 ? route.abort() : route.continue();
    });
    await page.getByLabel("Result").selectOption("failed");
    await offline(page);
    expect(await rowsOf(page).count()).toBe(0);
    await rowsOf(page).first().waitFor();
    const shown = await rowsOf(page).allInnerTexts();
    expect(shown.filter((row) => !row.includes("failed"))).toEqual([]);
  });

  test("are not those of the old one while the answer comes", async () => {
    const scene = await startTokenScene();
    await scene.ask();
    const { page } = await openOperator(scene.parley.origin, "#/calls");
    await rowsOf(page).first().waitFor();
    const letGo = await holdBack(page, /calls\?.*outcome=failed/);
    await page.getByLabel("Result").selectOption("failed");
    await rowsOf(page).first().waitFor({ state: "detached" });
    await page.getByText("Loading").waitFor();
    await letGo();
    await page.getByText("No request matches the filters").waitFor();
  });
});

describe("the overview", { tags: "chromium" }, () => {
  test("shows no sums of another span, whether the server is slow or away", async () => {
    const scene = await startTokenScene();
    await scene.ask();
    const { page } = await openOperator(scene.parley.origin, "#/overview/30d");
    await page.locator(".figures").waitFor();
    const letGo = await holdBack(page, /usage\/series/);
    await page.getByRole("link", { name: "7 days" }).click();
    await page.locator(".figures").waitFor({ state: "detached" });
    await letGo();
    await page.locator(".figures").waitFor();
    await page.route(/usage\/series/, (route) => route.abort());
    await page.getByRole("link", { name: "24 hours" }).click();
    await offline(page);
    expect(await page.locator(".figures").count()).toBe(0);
  });
});

describe("a table with a filter", { tags: "chromium" }, () => {
  test("is busy with the rows of the old one, and without them where the answer fails", async () => {
    const scene = await startTokenScene();
    await scene.issue({ name: "bob" });
    const { page } = await openOperator(scene.parley.origin, "#/tokens");
    await rowsOf(page).first().waitFor();
    const letGo = await holdBack(page, /tokens\?.*state=revoked/);
    await page.getByLabel("State").selectOption("revoked");
    await page.locator('section[aria-busy="true"] tbody tr').first().waitFor();
    await letGo();
    await page.getByText("No token matches").waitFor();
    await page.route(/tokens\?.*state=disabled/, (route) => route.abort());
    await page.getByLabel("State").selectOption("");
    await rowsOf(page).first().waitFor();
    await page.getByLabel("State").selectOption("disabled");
    await offline(page);
    expect(await rowsOf(page).count()).toBe(0);
  });
});

describe("a page that others use, too", { tags: "chromium" }, () => {
  test("shows that a token is revoked as soon as a change is refused", async () => {
    const scene = await startTokenScene();
    const { id } = await scene.issue({ name: "bob" });
    const { page } = await openOperator(scene.parley.origin, `#/tokens/${id}`);
    const disable = page.getByRole("button", { name: "Disable" });
    await disable.waitFor();
    await admin(scene.parley.origin, "DELETE", `/tokens/${id}`);
    await disable.click();
    await page.locator("h1", { hasText: "revoked" }).waitFor();
    expect(await disable.count()).toBe(0);
  });

  test("says what doctor found in the language that is chosen", async () => {
    const { parley } = await startTokenScene();
    const { page } = await openOperator(parley.origin, "#/system");
    await page.locator(".checks li").first().waitFor();
    await page.locator("header select").selectOption("ru");
    const words = page.locator(".checks li", { hasText: /:.*\p{Script=Cyrillic}/u });
    await words.first().waitFor();
    expect(await words.count()).toBe(await page.locator(".checks li").count());
  });
});
