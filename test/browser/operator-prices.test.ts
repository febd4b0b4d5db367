/** The operator's page: prices. */
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { admin, bearer, MODEL, startTokenScene } from "../dialects/openai/support.ts";
import { refuse } from "../support/faults.ts";
import { postJson } from "../support/http.ts";
import { OWN_KEY } from "../support/scene.ts";
import { openOperator } from "./operator-support.ts";

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const field = (page: Page, name: string) => page.getByLabel(name, { exact: true });
const pricesOf = async (origin: string, query: string) => {
  const reply = await admin(origin, "GET", `/prices${query}`);
  return Object(reply.json).prices as readonly Record<string, unknown>[];
};
/** A file that the page is to read. */
const file = (text: string) => ({
  name: "prices.json",
  mimeType: "application/json",
  buffer: Buffer.from(text),
});

describe("prices", { tags: "chromium" }, () => {
  test("are exact, and a change keeps the history", async () => {
    const { parley } = await startTokenScene();
    const { page, wrongs } = await openOperator(parley.origin, "#/prices");
    await page.getByRole("link", { name: MODEL }).click();
    await page.getByRole("link", { name: "Change price" }).click();
    expect(await field(page, "Input").inputValue()).toBe("0.15");
    await field(page, "Input").fill("0.000001");
    await field(page, "Cached input").fill("0");
    await page.getByText("Cache, audio, reasoning").click();
    await field(page, "Audio input").fill("40.5");
    await button(page, "Save").click();
    await page.getByRole("cell", { name: "past" }).waitFor();
    const prices = await pricesOf(parley.origin, `?model=${MODEL}&history=true`);
    expect(prices).toMatchObject([
      { input: "0.000001", cached_input: "0", output: "0.6", audio_input: "40.5" },
      { input: "0.15", cached_input: null, output: "0.6", audio_input: null },
    ]);
    const rows = await page.locator("table").first().locator("tbody tr").allInnerTexts();
    expect(rows[0]).toMatch(/^current\t\$0\.000001\t\$0\.00\t\$0\.60\t.*Audio input: \$40\.50/);
    expect(rows[1]).toMatch(/^past\t\$0\.15\t–\t\$0\.60/);
    await page.getByRole("heading", { name: "Changes" }).waitFor();
    await page.getByRole("row", { name: "audio_input" }).waitFor();
    expect(wrongs).toEqual([]);
  });

  test("may begin later: local time, with what that is in UTC", async () => {
    const { parley } = await startTokenScene();
    const options = { timezoneId: "Asia/Shanghai" };
    const place = `#/prices/set/${MODEL}`;
    const { page } = await openOperator(parley.origin, place, options);
    await field(page, "Output").fill("0.7");
    await field(page, "Since").fill("2031-02-03T04:05");
    await page.getByText("Feb 2, 2031, 20:05 UTC").waitFor();
    await button(page, "Save").click();
    await page.getByRole("cell", { name: "future" }).waitFor();
    const [next] = await pricesOf(parley.origin, `?model=${MODEL}&history=true`);
    expect(next).toMatchObject({ output: "0.7", since: "2031-02-02T20:05:00.000Z" });
    await page.getByRole("link", { name: "Change price" }).click();
    await field(page, "Output").fill("0.8");
    await field(page, "Since").fill("2031-02-02T04:05");
    await button(page, "Save").click();
    await page.locator(".summary").waitFor();
    expect(await field(page, "Output").inputValue()).toBe("0.8");
  });

  test("that are no prices are refused at their field", async () => {
    const { parley } = await startTokenScene();
    const { page } = await openOperator(parley.origin, "#/prices/set");
    await field(page, "Model").fill("vendor/model");
    await field(page, "Input").fill("1,5");
    await field(page, "Output").fill("2");
    await page.keyboard.press("Enter");
    await page.locator(".summary").waitFor();
    expect(await field(page, "Input").getAttribute("aria-invalid")).toBe("true");
    expect(await field(page, "Output").getAttribute("aria-invalid")).toBe("false");
    await field(page, "Input").fill("1.5");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "vendor/model" }).waitFor();
    await page.getByRole("cell", { name: "current" }).waitFor();
  });

  test("are missed where a model was called without one, unless it only failed", async () => {
    const { parley, upstream } = await startTokenScene();
    const ask = (model: string) => {
      const body = { model, messages: [{ role: "user", content: "Hello?" }] };
      const headers = bearer(OWN_KEY);
      return postJson(`${parley.origin}/v1/chat/completions`, body, { headers });
    };
    const asked = await ask("no-price");
    upstream.behave(refuse(400));
    expect((await ask("only-failed")).status).toBe(400);
    expect(asked.status).toBe(200);
    const { page } = await openOperator(parley.origin, "#/prices");
    await page.locator(".notice").getByRole("link", { name: "no-price" }).waitFor();
    expect(await page.locator(".notice").getByRole("link").count()).toBe(1);
    await page.locator(".notice").getByRole("link", { name: "no-price" }).click();
    await page.getByRole("heading", { name: "no-price" }).waitFor();
    await field(page, "Input").fill("1");
    await field(page, "Output").fill("2");
    await button(page, "Save").click();
    await page.getByRole("cell", { name: "current" }).waitFor();
  });
});

