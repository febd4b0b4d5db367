/** The operator's page: who may see it, and what it shows over time. */
import { describe, expect, test } from "vitest";
import { parleyHere } from "../admin/support.ts";
import { admin, MODEL, startTokenScene } from "../dialects/openai/support.ts";
import { openPage, violationsOf } from "../support/browser.ts";
import { postJson } from "../support/http.ts";
import { startScene } from "../support/scene.ts";
import { ADMIN_TOKEN, openOperator, repeatCalls } from "./operator-support.ts";

const HOSTILE = `"><img src=x onerror=alert(1)><script>alert(2)</script>{{name}}`;

describe("signing in", { tags: "chromium" }, () => {
  test("takes the token by keyboard, keeps it nowhere, and leads to the place asked for", async () => {
    const { parley } = await startTokenScene();
    const { page, wrongs } = await openPage(`${parley.origin}/admin#/system`);
    await page.locator('input[type="password"]:focus').waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await page.keyboard.type(ADMIN_TOKEN);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "System", level: 1 }).waitFor();
    await page.locator(".views:focus").waitFor();
    expect(await page.content()).not.toContain(ADMIN_TOKEN);
    expect(page.url()).not.toContain(ADMIN_TOKEN);
    const kept = "JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])";
    expect(await page.evaluate(kept)).not.toContain(ADMIN_TOKEN);
    await page.reload();
    await page.getByRole("heading", { name: "System", level: 1 }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.locator('input[type="password"]').waitFor();
    await page.reload();
    await page.locator('input[type="password"]').waitFor();
    expect(wrongs).toEqual([]);
  });

  test("says in words that a token is wrong, and counts down where too many were", async () => {
    const { parley } = await startTokenScene();
    const { page } = await openPage(`${parley.origin}/admin`, { locale: "ru-RU" });
    const field = page.locator('input[type="password"]');
    await field.fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByText("Неверный токен").waitFor();
    await page.locator('input[type="password"]:focus').waitFor();
    const braked = page.getByText("слишком много неверных токенов");
    while (!(await braked.isVisible())) {
      await field.fill("wrong");
      const answered = page.waitForResponse(/admin\/session$/);
      await page.keyboard.press("Enter");
      await answered;
      await page.locator('button.main[aria-disabled="false"], p.wait').first().waitFor();
    }
    await page.locator("p.wait").waitFor();
    expect(await page.locator("p.wait").innerText()).toMatch(/\d/);
  });

  test("says that the server is away, and asks again", async () => {
    const { parley } = await startTokenScene();
    const { page } = await openPage(`${parley.origin}/admin`);
    await page.locator('input[type="password"]:focus').waitFor();
    await page.context().setOffline(true);
    await page.locator('input[type="password"]').fill(ADMIN_TOKEN);
    await page.keyboard.press("Enter");
    await page.getByText("The server cannot be reached").waitFor();
    await page.context().setOffline(false);
    await page.locator('input[type="password"]').fill(ADMIN_TOKEN);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  });

  test("a session that ends leaves what was typed", async () => {
    const { parley } = await startTokenScene();
    const { page } = await openOperator(parley.origin, "#/calls");
    await page.getByLabel("Model").fill("half typed");
    await page.context().clearCookies();
    await page.locator('input[type="password"]').waitFor();
    await page.getByText("The session has ended").waitFor();
    await page.locator('input[type="password"]:focus').waitFor();
    await page.keyboard.type(ADMIN_TOKEN);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Requests", level: 1 }).waitFor();
    expect(await page.getByLabel("Model").inputValue()).toBe("half typed");
  });
});

