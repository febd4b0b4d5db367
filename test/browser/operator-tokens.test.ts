/** The operator's page: tokens and groups. */
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { admin, bearer, startTokenScene, type TokenScene } from "../dialects/openai/support.ts";
import { openOperator } from "./operator-support.ts";

const shown = (page: Page) => page.locator("main").innerText();
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const field = (page: Page, name: string) => page.getByLabel(name, { exact: true });
const tokensOf = async ({ parley }: TokenScene, query = "") => {
  const reply = await admin(parley.origin, "GET", `/tokens${query}`);
  return Object(reply.json).tokens as readonly Record<string, unknown>[];
};

/** The secret on the page. */
async function secretOn(page: Page): Promise<string> {
  const text = await page.locator(".secret > pre").innerText();
  expect(text).toMatch(/^parley-\w+$/);
  return text;
}

describe("creating a token", { tags: "chromium" }, () => {
  test("needs a name and the keyboard, and shows the secret once", async () => {
    const scene = await startTokenScene();
    const { page, wrongs } = await openOperator(scene.parley.origin, "#/tokens/new");
    await field(page, "Name").waitFor();
    await page.keyboard.type("bob");
    await page.keyboard.press("Enter");
    await page.locator(".secret").waitFor();
    const secret = await secretOn(page);
    expect((await scene.ask(undefined, { headers: bearer(secret) })).status).toBe(200);
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await button(page, "Copy").first().click();
    await button(page, "Copied").waitFor();
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe(secret);
    await page.getByRole("link", { name: "Groups" }).click();
    await page.getByRole("dialog").getByText("It is not shown again.").waitFor();
    await page.keyboard.press("Escape");
    expect(await secretOn(page)).toBe(secret);
    await button(page, "I have stored it").click();
    await page.getByRole("heading", { name: "bob" }).waitFor();
    await page.goBack();
    await page.getByRole("heading", { name: "New token" }).waitFor();
    expect(await page.content()).not.toContain(secret);
    const stored = String(
      await page.evaluate("JSON.stringify([{ ...localStorage }, history.state])"),
    );
    expect(stored + page.url()).not.toContain(secret);
    expect(wrongs).toEqual([]);
  });

  test("takes every option, and one press at a time", async () => {
    const scene = await startTokenScene();
    await admin(scene.parley.origin, "POST", "/groups", { name: "class" });
    const { page } = await openOperator(scene.parley.origin, "#/tokens/new");
    await field(page, "Name").fill("carol");
    for (const fold of await page.locator("summary").all()) await fold.click();
    await field(page, "Comment").fill("Room 4");
    await field(page, "Models").fill("gpt-4o, gpt-4o-mini");
    await field(page, "Expires").fill("2031-02-03T04:05");
    await field(page, "Requests per day").fill("100");
    await field(page, "US dollars per month").fill("2.000000000001");
    await field(page, "Requests per second").fill("3");
    await field(page, "Open requests").fill("2");
    await field(page, "Group").selectOption("class");
    await field(page, "Own OpenAI API key").fill("sk-own-0123456789");
    const sent: string[] = [];
    page.on("request", (request) => sent.push(`${request.method()} ${request.url()}`));
    // before the page can draw
    await page.evaluate(
      "for (let times = 0; times < 3; times += 1) document.querySelector('form.draft').requestSubmit()",
    );
    await page.locator(".secret").waitFor();
    expect(sent.filter((request) => request.startsWith("POST"))).toHaveLength(1);
    const made = (await tokensOf(scene)).filter(({ name }) => name === "carol");
    const expires = await page.evaluate(() => new Date("2031-02-03T04:05").toISOString());
    expect(made).toMatchObject([
      {
        comment: "Room 4",
        models: ["gpt-4o", "gpt-4o-mini"],
        expires_at: expires,
        requests_per_day: 100,
        money_per_month: "2.000000000001",
        second_limit: 3,
        concurrency: 2,
        group: "class",
        own_upstream_key: true,
      },
    ]);
    expect(await page.content()).not.toContain("sk-own-0123456789");
  });

  test("says at the field what is wrong, and keeps what was typed", async () => {
    const scene = await startTokenScene();
    const { page } = await openOperator(scene.parley.origin, "#/tokens/new");
    await field(page, "Name").fill("dave");
    await page.getByText("Quotas per day and month (UTC)").click();
    await field(page, "US dollars per day").fill("a lot");
    await page.getByText("Quotas per day and month (UTC)").click();
    await button(page, "Create token").click();
    await page.locator(".summary:focus").waitFor();
    const wrong = field(page, "US dollars per day");
    expect(await wrong.isVisible()).toBe(true);
    expect(await wrong.getAttribute("aria-invalid")).toBe("true");
    const about = (await wrong.getAttribute("aria-describedby")) ?? "";
    const words = await page.locator(`[id="${about}"]`).innerText();
    expect(await page.locator(".summary").innerText()).toContain(words);
    await button(page, "Go to the field").click();
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type("0.5");
    await page.keyboard.press("Enter");
    await page.locator(".secret").waitFor();
    expect(await tokensOf(scene, "?q=dave")).toMatchObject([{ money_per_day: "0.5" }]);
  });

  test("makes several at once, to be copied or saved as a file", async () => {
    const scene = await startTokenScene();
    const { page } = await openOperator(scene.parley.origin, "#/tokens/new");
    await field(page, "Name").fill("=class");
    await page.getByText("Several at once").click();
    await field(page, "How many").fill("3");
    await button(page, "Create token").click();
    await page.getByRole("heading", { name: "Tokens: 3" }).waitFor();
    const lines = (await page.locator(".secret > pre").innerText()).split("\n");
    expect(lines.map((line) => line.split("\t")[0])).toEqual(
      ["001", "002", "003"].map((n) => `=class-${n}`),
    );
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      button(page, "Download as CSV").click(),
    ]);
    const saved = readFileSync(await file.path(), "utf8")
      .trimEnd()
      .split("\r\n");
    expect(saved[0]).toBe("id,name,token");
    const [, name, secret] = saved[3]?.split(",") ?? [];
    expect([name, secret]).toEqual(["'=class-003", lines[2]?.split("\t")[1]]);
  });

  test("copies another token, but not its name, key or past expiry", async () => {
    const scene = await startTokenScene();
    const like = await scene.issue({ name: "erin", minute_limit: 7, models: ["gpt-4o-mini"] });
    const { page } = await openOperator(scene.parley.origin, `#/tokens/${like.id}`);
    await page.getByRole("link", { name: "New token like this" }).click();
    await field(page, "Requests per minute").waitFor();
    expect(await field(page, "Name").inputValue()).toBe("");
    await field(page, "Name").fill("erin 2");
    await field(page, "Models").fill("");
    await button(page, "Create token").click();
    await page.locator(".secret").waitFor();
    expect(await tokensOf(scene, "?q=erin%202")).toMatchObject([{ minute_limit: 7, models: null }]);
  });
});

