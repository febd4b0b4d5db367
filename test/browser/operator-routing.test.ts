/** The operator's page: upstreams and routes. */
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { admin, MODEL, startTokenScene } from "../dialects/openai/support.ts";
import { openOperator } from "./operator-support.ts";

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const field = (page: Page, name: string) => page.getByLabel(name, { exact: true });
const KEY = "sk-canary-0123456789";
const HEADER = "header-canary";

const add = (origin: string, name: string, more: object = {}) =>
  admin(origin, "POST", "/upstreams", { name, url: "https://a.example/v1", ...more });

describe("upstreams", { tags: "chromium" }, () => {
  test("are added, and what is secret is shown by number or name only", async () => {
    const { parley } = await startTokenScene();
    const { page, wrongs } = await openOperator(parley.origin, "#/routing");
    await page.getByRole("link", { name: "New upstream" }).click();
    await field(page, "Name").fill("azure-eu");
    await field(page, "URL").fill("https://eu.example/openai/v1?api-version=2026-01-01");
    await field(page, "Kind").selectOption("azure");
    await field(page, "Models").fill("gpt-4o-eu, gpt-4o");
    await field(page, "API keys").fill(`${KEY}-1\n${KEY}-2`);
    await field(page, "Headers").fill(`X-Team: ${HEADER}`);
    await page.getByText("Limit and timeouts").click();
    await field(page, "Most open requests").fill("20");
    await button(page, "Save").click();
    await page.getByRole("heading", { name: "azure-eu in use" }).waitFor();
    const made = (await admin(parley.origin, "GET", "/upstreams/azure-eu")).json;
    expect(made).toMatchObject({
      kind: "azure",
      models: ["gpt-4o-eu", "gpt-4o"],
      key_count: 2,
      header_names: ["x-team"],
      concurrency: 20,
    });
    await page.getByRole("link", { name: "Edit" }).click();
    await page.getByText("Stored: 2. What you enter replaces all of them.").waitFor();
    expect(await field(page, "API keys").inputValue()).toBe("");
    expect(await page.content()).not.toMatch(/canary/);
    await page.getByLabel("Remove what is stored").last().check();
    await field(page, "Models").fill("gpt-4o");
    await button(page, "Save").click();
    await page.getByRole("heading", { name: "azure-eu in use" }).waitFor();
    expect((await admin(parley.origin, "GET", "/upstreams/azure-eu")).json).toMatchObject({
      models: ["gpt-4o"],
      key_count: 2,
      header_names: [],
    });
    expect(wrongs).toEqual([]);
  });

  test("have no secrets where SECRET_KEY is missing, which is said first", async () => {
    const { parley } = await startTokenScene({ SECRET_KEY: "" });
    const { page } = await openOperator(parley.origin, "#/routing/upstream");
    await page.getByText("Set SECRET_KEY on the server first").waitFor();
    expect(await field(page, "API keys").count()).toBe(0);
    await field(page, "Name").fill("ollama");
    await field(page, "URL").fill("http://127.0.0.1:11434/v1");
    await button(page, "Save").click();
    await page.getByRole("heading", { name: "ollama in use" }).waitFor();
    await page.goto(`${parley.origin}/admin#/tokens/new`);
    await page.getByText("Group and own key").click();
    await expect.poll(() => field(page, "Own OpenAI API key").isDisabled()).toBe(true);
  });

  test("are tested for nothing, or for one token after a question", async () => {
    const { parley, upstream } = await startTokenScene();
    await add(parley.origin, "here", { url: upstream.url, keys: [KEY], models: [MODEL] });
    const { page } = await openOperator(parley.origin, "#/routing/upstream/here");
    await button(page, "Test (free)").click();
    await page.getByText("answers", { exact: true }).waitFor();
    await page.getByText("Models listed").waitFor();
    const asked = upstream.requests.length;
    await button(page, "Test with a paid token").click();
    const dialog = page.getByRole("dialog");
    expect(await dialog.getByLabel("Model at the upstream").inputValue()).toBe(MODEL);
    expect(upstream.requests).toHaveLength(asked);
    await dialog.getByRole("button", { name: "Test with a paid token" }).click();
    await page.getByText("answers", { exact: true }).waitFor();
    expect(upstream.requests.length).toBeGreaterThan(asked);
  });

  test("are removed unless a route names them, and the one of the settings never is", async () => {
    const { parley } = await startTokenScene();
    await add(parley.origin, "spare");
    await admin(parley.origin, "PUT", "/routes/fast", { to: "spare:mini" });
    const { page } = await openOperator(parley.origin, "#/routing/upstream/spare");
    const remove = async () => {
      await button(page, "Remove").click();
      await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    };
    await remove();
    await page.getByRole("dialog").getByRole("alert").getByText("fast").waitFor();
    await page.keyboard.press("Escape");
    await admin(parley.origin, "DELETE", "/routes/fast");
    await remove();
    await page.getByText("No routes yet.").waitFor();
    expect(await page.getByRole("link", { name: "spare" }).count()).toBe(0);
    await page.getByRole("link", { name: "default", exact: true }).click();
    await page.getByText("OPENAI_URL and API_KEY").waitFor();
    expect(await button(page, "Remove").count()).toBe(0);
  });
});

