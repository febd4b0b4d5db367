/** The operator's page: a date that is not complete is neither empty nor saved. */
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { admin, startTokenScene, type TokenScene } from "../dialects/openai/support.ts";
import { hasFocus } from "../support/browser.ts";
import { openOperator } from "./operator-support.ts";

const field = (page: Page, name: string) => page.getByLabel(name, { exact: true });
const save = (page: Page) => page.getByRole("button", { name: "Save", exact: true }).click();
const refused = (page: Page) =>
  page.locator("div.field .warning", { hasText: "Enter the whole date and time" }).waitFor();
const stored = async ({ parley }: TokenScene, id: string) =>
  Object((await admin(parley.origin, "GET", `/tokens/${id}`)).json);

describe("an incomplete date", { tags: "chromium" }, () => {
  test("takes no expiry away, and counts as unsaved", async () => {
    const scene = await startTokenScene();
    const { id } = await scene.issue({ name: "bob", expires: "30d" });
    const before = await stored(scene, id);
    const { page } = await openOperator(scene.parley.origin, `#/tokens/${id}/edit`);
    await field(page, "Expires").focus();
    await page.keyboard.press("Backspace");
    await field(page, "Comment").fill("Room 4");
    expect(await page.locator("main").innerText()).not.toContain("never");
    await save(page);
    await refused(page);
    expect(await stored(scene, id)).toEqual(before);
    await page.getByRole("button", { name: "Go to the field" }).click();
    expect(await hasFocus(field(page, "Expires"))).toBe(true);
    await page.keyboard.type("12242030");
    await save(page);
    await page.getByText("Room 4").waitFor();
    expect((await stored(scene, id)).expires_at).toMatch(/^2030-12-2/);
  });

  test("makes no token that never expires, and is not left without a question", async () => {
    const scene = await startTokenScene();
    const { page } = await openOperator(scene.parley.origin, "#/tokens/new");
    await field(page, "Name").waitFor();
    for (const fold of await page.locator("summary").all()) await fold.click();
    await field(page, "Expires").focus();
    await page.keyboard.type("12242026");
    await page.getByRole("link", { name: "Groups" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Keep editing" }).click();
    await field(page, "Name").fill("carol");
    await page.keyboard.press("Enter");
    await refused(page);
    const { tokens } = Object((await admin(scene.parley.origin, "GET", "/tokens")).json);
    expect(tokens.map(({ name }: { name: string }) => name)).not.toContain("carol");
    await page.getByRole("button", { name: "Clear", exact: true }).click();
    await field(page, "Name").press("Enter");
    await page.locator(".secret").waitFor();
  });

  test("lets no price hold at once", async () => {
    const { parley } = await startTokenScene();
    const { page } = await openOperator(parley.origin, "#/prices/set");
    await field(page, "Model").fill("gpt-x");
    await field(page, "Since").focus();
    await page.keyboard.type("12242026");
    await save(page);
    await refused(page);
    const { prices } = Object((await admin(parley.origin, "GET", "/prices")).json);
    expect(prices.map(({ model }: { model: string }) => model)).not.toContain("gpt-x");
  });

  test("is said in a filter, which stays as it was", async () => {
    const { parley } = await startTokenScene();
    const place = "#/calls/from/2026-01-02T03%3A04%3A00.000Z";
    const { page } = await openOperator(parley.origin, place);
    await field(page, "From").focus();
    await page.keyboard.press("Backspace");
    await page.keyboard.press("Enter");
    await page.locator(".filters .warning").waitFor();
    expect(page.url()).toContain(place);
    await page.keyboard.type("12");
    await page.keyboard.press("Enter");
    await page.waitForURL(/from\/2026-12-0/);
    await page.locator(".filters .warning").waitFor({ state: "detached" });
    expect(await field(page, "From").getAttribute("max")).toBe("9999-12-31T23:59");
  });
});
