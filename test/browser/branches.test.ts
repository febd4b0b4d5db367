/** Questions that were changed and answers that were made anew stay as branches. */
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { hasFocus, openPage, violationsOf } from "../support/browser.ts";
import { startScene } from "../support/scene.ts";
import { createAnswer } from "../support/upstream.ts";

async function ask(page: Page, question: string) {
  await page.locator("#question").fill(question);
  await page.keyboard.press("Enter");
  await answered(page);
}

/** The last answer is whole. */
async function answered(page: Page) {
  await page.getByRole("button", { name: "Regenerate" }).waitFor();
}

/** Answers say which they are. */
async function startNumbered() {
  let count = 0;
  const text = () => {
    count += 1;
    return `answer ${count}`;
  };
  const scene = await startScene({}, { behaviour: createAnswer({ text }) });
  const opened = await openPage(`${scene.parley.origin}/`);
  return { ...scene, ...opened };
}

const shownIn = (page: Page) => page.locator(".question, .answer").allInnerTexts();
const versionsOf = (page: Page, of: "question" | "answer") =>
  page.getByRole("group", { name: `Versions of the ${of}` });

describe("branches", { tags: "chromium" }, () => {
  test("an earlier question that is changed keeps what came after it", async () => {
    const { page, upstream, wrongs } = await startNumbered();
    await ask(page, "One");
    await ask(page, "Two");
    await page.getByRole("button", { name: "Edit" }).first().click();
    await page.keyboard.press("Control+A");
    await page.keyboard.type("Other");
    await page.keyboard.press("Enter");
    await page.getByText("answer 3").waitFor();
    expect(await shownIn(page)).toEqual(["Other", "answer 3"]);
    await answered(page);
    const versions = versionsOf(page, "question");
    expect(await versions.innerText()).toMatch(/2 \/ 2/);
    await versions.getByRole("button", { name: "Previous version" }).click();
    expect(await shownIn(page)).toEqual(["One", "answer 1", "Two", "answer 2"]);
    // what is sent is what is shown
    await ask(page, "Three");
    const { messages } = Object(upstream.requests.at(-1)?.json);
    expect(messages.map(({ content }: { content: string }) => content)).toEqual([
      "One",
      "answer 1",
      "Two",
      "answer 2",
      "Three",
    ]);
    expect(await violationsOf(page)).toEqual([]);
    expect(wrongs).toEqual([]);
  });

  test("an answer made anew keeps the one before, also for the keyboard", async () => {
    const { page, upstream } = await startNumbered();
    await ask(page, "One");
    await page.getByRole("button", { name: "Regenerate" }).click();
    await page.getByText("answer 2").waitFor();
    await answered(page);
    const versions = versionsOf(page, "answer");
    const previous = versions.getByRole("button", { name: "Previous version" });
    await previous.focus();
    await page.keyboard.press("Enter");
    expect(await shownIn(page)).toEqual(["One", "answer 1"]);
    // the button can do no more, and still has the focus
    expect(await hasFocus(previous)).toBe(true);
    expect(await previous.isDisabled()).toBe(true);
    await ask(page, "Two");
    expect(Object(upstream.requests.at(-1)?.json).messages[1].content).toBe("answer 1");
    await versions.first().getByRole("button", { name: "Next version" }).click();
    expect(await shownIn(page)).toEqual(["One", "answer 2"]);
  });

  test("a question that is not changed after all keeps the focus on its button", async () => {
    const { page } = await startNumbered();
    await ask(page, "One");
    const edit = page.getByRole("button", { name: "Edit" });
    await edit.focus();
    await page.keyboard.press("Enter");
    await page.keyboard.type(" more");
    await page.keyboard.press("Escape");
    expect(await hasFocus(edit)).toBe(true);
    expect(await shownIn(page)).toEqual(["One", "answer 1"]);
  });
});
