/** The operator's page: calls as they end, and what the server is. */
import { describe, expect, test } from "vitest";
import { admin, startTokenScene } from "../dialects/openai/support.ts";
import { violationsOf } from "../support/browser.ts";
import { openOperator, repeatCalls } from "./operator-support.ts";

describe("the view of calls", { tags: "chromium" }, () => {
  test("shows calls as they end, without their content, until it is paused", async () => {
    const scene = await startTokenScene();
    await scene.ask();
    const { page, wrongs } = await openOperator(scene.parley.origin, "#/calls");
    const rows = page.locator("main tbody tr");
    await rows.first().waitFor();
    expect(await rows.count()).toBe(1);
    await scene.ask();
    await rows.nth(1).waitFor();
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: "Show new requests" }).waitFor();
    await scene.ask();
    await page.getByRole("button", { name: "Show new requests" }).click();
    await rows.nth(2).waitFor();
    await page.locator("button.unfold").first().focus();
    await page.keyboard.press("Enter");
    await page.getByText(scene.rows().at(-1)?.request_id ?? "none").waitFor();
    expect(await page.content()).not.toContain("Hello?");
    expect(await violationsOf(page)).toEqual([]);
    expect(wrongs).toEqual([]);
  });

  test("goes on by itself when the server is back", async () => {
    const scene = await startTokenScene();
    await scene.ask();
    const { page } = await openOperator(scene.parley.origin, "#/calls");
    await page.locator("tbody tr").first().waitFor();
    await page.context().setOffline(true);
    await page.getByText("The server cannot be reached").waitFor();
    await scene.ask();
    await page.context().setOffline(false);
    await page.locator("tbody tr").nth(1).waitFor();
    await page.getByText("The server cannot be reached").waitFor({ state: "detached" });
  });

  test("asks for nothing while nobody sees it", async () => {
    const scene = await startTokenScene();
    await scene.ask();
    const { page } = await openOperator(scene.parley.origin, "#/system");
    await page.clock.install();
    await page.getByRole("link", { name: "Requests" }).click();
    await page.locator("main tbody tr").first().waitFor();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    const isSeen = async (state: "hidden" | "visible") => {
      const value = JSON.stringify({ value: state, configurable: true });
      await page.evaluate(`Object.defineProperty(document, "visibilityState", ${value});
        document.dispatchEvent(new Event("visibilitychange"))`);
    };
    await isSeen("hidden");
    await page.clock.runFor(10_000);
    expect(asked).toEqual([]);
    const next = page.waitForRequest(/admin\/calls\?.*after=/);
    await isSeen("visible");
    await next;
  });

  test("100,000 calls stay quick: the document holds 500 rows at most, filters find the rare", async () => {
    const scene = await startTokenScene();
    await scene.ask();
    repeatCalls(scene.parley.config.DATA_DIR, 100_000, 20);
    const { page } = await openOperator(scene.parley.origin, "#/calls");
    const rows = page.locator("main tbody tr");
    await rows.nth(99).waitFor();
    const older = page.getByRole("button", { name: "Older requests" });
    for (const shown of [200, 300, 400, 500]) {
      await older.click();
      await rows.nth(shown - 1).waitFor();
    }
    const newest = await rows.first().innerText();
    await older.click();
    await page.getByText("Newer requests are hidden").waitFor();
    expect(await rows.count()).toBe(500);
    expect(await rows.first().innerText()).not.toBe(newest);
    await page.getByLabel("Result").selectOption("failed");
    await page.waitForURL(/outcome\/failed/);
    await page.locator("main tbody td .warning").nth(19).waitFor();
    const csv = await page.getByRole("link", { name: "Export CSV" }).getAttribute("href");
    expect(csv).toBe("admin/usage/export?format=csv&outcome=failed");
  });

  test("a place with a filter can be linked, and what is not found is said", async () => {
    const scene = await startTokenScene();
    const { id } = await scene.issue();
    await scene.ask();
    const { page } = await openOperator(scene.parley.origin, `#/calls/token/${id}`);
    await page.getByText("No request matches the filters").waitFor();
    await page.getByRole("link", { name: "Clear filters" }).click();
    await page.locator("main tbody tr").first().waitFor();
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "Export CSV" }).click();
    expect((await download).suggestedFilename()).toBe("usage.csv");
  });
});

describe("the view of changes", { tags: "chromium" }, () => {
  test("shows what was changed, before and after, by kind and thing", async () => {
    const { parley, issue } = await startTokenScene();
    const hostile = `"><img src=x onerror=alert(1)>`;
    const { id } = await issue({ name: hostile, requests_per_day: 5 });
    await admin(parley.origin, "PATCH", `/tokens/${id}`, { requests_per_day: 7 });
    const { page, wrongs } = await openOperator(parley.origin, "#/changes");
    await page.getByLabel("Kind").selectOption("token");
    await page.getByRole("link", { name: hostile }).first().waitFor();
    await page.locator("button.unfold").first().click();
    const field = page.locator(".detail tr", { hasText: "requests_per_day" });
    expect(await field.innerText()).toMatch(/5\s+7/);
    expect(await violationsOf(page)).toEqual([]);
    await page.getByLabel("Name or ID").fill("nothing");
    await page.keyboard.press("Enter");
    await page.getByText("No change matches the filters").waitFor();
    expect(wrongs).toEqual([]);
  });

  test("hundreds are read page by page", async () => {
    const { parley, issue } = await startTokenScene();
    await issue({ count: 100 });
    await issue({ count: 100 });
    const { page } = await openOperator(parley.origin, "#/changes");
    const rows = page.locator("main tbody tr");
    await rows.nth(49).waitFor();
    const newest = await rows.first().innerText();
    await page.getByRole("button", { name: "Next" }).click();
    await page.getByText("Page 2").waitFor();
    await page.locator('section[aria-busy="false"]').waitFor();
    expect(await rows.count()).toBe(50);
    await page.getByRole("button", { name: "Previous" }).click();
    await page.getByText("Page 1").waitFor();
    await page.locator('section[aria-busy="false"]').waitFor();
    expect(await rows.count()).toBe(50);
    expect(await rows.first().innerText()).toBe(newest);
  });
});

describe("the view of the system", { tags: "chromium" }, () => {
  test("shows the running copy, and leads to the documentation", async () => {
    const { parley } = await startTokenScene();
    const { page, wrongs } = await openOperator(parley.origin, "#/system");
    await page.getByText("Responded: 1. Alive on this database: 1.").waitFor();
    expect(await page.locator("p.state").innerText()).toBe("Up");
    expect(await page.getByRole("link", { name: "API documentation" }).count()).toBe(1);
    expect(await violationsOf(page)).toEqual([]);
    expect(wrongs).toEqual([]);
  });
});
