/** The page of token holders, and what strangers may have written into names. */
import { describe, expect, test } from "vitest";
import { MODEL, startTokenScene } from "../dialects/openai/support.ts";
import { hasFocus, openPage, violationsOf } from "../support/browser.ts";
import { startScene } from "../support/scene.ts";
import { vectors } from "../support/xss.ts";

const HOSTILE = `"><img src=x onerror=alert(1)><script>alert(2)</script>{{name}}`;

describe("the page of token holders", { tags: "chromium" }, () => {
  test("shows what is left of a token, its calls and the settings of clients", async () => {
    const scene = await startTokenScene();
    const { token } = await scene.issue({
      name: HOSTILE,
      requests_per_day: 10,
      money_per_month: "2.5",
      minute_limit: 5,
    });
    await scene.ask(undefined, { headers: { authorization: `Bearer ${token}` } });
    const { page, wrongs } = await openPage(`${scene.parley.origin}/me`);
    await page.getByLabel("Parley token", { exact: true }).fill(token);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: HOSTILE }).waitFor();
    const main = page.locator("main");
    expect(await main.locator("img, script").count()).toBe(0);
    const shown = await main.innerText();
    expect(shown).toContain("$2.50");
    expect(shown).toContain(MODEL);
    expect(shown).toContain("completed");
    expect(await page.content()).not.toContain(token);
    expect(await violationsOf(page)).toEqual([]);
    expect(wrongs).toEqual([]);
  });

  test("says in the page's language that a token is wrong", async () => {
    const { parley } = await startScene();
    const { page } = await openPage(`${parley.origin}/me`, { locale: "zh-TW" });
    await page.locator('input[type="password"]').fill("parley-nothing");
    await page.keyboard.press("Enter");
    await page.locator('[role="alert"]:not(:empty)').waitFor();
    expect(await page.locator('[role="alert"]').innerText()).toMatch(/[一-鿿]/);
  });
});