describe("a tab that stays open", { tags: "chromium" }, () => {
  test("is signed out and in with the others, and keeps what was typed", async () => {
    const { parley } = await startTokenScene();
    const { page, wrongs } = await openOperator(parley.origin, "#/tokens/new");
    await page.getByLabel("Name").fill("half typed");
    const other = await page.context().newPage();
    await other.goto(`${parley.origin}/admin`);
    await other.getByRole("button", { name: "Sign out" }).click();
    await page.getByText("The session has ended").waitFor();
    await other.locator("form.gate input").fill(ADMIN_TOKEN);
    await other.keyboard.press("Enter");
    await page.getByRole("heading", { name: "New token" }).waitFor();
    expect(await page.getByLabel("Name").inputValue()).toBe("half typed");
    expect(wrongs).toEqual([]);
  });

  test("whose dialog is open when the session ends can be signed in again", async () => {
    const { parley, id } = await startTokenScene();
    const { page, wrongs } = await openOperator(parley.origin, `#/tokens/${id}`);
    await page.getByRole("button", { name: "Rotate" }).click();
    await page.context().clearCookies();
    await page.locator("dialog button.main").click();
    await page.getByText("The session has ended").waitFor();
    await page.locator("form.gate input").click();
    await page.keyboard.type(ADMIN_TOKEN);
    await page.keyboard.press("Enter");
    await page.locator("dialog button.main").click();
    await page.locator("section.secret").waitFor();
    expect(wrongs).toEqual([]);
  });

  test("is not signed out without a question while something is not saved", async () => {
    const { parley } = await startTokenScene();
    const { page, wrongs } = await openOperator(parley.origin, "#/tokens/new");
    await page.getByLabel("Name").fill("half typed");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Keep editing" }).click();
    expect(await page.getByLabel("Name").inputValue()).toBe("half typed");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Leave" }).click();
    await page.locator("form.gate").waitFor();
    expect(wrongs).toEqual([]);
  });

  test("learns of a reset, and takes the new link", async () => {
    const { parley } = await startScene();
    const { origin, port } = parley;
    await parley.parley.offerSetup(port);
    const [, first = ""] = /#setup=([\w-]+)/.exec(await parley.logged("#setup=")) ?? [];
    await postJson(`${origin}/admin/setup`, { code: first, token: ADMIN_TOKEN });
    const { page } = await openPage(`${origin}/admin#/calls`);
    await page.locator("form.gate input").fill(ADMIN_TOKEN);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Pause" }).waitFor();
    const { out } = await parleyHere({ DATA_DIR: parley.config.DATA_DIR }, ["admin", "reset"]);
    await page.locator("pre", { hasText: "parley admin reset" }).waitFor();
    await page.goto(`${origin}/admin${/#setup=[\w-]+/.exec(out)?.[0]}`);
    await page.getByRole("button", { name: "Generate a token" }).click();
    await page.getByRole("button", { name: "Save and sign in" }).click();
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  });

  test.each(["in", "out"])("takes no used link after a reset, opened signed %s", async (side) => {
    const { parley } = await startScene();
    const { origin, port } = parley;
    await parley.parley.offerSetup(port);
    const [link, code = ""] = /#setup=([\w-]+)/.exec(await parley.logged("#setup=")) ?? [];
    await postJson(`${origin}/admin/setup`, { code, token: ADMIN_TOKEN });
    const opened = side === "in" ? openOperator(origin, link) : openPage(`${origin}/admin${link}`);
    const { page } = await opened;
    await page.locator(side === "in" ? "nav.side" : "form.gate").waitFor();
    await parleyHere({ DATA_DIR: parley.config.DATA_DIR }, ["admin", "reset"]);
    const ways = page.getByText(/parley admin reset|Generate a token/).first();
    // the server learns of a reset after a while
    const isReset = `fetch("admin/session").then((reply) => reply.json()).then(({ setup }) => setup)`;
    while (!(await page.evaluate(isReset)));
    await page.evaluate("new BroadcastChannel('parley operator').postMessage(null)");
    await ways.waitFor();
    expect(await page.getByRole("button", { name: "Generate a token" }).count()).toBe(0);
  });
});

