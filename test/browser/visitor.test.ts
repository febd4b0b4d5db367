/** The visitor's page as people use it. */
import { describe, expect, test } from "vitest";
import { openPage, violationsOf } from "../support/browser.ts";
import { cutInsideEvent } from "../support/faults.ts";
import { heldUntil } from "../support/held.ts";
import { cutAfterOneEvent, startPageProxy } from "../support/page-proxy.ts";
import { OWN_KEY, startScene } from "../support/scene.ts";
import { createAnswer } from "../support/upstream.ts";

describe("the visitor's page", { tags: "chromium" }, () => {
  test("takes a question at once and shows the answer, whose markup is no HTML", async () => {
    const text = [
      "# Heading",
      "",
      "**strong** and `code`, <img src=x onerror=alert(1)> <script>alert(2)</script>",
      "",
      "[bad](javascript:alert%283%29) [data](data:text/html,x) [good](https://example.org/a) ![picture](https://example.org/p.png)",
      "",
      "```",
      "<b>in a fence</b>",
      "```",
    ].join("\n");
    const { parley } = await startScene({}, { behaviour: createAnswer({ text: () => text }) });
    const { page, wrongs } = await openPage(`${parley.origin}/`);
    expect(await page.evaluate("document.activeElement.id")).toBe("question");
    await page.keyboard.type("Hello?");
    await page.keyboard.press("Enter");
    await page.locator(".answer strong").waitFor();
    await page.locator('[aria-busy="false"]').waitFor();
    const answer = page.locator(".answer");
    expect(await answer.locator("script, img, b").count()).toBe(0);
    expect(await answer.innerText()).toContain("<img src=x onerror=alert(1)>");
    const links = await answer
      .locator("a")
      .evaluateAll((all) => all.map((one) => one.getAttribute("href")));
    expect(links).toEqual(["https://example.org/a", "https://example.org/p.png"]);
    expect(wrongs).toEqual([]);
  });

  test("sends the conversation with the next question", async () => {
    const { parley, upstream } = await startScene();
    const { page } = await openPage(`${parley.origin}/`);
    for (const question of ["One", "Two"]) {
      await page.locator("#question").fill(question);
      await page.keyboard.press("Enter");
      await page.locator(`.message:has-text("${question}") [aria-busy="false"]`).waitFor();
    }
    const roles = Object(upstream.requests.at(-1)?.json).messages.map(
      ({ role }: { role: string }) => role,
    );
    expect(roles).toEqual(["user", "assistant", "user"]);
  });

  test("stops an answer with Escape and keeps the focus", async () => {
    const go = Promise.withResolvers<void>();
    const { parley, upstream } = await startScene({}, { behaviour: heldUntil(go.promise) });
    const { page, wrongs } = await openPage(`${parley.origin}/`);
    await page.keyboard.type("Hello?");
    await page.keyboard.press("Enter");
    await page.locator(".answer p").waitFor();
    await page.keyboard.press("Escape");
    await page.getByText("Stopped.").waitFor();
    expect(await page.evaluate("document.activeElement.id")).toBe("question");
    await upstream.waitFor(() => upstream.closedEarly.count === 1, {
      label: "the end of the answer",
      timeoutMs: 5_000,
    });
    go.resolve();
    expect(wrongs).toEqual([]);
  });

  test("says that the service broke off, in the page's language", async () => {
    const { parley } = await startScene({}, { behaviour: cutInsideEvent });
    const { page } = await openPage(`${parley.origin}/`, { locale: "ru-RU" });
    await page.keyboard.type("Привет?");
    await page.keyboard.press("Enter");
    await page.locator(".message .warning").waitFor();
    expect(await page.locator(".message .warning").innerText()).toMatch(/[а-я]/i);
  });

  test("says that an answer was cut off on its way, and keeps what came", async () => {
    const { parley } = await startScene();
    const { origin } = await startPageProxy(parley.port, cutAfterOneEvent);
    const { page } = await openPage(`${origin}/`);
    await page.keyboard.type("Hello?");
    await page.keyboard.press("Enter");
    await page.getByText("The answer was cut off").waitFor();
    expect(await page.locator(".answer").innerText()).toContain("ech");
  });

  test("says that a key is wrong, in the page's language", async () => {
    const { parley } = await startScene({ API_KEY: "" });
    const { page } = await openPage(`${parley.origin}/`, { locale: "zh-CN" });
    await page.locator("#question").fill("你好？");
    await page.keyboard.press("Enter");
    await page.locator(".message .warning").waitFor();
    expect(await page.locator(".message .warning").innerText()).toMatch(/[一-鿿]/);
  });

  test("counts down to when a limit lets calls through again, and sends again", async () => {
    const { parley } = await startScene({ SECOND_LIMIT: "0", MINUTE_LIMIT: "2", HOUR_LIMIT: "9" });
    const { page, wrongs } = await openPage(`${parley.origin}/`);
    for (const question of ["One", "Two", "Three"]) {
      await page.locator("#question").fill(question);
      await page.keyboard.press("Enter");
      await page.locator(`.message:has-text("${question}") [aria-busy="false"]`).waitFor();
    }
    const again = page.getByRole("button", { name: "Send again" });
    expect(await again.isDisabled()).toBe(true);
    await page
      .getByText(/Try again in \d+ sec/)
      .first()
      .waitFor();
    expect(await page.getByRole("progressbar").count()).toBe(2);
    expect(wrongs).toEqual([]);
  });

  test("keeps a key only where that is wanted, and forgets it", async () => {
    const { parley } = await startScene({ API_KEY: "" });
    const { page } = await openPage(`${parley.origin}/`);
    const stored = () => page.evaluate("JSON.stringify(localStorage)");
    await page.locator('input[type="password"]').fill("sk-secret");
    expect(await stored()).not.toContain("sk-secret");
    await page.getByLabel("Remember on this device").check();
    expect(await stored()).toContain("sk-secret");
    await page.getByRole("button", { name: "Forget" }).click();
    expect(await stored()).not.toContain("sk-secret");
    expect(page.url()).not.toContain("sk-secret");
  });

  test("works below a prefix that a proxy takes away, as its addresses are relative", async () => {
    const { parley } = await startScene({ ROUTE: "api" });
    const { page } = await openPage(`${parley.origin}/`);
    await page.locator("summary").last().click();
    expect(await page.locator("details pre").innerText()).toContain(`${parley.origin}/api`);
  });
});