describe("the token's field", { tags: "chromium" }, () => {
  test("has the focus at first, and again when the token is forgotten", async () => {
    const { token, parley } = await startTokenScene();
    const { page } = await openPage(`${parley.origin}/me`);
    const field = page.locator('input[type="password"]');
    expect(await hasFocus(field)).toBe(true);
    await page.keyboard.type(token);
    await page.getByLabel("Remember on this device").check();
    await page.reload();
    await page.getByRole("heading", { name: "Settings for clients" }).waitFor();
    await page.getByRole("button", { name: "Forget" }).click();
    expect([await hasFocus(field), await field.inputValue()]).toEqual([true, ""]);
    // its settings can no longer be copied
    await page
      .getByRole("heading", { name: "Settings for clients" })
      .waitFor({ state: "detached" });
    expect(await page.evaluate("JSON.stringify(localStorage)")).not.toContain(token);
  });

  test("is not remembered again by a tab that was open when it was forgotten", async () => {
    const { token, parley } = await startTokenScene();
    const { page } = await openPage(`${parley.origin}/me`);
    await page.locator('input[type="password"]').fill(token);
    await page.getByLabel("Remember on this device").check();
    const other = await page.context().newPage();
    await other.goto(`${parley.origin}/me`);
    await other.getByRole("button", { name: "Forget" }).click();
    await page.getByRole("button", { name: "Forget" }).waitFor({ state: "detached" });
    await page.locator('input[type="password"]').fill(`${token}x`);
    expect(await page.evaluate("JSON.stringify(localStorage)")).not.toContain(token);
  });

  test("a long name without a space leaves the page as wide as the window", async () => {
    const { parley, issue } = await startTokenScene();
    const { token } = await issue({ name: `first.last@${"department".repeat(9)}.example.com` });
    const viewport = { width: 390, height: 844 };
    const { page } = await openPage(`${parley.origin}/me`, { viewport });
    await page.locator('input[type="password"]').fill(token);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Settings for clients" }).waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
  });

  test("takes a token as it was copied, and what is none is refused in words", async () => {
    const { token, parley } = await startTokenScene();
    const { page } = await openPage(`${parley.origin}/me`);
    await page.keyboard.insertText("密码");
    await page.keyboard.press("Enter");
    await page.getByText("the token is unknown").waitFor();
    await page.locator('input[type="password"]').fill(`“Authorization: Bearer ${token}”`);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Settings for clients" }).waitFor();
  });

  test("shows what is about the newest token, also where an older answer comes later", async () => {
    const { token, parley } = await startTokenScene();
    const { page } = await openPage(`${parley.origin}/me`);
    const held = Promise.withResolvers<void>();
    await page.route(
      "**/usage",
      async (route) => {
        await held.promise;
        await route.continue();
      },
      { times: 1 },
    );
    await page.keyboard.type("parley-wrong");
    await page.keyboard.press("Enter");
    await page.locator('input[type="password"]').fill(token);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Settings for clients" }).waitFor();
    const late = page.waitForResponse((response) => response.status() === 401);
    held.resolve();
    await (await late).finished();
    await page.locator("header select").selectOption("ru");
    await page.locator('html[lang="ru"]').waitFor();
    expect(await page.locator("form ~ [role='alert']").innerText()).toBe("");
  });

  test("takes a token whose settings are copied whole, but not shown", async () => {
    const { token, parley } = await startTokenScene();
    const permissions = ["clipboard-read", "clipboard-write"];
    const { page } = await openPage(`${parley.origin}/me`, { permissions });
    await page.keyboard.type(token);
    await page.keyboard.press("Enter");
    const settings = page.getByRole("group", { name: "Settings for clients" });
    await settings.getByRole("button").nth(1).waitFor();
    for (const client of await settings.getByRole("button").all()) {
      await client.click();
      await page.getByRole("button", { name: "Copy" }).click();
      await page.getByText("Copied").waitFor();
      expect(await page.evaluate("navigator.clipboard.readText()")).toContain(token);
      expect(await page.locator("pre").innerText()).not.toContain(token);
    }
  });
});

describe("copying", { tags: "chromium" }, () => {
  test.each([
    ["is missing, as on plain http", "Object.defineProperty(navigator, 'clipboard', {})"],
    ["is forbidden", "navigator.clipboard.writeText = () => Promise.reject(new Error('no'))"],
  ])("works where the clipboard %s, and the focus stays", async (_name, script) => {
    const { token, parley } = await startTokenScene();
    const { page, wrongs } = await openPage(`${parley.origin}/me`);
    await page.evaluate(script);
    await page.keyboard.type(`"Bearer ${token}"`);
    await page.keyboard.press("Enter");
    const button = page.getByRole("button", { name: /^(Copy|Copied)$/ });
    await button.focus();
    await page.keyboard.press("Enter");
    await page.getByText("Copied").waitFor();
    expect(await hasFocus(button)).toBe(true);
    expect(wrongs).toEqual([]);
    await page.getByLabel("Parley token", { exact: true }).fill("");
    await page.getByLabel("Parley token", { exact: true }).press("Control+v");
    const pasted = await page.getByLabel("Parley token", { exact: true }).inputValue();
    expect(pasted).toContain(token);
    expect(pasted).not.toContain(`"Bearer`);
  });
});

describe("a name that is markup", { tags: "chromium" }, () => {
  test.each(["/", "/me", "/status"])("is text on %s", async (path) => {
    const ALLOWED_MODELS = vectors.filter((text) => !/[,\n]/.test(text)).join(",");
    const { parley } = await startScene({ MODEL: HOSTILE, ALLOWED_MODELS });
    const { page, wrongs } = await openPage(parley.origin + path);
    expect(await page.locator("img, b, iframe, #page script").count()).toBe(0);
    expect(wrongs).toEqual([]);
  });
});
