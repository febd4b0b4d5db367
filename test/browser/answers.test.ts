/** Answers that are long, that strangers wrote, or that come in the middle of something else. */
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { hasFocus, openPage, violationsOf } from "../support/browser.ts";
import { heldUntil } from "../support/held.ts";
import { startScene } from "../support/scene.ts";
import { createAnswer } from "../support/upstream.ts";
import { vectors } from "../support/xss.ts";

async function ask(page: Page, question = "Hello?") {
  await page.locator("#question").fill(question);
  await page.keyboard.press("Enter");
}

const whole = (page: Page) => page.locator('[aria-busy="false"]').last().waitFor();

describe("the buttons of an answer", { tags: "chromium" }, () => {
  test("Stop becomes Ask and keeps the focus when the answer ends by itself", async () => {
    const go = Promise.withResolvers<void>();
    const { parley } = await startScene({}, { behaviour: heldUntil(go.promise) });
    const { page } = await openPage(`${parley.origin}/`);
    await ask(page);
    await page.locator(".answer p").waitFor();
    await page.keyboard.press("Tab");
    expect(await hasFocus(page.getByRole("button", { name: "Stop" }))).toBe(true);
    go.resolve();
    await whole(page);
    const button = page.locator(".composer").getByRole("button", { name: "Ask" });
    expect([await hasFocus(button), await button.isDisabled()]).toEqual([true, true]);
  });

  test("a click on Ask leaves the focus in the field", async () => {
    const { parley } = await startScene();
    const { page } = await openPage(`${parley.origin}/`);
    await page.locator("#question").fill("Hello?");
    await page.getByRole("button", { name: "Ask" }).click();
    await whole(page);
    expect(await hasFocus(page.locator("#question"))).toBe(true);
  });

  test("a double click on Ask asks, and stops nothing", async () => {
    const go = Promise.withResolvers<void>();
    const { parley, upstream } = await startScene({}, { behaviour: heldUntil(go.promise) });
    const { page } = await openPage(`${parley.origin}/`);
    await page.locator("#question").fill("Hello?");
    await page.getByRole("button", { name: "Ask" }).click();
    await page.getByRole("button", { name: "Stop" }).hover();
    await page.mouse.down({ clickCount: 2 });
    await page.mouse.up({ clickCount: 2 });
    go.resolve();
    await page.locator('[aria-busy="false"]:has-text("echo: Hello?")').waitFor();
    expect([upstream.requests.length, upstream.closedEarly.count]).toEqual([1, 0]);
  });

  test.each(["with a clipboard", "without one"])("Copy copies the Markdown, %s", async (which) => {
    const text = "**strong**\n\n```\ncode\n```";
    const { parley } = await startScene({}, { behaviour: createAnswer({ text: () => text }) });
    const permissions = ["clipboard-read", "clipboard-write"];
    const { page } = await openPage(`${parley.origin}/`, { permissions });
    if (which === "without one") {
      await page.evaluate("window.kept = navigator.clipboard");
      await page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })");
    } else await page.evaluate("window.kept = navigator.clipboard");
    await ask(page);
    await whole(page);
    await page.getByRole("button", { name: "Copy" }).last().click();
    await page.getByText("Copied").waitFor();
    expect(await page.evaluate("kept.readText()")).toBe(text);
  });
});

describe("an answer that is under way", { tags: "chromium" }, () => {
  test.each(["reduce", "no-preference"] as const)("has a mark, motion: %s", async (motion) => {
    const go = Promise.withResolvers<void>();
    const { parley } = await startScene({}, { behaviour: heldUntil(go.promise) });
    const { page } = await openPage(`${parley.origin}/`, { reducedMotion: motion });
    await ask(page);
    await page.locator(".open").waitFor({ state: "attached" });
    const { content, animationName } = Object(
      await page.evaluate("({ ...getComputedStyle(document.querySelector('.open'), '::after') })"),
    );
    expect(content).toContain("▍");
    expect(animationName === "none").toBe(motion === "reduce");
    go.resolve();
  });
});

describe("the field", { tags: "chromium" }, () => {
  test.each([
    ["isComposing", { key: "Enter", isComposing: true }],
    ["its code alone", { key: "Enter", keyCode: 229 }],
  ])("leaves the Enter that ends a composition alone, told by %s", async (_by, key) => {
    const { parley, upstream } = await startScene();
    const { page } = await openPage(`${parley.origin}/`);
    await page.locator("#question").fill("你好");
    const init = JSON.stringify({ ...key, bubbles: true, cancelable: true });
    await page.evaluate(
      `document.activeElement.dispatchEvent(new KeyboardEvent("keydown", ${init}))`,
    );
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("!");
    expect(await page.locator("#question").inputValue()).toBe("你好\n!");
    expect(upstream.requests).toEqual([]);
    await page.keyboard.press("Enter");
    await whole(page);
    expect(upstream.requests).toHaveLength(1);
  });
});