describe("a token", { tags: "chromium" }, () => {
  test("is changed without undoing what somebody else changed meanwhile", async () => {
    const scene = await startTokenScene();
    const { id } = await scene.issue({ name: "frank", requests_per_day: 5, minute_limit: 9 });
    const { page } = await openOperator(scene.parley.origin, `#/tokens/${id}/edit`);
    await field(page, "Requests per day").fill("");
    await admin(scene.parley.origin, "PATCH", `/tokens/${id}`, { comment: "from elsewhere" });
    await button(page, "Save").click();
    await page.getByText("from elsewhere").first().waitFor();
    const newest = page.locator("tbody tr", { hasText: "requests_per_day" }).first();
    await newest.getByRole("button").click();
    await page.locator("del", { hasText: "5" }).waitFor();
    expect(await tokensOf(scene, "?q=frank")).toMatchObject([
      { requests_per_day: null, minute_limit: 9, comment: "from elsewhere" },
    ]);
  });

  test("gets a new secret, and the old one has a grace of 24 hours", async () => {
    const scene = await startTokenScene();
    const { id, token: old } = await scene.issue({ name: "grace" });
    const { page } = await openOperator(scene.parley.origin, `#/tokens/${id}`);
    await button(page, "Rotate").click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("for another 24 hours").waitFor({ state: "attached" });
    await dialog.getByRole("button", { name: "Rotate" }).click();
    await page.locator(".secret").waitFor();
    for (const secret of [old, await secretOn(page)]) {
      expect((await scene.ask(undefined, { headers: bearer(secret) })).status).toBe(200);
    }
    await page.getByText("Old secret accepted until").waitFor();
  });

  test("is disabled, enabled, and revoked only by whoever types its name", async () => {
    const scene = await startTokenScene();
    const { id, token } = await scene.issue({ name: "heidi" });
    const { page } = await openOperator(scene.parley.origin, `#/tokens/${id}`);
    const status = async () => (await scene.ask(undefined, { headers: bearer(token) })).status;
    await button(page, "Disable").click();
    await button(page, "Enable").waitFor();
    expect(await status()).toBe(401);
    await button(page, "Enable").click();
    await button(page, "Disable").waitFor();
    expect(await status()).toBe(200);
    await button(page, "Revoke").click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Type heidi to confirm").fill("heid");
    await page.keyboard.press("Enter");
    expect(await tokensOf(scene, "?q=heidi")).toMatchObject([{ state: "valid" }]);
    await page.keyboard.type("i");
    await page.keyboard.press("Enter");
    await page.locator("h1", { hasText: "revoked" }).waitFor();
    expect(await dialog.count()).toBe(0);
    expect(await button(page, "Rotate").count()).toBe(0);
  });

  test("is revoked by its name as it is shown, whatever blanks that has", async () => {
    const scene = await startTokenScene();
    const { id } = await scene.issue({ name: "judy  of\u00a0class  4" });
    const { page } = await openOperator(scene.parley.origin, `#/tokens/${id}`);
    await button(page, "Revoke").click();
    await page.getByRole("dialog").getByRole("textbox").fill(" judy of class 4 ");
    await page.keyboard.press("Enter");
    await page.locator("h1", { hasText: "revoked" }).waitFor();
  });

  test("shows what is used, left and spent, and the way to its calls", async () => {
    const scene = await startTokenScene();
    await admin(scene.parley.origin, "POST", "/groups", { name: "class", requests_per_month: 50 });
    const quotas = { requests_per_day: 10, money_per_month: "2.5", group: "class" };
    const { id, token } = await scene.issue({ name: "ivan", ...quotas });
    await scene.ask(undefined, { headers: bearer(token) });
    const { page } = await openOperator(scene.parley.origin, `#/tokens/${id}`);
    await page.getByRole("link", { name: "Requests of this token" }).waitFor();
    await page.getByText("Requests · Per month (group class)").waitFor();
    const words = (await page.locator(".meters").innerText()).replaceAll(/\s+/g, " ");
    expect(words).toContain("Requests · Per day 9 of 10 left Used: 1");
    expect(words).toContain("Requests · Per month (group class) 49 of 50 left Used: 1");
    const [, left = "", spent = ""] =
      /Money · Per month \$([\d.]+) of \$2\.50 left Used: \$([\d.]+)/.exec(words) ?? [];
    expect([spent, Number(spent) + Number(left)]).toEqual([expect.stringMatching(/[1-9]/), 2.5]);
  });
});