describe("the settings", { tags: "chromium" }, () => {
  test("explain how to get a key until the first question, and the field stays in its place", async () => {
    const { parley } = await startScene({ API_KEY: "" });
    const viewport = { width: 390, height: 1_500 };
    const { page } = await openPage(`${parley.origin}/`, { viewport });
    const key = page.locator('input[type="password"]');
    const before = await key.boundingBox();
    await key.fill(OWN_KEY);
    await page.getByRole("button", { name: "Ask" }).waitFor();
    expect(await key.boundingBox()).toEqual(before);
    await page.locator("#question").fill("Hello?");
    await page.keyboard.press("Enter");
    await page.locator('[aria-busy="false"]').waitFor();
    expect(await page.locator(".notice").count()).toBe(0);
    await page.getByRole("button", { name: "New conversation" }).click();
    expect(await page.locator(".notice").count()).toBe(0);
  });

  test.each([
    [" gpt-4o ", "gpt-4o"],
    ["  ", "gpt-4o-mini"],
  ])("send the model %j as %j", async (typed, sent) => {
    const { parley, upstream } = await startScene({ MODEL: "gpt-4o-mini" });
    const { page } = await openPage(`${parley.origin}/`);
    await page.locator("summary").first().click();
    await page.getByLabel("Model", { exact: true }).fill(typed);
    await page.locator("#question").fill("Hello?");
    await page.keyboard.press("Enter");
    await page.locator('[aria-busy="false"]').waitFor();
    expect(upstream.requests.map(({ json }) => Object(json).model)).toEqual([sent]);
  });

  test.each([
    ["5000", 100],
    ["1.5", 100],
    ["", 100],
    ["250", 250],
  ])("keep the length %j as it was typed, and send %d", async (typed, sent) => {
    const { parley, upstream } = await startScene({ MAX_TOKENS: "100", MAX_TOKENS_LIMIT: "4096" });
    const { page } = await openPage(`${parley.origin}/`);
    await page.locator("summary").first().click();
    const length = page.getByLabel("Length of the answer");
    await length.press("Control+A");
    await length.press("Delete");
    await length.pressSequentially(typed);
    const isWrong = Number(typed) > 4_096 || typed.includes(".");
    expect(await length.getAttribute("aria-invalid")).toBe(String(isWrong));
    expect(await page.getByText("from 1 to 4096").count()).toBe(isWrong ? 1 : 0);
    await page.locator("#question").fill("Hello?");
    await page.keyboard.press("Enter");
    await page.locator('[aria-busy="false"]:has-text("echo: Hello?")').waitFor();
    expect(await length.inputValue()).toBe(typed);
    expect(Object(upstream.requests.at(-1)?.json).max_tokens).toBe(sent);
    expect(await violationsOf(page)).toEqual([]);
  });
});

describe("the question as code", { tags: "chromium" }, () => {
  test("is copied anew after a change, and says so", async () => {
    const { parley } = await startScene();
    const { page } = await openPage(`${parley.origin}/`);
    await page.locator("summary").last().click();
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    await page.locator("#question").fill("Something else?");
    await page.getByRole("button", { name: "Copy" }).waitFor();
  });

  test.each(["en", "zh-CN", "zh-TW", "ru"])("has the length in each piece, in %s", async (tag) => {
    const { parley } = await startScene({ MAX_TOKENS: "123" });
    const { page } = await openPage(`${parley.origin}/`, { locale: tag });
    await page.locator("summary").last().click();
    const tabs = page.locator("details fieldset button");
    for (const button of await tabs.all()) {
      await button.click();
      expect(await page.locator("details pre").innerText()).toMatch(/max_tokens\W+123/);
    }
    const names = (await tabs.allInnerTexts()).filter((name) => /[:：]/.test(name));
    expect(names).toHaveLength(2);
    const letters = tag === "en" ? /[a-z]$/ : /[а-я一-鿿]$/;
    for (const name of names) expect(name).toMatch(letters);
  });
});

describe.each(["/", "/me", "/status"])("the page %s", { tags: "chromium" }, (path) => {
  test.each(["en", "zh-CN", "zh-TW", "ru"])(
    "changes its language to %s and remembers it",
    async (tag) => {
      const { parley } = await startScene();
      const { page, wrongs } = await openPage(parley.origin + path, { locale: "fr" });
      await page.locator("header select").selectOption(tag);
      await page.locator(`html[lang="${tag}"]`).waitFor();
      const heading = await page.locator("h1").innerText();
      await page.reload();
      await page.locator(`html[lang="${tag}"]`).waitFor();
      expect(await page.locator("h1").innerText()).toBe(heading);
      expect(await page.locator("main").innerText()).not.toMatch(
        /(?:visitor|holder|status|window)\.\w/,
      );
      expect(wrongs).toEqual([]);
    },
  );
});