test("a device whose clock is wrong sees the newest calls, and which price holds", {
  tags: "chromium",
}, async () => {
  const { parley, ask } = await startTokenScene();
  await ask();
  const { page } = await openOperator(parley.origin, "#/system");
  await page.clock.setSystemTime(Date.now() - 2 * 3_600_000);
  await page.getByRole("link", { name: "Prices" }).click();
  await page.getByRole("link", { name: MODEL }).click();
  await page.getByRole("cell", { name: "current" }).waitFor();
  await page.getByRole("link", { name: "Overview" }).click();
  await page.getByRole("slider", { name: "Requests" }).waitFor();
  expect(await page.locator(".figure .headline").first().innerText()).toBe("1");
});

describe("the first start", { tags: "chromium" }, () => {
  test("whoever has the link of the log chooses the token, which then signs in", async () => {
    const { parley } = await startScene();
    await parley.parley.offerSetup(parley.port);
    const line = await parley.logged("#setup=");
    const [, code = ""] = /#setup=([\w-]+)/.exec(line) ?? [];
    const { page, wrongs } = await openPage(`${parley.origin}/admin#setup=${code}`);
    await page.getByRole("heading", { name: "First start" }).waitFor();
    expect(page.url()).not.toContain(code);
    expect(await page.content()).not.toContain(code);
    expect(await violationsOf(page)).toEqual([]);
    const [first, again] = await page.locator('input[type="password"]').all();
    await first?.fill("short");
    await page.getByText("Too short").waitFor();
    await first?.fill("a-good-long-token-0123");
    await again?.fill("another");
    await page.getByText("The two tokens differ").waitFor();
    await page.getByRole("button", { name: "Generate a token" }).click();
    const token = await page.locator("code.secret").innerText();
    await page.getByRole("button", { name: "Save and sign in" }).click();
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
    expect(await page.content()).not.toContain(token);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.locator('input[type="password"]').fill(token);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
    expect(wrongs).toEqual([]);
  });

  test("without the link it says where that is, and a used link that it is over", async () => {
    const { parley } = await startScene();
    const { page } = await openPage(`${parley.origin}/admin`);
    await page.getByText("docker compose exec web parley admin reset").waitFor();
    await page.getByText("npm run -s parley -- admin reset").waitFor();
    const { parley: ready } = await startTokenScene();
    const late = await openPage(`${ready.origin}/admin#setup=nothing`);
    await late.page.getByText("The link is no longer needed").waitFor();
  });
});