describe("two thousand tokens", { tags: "chromium" }, () => {
  test("are at the same page after a look at one of them", async () => {
    const scene = await startTokenScene();
    await admin(scene.parley.origin, "POST", "/tokens", { name: "class", count: 120 });
    const { page } = await openOperator(scene.parley.origin, "#/tokens");
    await button(page, "Next").click();
    const token = page.getByRole("link", { name: "class-060", exact: true });
    await token.click();
    await page.getByRole("heading", { name: "class-060" }).waitFor();
    await page.goBack();
    await token.waitFor();
    await page.getByText("Page 2").waitFor();
    await page.getByRole("link", { name: "Overview" }).click();
    await page.getByRole("link", { name: "Tokens", exact: true }).click();
    await page.getByRole("link", { name: "class-120", exact: true }).waitFor();
  });

  test("are found as one types, in few rows, and late answers are dropped", async () => {
    const scene = await startTokenScene();
    const { origin } = scene.parley;
    for (const name of ["north", "south"]) {
      await admin(origin, "POST", "/tokens", { name, count: 1_000 });
    }
    const { page } = await openOperator(origin, "#/tokens");
    await page.getByRole("link", { name: "south-1000", exact: true }).waitFor();
    expect(await page.locator("tbody tr").count()).toBeLessThanOrEqual(50);
    await button(page, "Next").click();
    await page.getByRole("link", { name: "south-0950", exact: true }).waitFor();
    const late = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    await page.route(/q=north-0&/, async (route) => {
      const response = await route.fetch();
      await late.promise;
      // nobody waits for it any more
      await route.fulfill({ response }).catch(() => undefined);
      answered.resolve();
    });
    const asked = page.waitForRequest(/q=north-0&/);
    await field(page, "Find").fill("north-0");
    await asked;
    await field(page, "Find").fill("north-07");
    await page.getByRole("link", { name: "north-0799", exact: true }).waitFor();
    late.resolve();
    await answered.promise;
    // what came before this answer is drawn
    await page.evaluate(`fetch("admin/session").then((answer) => answer.json()).then(() =>
      new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))))`);
    expect(await page.locator("tbody a").first().innerText()).toBe("north-0799");
    await field(page, "Order").selectOption("oldest");
    await page.getByRole("link", { name: "north-0700", exact: true }).waitFor();
    expect(await page.locator("tbody tr").count()).toBe(50);
    await field(page, "State").selectOption("revoked");
    await page.getByText("No token matches. Change the search or the state.").waitFor();
  });
});