describe("on a small screen", { tags: "chromium" }, () => {
  test("what Tab reaches is not behind the field, however high that is", async () => {
    const text = () => "```\ncode\n```\n\ntext\n\n".repeat(9);
    const { parley } = await startScene({}, { behaviour: createAnswer({ text }) });
    const { page } = await openPage(`${parley.origin}/`, { viewport: { width: 640, height: 360 } });
    await ask(page);
    await whole(page);
    await page.locator("#question").fill("a long\ndraft\nof\nlines\nand\nmore");
    await page.getByRole("button", { name: "Edit" }).focus();
    for (const copy of await page.locator(".code button").all()) {
      await page.keyboard.press("Tab");
      expect(await hasFocus(copy)).toBe(true);
      const { y = 0, height = 0 } = (await copy.boundingBox()) ?? {};
      const composer = await page.locator(".composer").boundingBox();
      expect(y + height).toBeLessThanOrEqual(composer?.y ?? 0);
      await page.keyboard.press("Tab");
    }
  });

  test("a long name of a model makes the page no wider", async () => {
    const { parley } = await startScene();
    const { page } = await openPage(`${parley.origin}/`, { viewport: { width: 390, height: 800 } });
    await page.locator("summary").first().click();
    await page.getByLabel("Model", { exact: true }).fill("x".repeat(200));
    await page.locator("summary", { hasText: "xxx" }).waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
  });
});

describe("what is kept", { tags: "chromium" }, () => {
  const secret = "sk-secret-of-the-reader";
  const everywhere = `(async () => JSON.stringify([
    location.href, document.cookie, { ...localStorage }, { ...sessionStorage }, history.state,
    await indexedDB.databases(), await caches?.keys(), document.documentElement.outerHTML,
  ]))()`;

  test("of a key that was given is nothing, in the page or after a reload", async () => {
    const { parley } = await startScene({ API_KEY: "" });
    const { page } = await openPage(`${parley.origin}/`);
    await page.locator('input[type="password"]').fill(secret);
    await ask(page);
    await whole(page);
    expect(await page.evaluate(everywhere)).not.toContain(secret);
    await page.reload();
    await page.locator("#question").waitFor();
    expect(await page.locator('input[type="password"]').inputValue()).toBe("");
    expect(await page.evaluate(everywhere)).not.toContain(secret);
  });

  test("is nothing where the browser forbids it, and all works", async () => {
    const { parley } = await startScene({ API_KEY: "" });
    const { page, wrongs } = await openPage(`${parley.origin}/`);
    await page.addInitScript(
      "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('', 'SecurityError') } })",
    );
    await page.reload();
    await page.locator("header select").selectOption("ru");
    await page.locator('html[lang="ru"]').waitFor();
    await page.locator('input[type="password"]').fill(secret);
    await page.locator('input[type="checkbox"]').first().check();
    await ask(page);
    await page.locator('[aria-busy="false"]:has-text("echo: Hello?")').waitFor();
    expect(wrongs).toEqual([]);
  });
});

test("an answer shows its structure", { tags: "chromium" }, async () => {
  const markdown = [
    "- **C**:\n\n  ```\n  services:\n    web: x\n  ```",
    "Text:\n| a | b |\n| - | - |\n| one<br>two | ***c*** |",
    "over  \nthere",
  ].join("\n\n");
  const { parley } = await startScene({}, { behaviour: createAnswer({ text: () => markdown }) });
  const permissions = ["clipboard-read", "clipboard-write"];
  const { page } = await openPage(`${parley.origin}/`, { permissions });
  await ask(page);
  await whole(page);
  const answer = page.locator(".answer");
  expect(await answer.locator("li strong").innerText()).toBe("C");
  expect(await answer.locator("li pre").innerText()).toBe("services:\n  web: x");
  await answer.locator("li").getByRole("button", { name: "Copy" }).click();
  await page.getByText("Copied").waitFor();
  expect(await page.evaluate("navigator.clipboard.readText()")).toBe("services:\n  web: x");
  expect(await answer.locator("td").allInnerTexts()).toEqual(["one\ntwo", "c"]);
  expect(await answer.locator("td em > strong").count()).toBe(1);
  expect(await answer.locator("p").last().innerText()).toBe("over\nthere");
});

describe("an answer of a stranger", { tags: "chromium" }, () => {
  test("is text and elements without power, whatever it says", async () => {
    const text = vectors.join("\n\n");
    const { parley } = await startScene({}, { behaviour: createAnswer({ text: () => text }) });
    const { page, wrongs } = await openPage(`${parley.origin}/`);
    await ask(page, text);
    await whole(page);
    await page.locator(".answer .hljs-tag").first().waitFor();
    const message = page.locator(".message");
    const powers = "script, img, svg, iframe, object, embed, form[action], style, base, meta, link";
    expect(await message.locator(powers).count()).toBe(0);
    const attributes = await message
      .locator("*")
      .evaluateAll((all) =>
        all.flatMap((one) =>
          one.getAttributeNames().filter((name: string) => /^on|^style|^srcdoc/.test(name)),
        ),
      );
    expect(attributes).toEqual([]);
    const links = await message
      .locator("a")
      .evaluateAll((all) => all.map((one) => one.getAttribute("href")));
    for (const link of links) expect(link).toMatch(/^(?:https?|mailto):/i);
    // focus and pointer wake up what waits for them
    for (const link of await message.locator("a").all()) await link.hover();
    expect(wrongs).toEqual([]);
  });

  test.each(["python", "html", "JSON", "c++", "x<script>", "constructor"])(
    "with code in %s has its text unchanged",
    async (language) => {
      const code = 'if (a < b && c > 0) { return "<b>&amp;</b>"; } // </code></pre>';
      const text = () => `\`\`\`${language}\n${code}\n\`\`\``;
      const { parley } = await startScene({}, { behaviour: createAnswer({ text }) });
      const { page, wrongs } = await openPage(`${parley.origin}/`);
      await ask(page);
      await whole(page);
      expect(await page.locator(".answer pre").innerText()).toBe(code);
      expect(await violationsOf(page)).toEqual([]);
      expect(wrongs).toEqual([]);
    },
  );
});