describe("the overview", { tags: "chromium" }, () => {
  test("shows calls over time, to be read with arrow keys and as a table", async () => {
    const scene = await startTokenScene();
    await scene.ask();
    repeatCalls(scene.parley.config.DATA_DIR, 2_000, 6);
    const { page, wrongs } = await openOperator(scene.parley.origin, "#/overview/7d");
    const plot = page.getByRole("slider", { name: "Requests" });
    await plot.focus();
    const newest = await plot.getAttribute("aria-valuetext");
    await page.keyboard.press("ArrowLeft");
    expect(await plot.getAttribute("aria-valuetext")).not.toBe(newest);
    expect(await plot.getAttribute("aria-valuetext")).toContain("Answered");
    await page.keyboard.press("Home");
    expect(await plot.getAttribute("aria-valuenow")).toBe("0");
    expect(await page.locator(".figure .headline").first().innerText()).toBe("0");
    await page.keyboard.press("Escape");
    expect(await page.locator(".figure .headline").first().innerText()).toBe("2,001");
    await page.getByText("The charts as a table").click();
    const rows = page.locator("details[open] tbody tr");
    await rows.first().waitFor();
    expect(await rows.count()).toBe(168);
    expect(await page.locator("svg *").count()).toBeLessThan(100);
    expect(await violationsOf(page)).toEqual([]);
    expect(wrongs).toEqual([]);
  });

  test("the charts of a row are level, and money is short with its exact amount below", async () => {
    const scene = await startTokenScene({}, {});
    const { token } = await scene.issue({ name: "short" });
    await scene.ask(undefined, { headers: { authorization: `Bearer ${token}` } });
    repeatCalls(scene.parley.config.DATA_DIR, 200, 1);
    const viewport = { width: 1280, height: 900 };
    const { page } = await openOperator(scene.parley.origin, "#/overview", { viewport });
    await page.locator(".figure").nth(4).waitFor();
    const topsOf = (part: string) =>
      page.evaluate(
        `[...document.querySelectorAll(".figure ${part}")].map((one) => one.getBoundingClientRect().top)`,
      ) as Promise<number[]>;
    const tops = await topsOf(".plot");
    expect(new Set(tops).size).toBe(2);
    expect(new Set(await topsOf("h2")).size).toBe(2);
    const cost = page.locator(".figure", { hasText: "Cost" });
    expect(await cost.locator(".headline").innerText()).toMatch(/^\$\d+\.\d{2,}$/);
    const exact = await cost.locator(".legend").innerText();
    const headline = await cost.locator(".headline").innerText();
    expect(exact.length).toBeGreaterThan(headline.length);
  });

  test("names of tokens and models are text, and tokens lead to their page", async () => {
    const scene = await startTokenScene({}, {});
    const { token, id } = await scene.issue({ name: HOSTILE });
    await scene.ask(undefined, { headers: { authorization: `Bearer ${token}` } });
    const { page, wrongs } = await openOperator(scene.parley.origin);
    await page.getByRole("button", { name: "Parley token" }).click();
    const link = page.getByRole("link", { name: HOSTILE });
    expect(await link.getAttribute("href")).toBe(`#/tokens/${id}`);
    expect(await page.locator("main img, main script").count()).toBe(0);
    expect(wrongs).toEqual([]);
  });

  test("shows what is wrong with its mend, what was refused, and what was told", async () => {
    const scene = await startTokenScene({
      ALERT_URL: "http://127.0.0.1:9/none",
      ALERT_SECRET: `whsec_${"A".repeat(44)}`,
    });
    const { token } = await scene.issue({ name: HOSTILE, requests_per_day: 1 });
    const authorization = `Bearer ${token}`;
    await scene.ask(undefined, { headers: { authorization } });
    await scene.ask(undefined, { headers: { authorization } });
    for (let calls = 0; calls < 60; calls += 1) {
      await scene.ask(undefined, { headers: { "x-forwarded-for": `203.0.113.${calls}` } });
    }
    const told = async () =>
      (await admin(scene.parley.origin, "GET", "/warnings")).json as { alerts: readonly unknown[] };
    await expect.poll(async () => (await told()).alerts.length, { timeout: 20_000 }).toBe(1);
    const { page, wrongs } = await openOperator(scene.parley.origin);
    await page.locator(".notice code", { hasText: "TRUSTED_PROXIES=127.0.0.1" }).waitFor();
    const limits = page.locator(".figure", { hasText: "Rate limits and quotas" });
    await limits.getByText("1 refused").waitFor();
    await limits.getByText("Quota 1").waitFor();
    await page.getByText("Alerts: 1").click();
    await page.getByText(`Token ${HOSTILE}: 100% of the quota is used`).waitFor();
    expect(await violationsOf(page)).toEqual([]);
    expect(wrongs).toEqual([]);
  });

  test("says which upstream rests, and leads to it", async () => {
    const { parley, ask } = await startTokenScene();
    const failing = { name: "far", url: "http://127.0.0.1:9/v1", keys: ["sk-far"] };
    await admin(parley.origin, "POST", "/upstreams", failing);
    await admin(parley.origin, "PUT", `/routes/${MODEL}`, { to: `far:${MODEL}; default:${MODEL}` });
    for (let calls = 0; calls < 20; calls += 1) await ask();
    const { page } = await openOperator(parley.origin);
    await page.getByRole("link", { name: "The upstream far has failed and is paused." }).click();
    await page.getByRole("heading", { name: "Upstreams and routes", level: 1 }).waitFor();
  });

  test("says the next step where there is nothing yet", async () => {
    const { parley } = await startTokenScene();
    const { page } = await openOperator(parley.origin);
    await page.getByRole("link", { name: "Create a Parley token" }).click();
    await page.waitForURL(/#\/tokens\/new$/);
    await page.goBack();
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  });
});