describe("importing prices", { tags: "chromium" }, () => {
  test("takes the list of the release, and says what was added and skipped", async () => {
    const { parley } = await startTokenScene();
    const { page } = await openOperator(parley.origin, "#/prices/import");
    await button(page, "Import prices").click();
    await page.getByRole("heading", { name: "Import finished" }).waitFor();
    const facts = await page.locator("dl").innerText();
    expect(facts).toMatch(/Added\n\d{2,}/);
    expect(facts).toContain(`Skipped: the stored price is not older\n3: `);
    expect(facts).toContain("Published\n2026-");
    await page.locator("main").getByRole("link", { name: "Prices", exact: true }).last().click();
    await field(page, "Find").fill("gpt-4.1-n");
    expect(await page.locator("tbody tr").count()).toBe(1);
  });

  test("takes a file of one's own, and sees a name that is in it twice", async () => {
    const { parley } = await startTokenScene();
    const { page } = await openOperator(parley.origin, "#/prices/import");
    await field(page, "List").selectOption("own");
    await button(page, "Import prices").click();
    await page.locator(".summary").getByText("Choose a file.").waitFor();
    const twice = `[{"model": "mine", "input": "1", "input": "9", "output": "2"}]`;
    await field(page, "JSON file").setInputFiles(file(twice));
    await button(page, "Import prices").click();
    await page.locator(".summary", { hasText: "[0].input" }).waitFor();
    await field(page, "JSON file").setInputFiles(file(twice.replace(`"input": "9", `, "")));
    await button(page, "Import prices").click();
    await page.getByRole("heading", { name: "Import finished" }).waitFor();
    expect(await pricesOf(parley.origin, "?model=mine")).toMatchObject([{ input: "1" }]);
  });

  test("takes the list of LiteLLM, of one provider", async () => {
    const { parley } = await startTokenScene();
    const { page } = await openOperator(parley.origin, "#/prices/import");
    const price = { input_cost_per_token: 1e-6, output_cost_per_token: 2e-6 };
    const list = {
      a: { ...price, litellm_provider: "openai", search_context_cost_per_query: 0.1 },
      b: { ...price, litellm_provider: "other" },
      c: { litellm_provider: "openai" },
    };
    await field(page, "List").selectOption("litellm");
    await field(page, "JSON file").setInputFiles(file(JSON.stringify(list)));
    await field(page, "Provider").fill("openai");
    await button(page, "Import prices").click();
    await page.getByRole("heading", { name: "Import finished" }).waitFor();
    const facts = await page.locator("dl").innerText();
    expect(facts).toContain("Added\n1");
    expect(facts).toContain("Without a usable price\n1: c");
    expect(facts).toContain("1: search_context_cost_per_query (1)");
  });
});