describe("what is not saved", { tags: "chromium" }, () => {
  test("is not lost without a question", async () => {
    const scene = await startTokenScene();
    const { page, wrongs } = await openOperator(scene.parley.origin, "#/groups");
    await page.getByRole("link", { name: "New group" }).first().click();
    await field(page, "Name").fill("draft");
    await page.getByRole("link", { name: "Prices" }).click();
    await page.getByRole("dialog").waitFor();
    await button(page, "Keep editing").click();
    expect(await field(page, "Name").inputValue()).toBe("draft");
    expect(page.url()).toContain("#/groups/new");
    await page.goBack();
    await page.getByRole("dialog").waitFor();
    await button(page, "Leave").click();
    await page.locator("h1", { hasText: /^(Prices|Groups)$/ }).waitFor();
    expect(wrongs).toEqual([]);
  });
});

describe("groups", { tags: "chromium" }, () => {
  test("are created, changed, and removed when no token is in them", async () => {
    const scene = await startTokenScene();
    const { origin } = scene.parley;
    const { page } = await openOperator(origin, "#/groups");
    await page.getByText("No groups yet.").waitFor();
    await page.getByRole("link", { name: "New group" }).click();
    await field(page, "Name").fill("a / b?");
    await field(page, "US dollars per month").fill("50");
    await button(page, "Create group").click();
    await page.getByRole("heading", { name: "a / b?" }).waitFor();
    const { id } = await scene.issue({ name: "judy", group: "a / b?" });
    await page.reload();
    await page.getByRole("link", { name: "judy" }).waitFor();
    await page.getByRole("link", { name: "Edit" }).click();
    await field(page, "US dollars per month").fill("80");
    await button(page, "Save").click();
    await page.getByText("$80.00").first().waitFor();
    await button(page, "Remove").click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await page.getByRole("dialog").locator("[role=alert] p").waitFor();
    await page.keyboard.press("Escape");
    await admin(origin, "PATCH", `/tokens/${id}`, { group: null });
    await button(page, "Remove").click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await page.getByText("No groups yet.").waitFor();
    expect(await shown(page)).not.toContain("a / b?");
  });
});