describe("routes", { tags: "chromium" }, () => {
  test("share calls by weight and fall back, and say so in words", async () => {
    const { parley } = await startTokenScene();
    await add(parley.origin, "azure-eu");
    const { page } = await openOperator(parley.origin, "#/routing");
    await page.getByRole("link", { name: "New route" }).click();
    await field(page, "Model").fill("team/gpt-4o");
    const models = page.getByLabel("Model at the upstream");
    await models.first().fill("gpt-4o@20250514");
    await button(page, "Add a target that shares the requests").click();
    await models.nth(1).fill("gpt-4o-eu");
    await page.getByLabel("Upstream", { exact: true }).nth(1).selectOption("azure-eu");
    await page.getByLabel("Weight").nth(0).fill("7");
    await page.getByLabel("Weight").nth(1).fill("3");
    await button(page, "Add a fallback").click();
    await models.nth(2).fill("gpt-4o-mini");
    const words =
      "70% to default (gpt-4o@20250514), 30% to azure-eu (gpt-4o-eu), then default (gpt-4o-mini)";
    expect(await page.locator(".preview").innerText()).toBe(words);
    await button(page, "Save").click();
    await page.getByRole("cell", { name: words }).waitFor();
    const stored = async () => (await admin(parley.origin, "GET", "/routes/team%2Fgpt-4o")).json;
    expect(await stored()).toMatchObject({
      to: "default:gpt-4o@20250514@7, azure-eu:gpt-4o-eu@3; default:gpt-4o-mini",
    });
    await page.getByRole("link", { name: "team/gpt-4o" }).click();
    await button(page, "Move up").click();
    await button(page, "Remove azure-eu:gpt-4o-eu").click();
    await button(page, "Save").click();
    await page
      .getByRole("cell", { name: "default (gpt-4o-mini), then default (gpt-4o@20250514)" })
      .waitFor();
    expect(await stored()).toMatchObject({
      to: "default:gpt-4o-mini; default:gpt-4o@20250514@7",
    });
    await page.getByRole("link", { name: "team/gpt-4o" }).click();
    await button(page, "Remove").first().click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await page.getByText("No routes yet.").waitFor();
  });

  test("that somebody else changed meanwhile are shown before they are replaced", async () => {
    const { parley } = await startTokenScene();
    const put = (to: string) => admin(parley.origin, "PUT", "/routes/fast", { to });
    await put("default:a");
    const { page } = await openOperator(parley.origin, "#/routing/route/fast");
    await page.getByLabel("Model at the upstream").fill("b");
    await put("default:from-elsewhere");
    await button(page, "Save").click();
    await page.locator(".summary", { hasText: "default:from-elsewhere" }).waitFor();
    await button(page, "Save").click();
    await page.getByRole("cell", { name: "default (b)" }).waitFor();
    // the preview says the same before it is saved
    const saved = async () => (await admin(parley.origin, "GET", "/routes/fast")).json;
    await expect.poll(saved).toMatchObject({ to: "default:b" });
  });

  test("say which of their models have no price, as tokens need one", async () => {
    const { parley } = await startTokenScene();
    const { page } = await openOperator(parley.origin, "#/routing/route");
    await field(page, "Model").fill("fast");
    const models = page.getByLabel("Model at the upstream");
    await models.fill(`${MODEL}-2024-08-06`);
    await button(page, "Add a fallback").click();
    await models.nth(1).fill("unknown/model");
    const notice = page.locator(".notice");
    await notice.getByRole("link", { name: "unknown/model" }).waitFor();
    expect(await notice.getByRole("link").count()).toBe(1);
    await field(page, "Model").fill(MODEL);
    await notice.waitFor({ state: "detached" });
  });

  test.each([
    ["a, default:b", "1", "comma or semicolon"],
    ["a", "much", "whole number"],
    ["a", "0", "1"],
  ])("to %s with weight %s are refused", async (model, weight, words) => {
    const { parley } = await startTokenScene();
    const { page } = await openOperator(parley.origin, "#/routing/route");
    await field(page, "Model").fill("mine");
    await page.getByLabel("Model at the upstream").first().fill(model);
    await button(page, "Add a target that shares the requests").click();
    await page.getByLabel("Model at the upstream").nth(1).fill("b");
    await page.getByLabel("Weight").first().fill(weight);
    await button(page, "Save").click();
    await page.locator(".summary", { hasText: words }).waitFor();
    expect(Object((await admin(parley.origin, "GET", "/routes")).json).routes).toEqual([]);
    await button(page, "Go to the field").click();
    expect(await page.evaluate("document.activeElement.tagName")).not.toBe("BODY");
  });
});
