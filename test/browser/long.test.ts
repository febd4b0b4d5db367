/** Long answers and long conversations stay fluid. Times are of the page's own thread, as ratios. */
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { openPage } from "../support/browser.ts";
import { startScene } from "../support/scene.ts";
import { type Behaviour, composeAnswer, createAnswer, goodHeaders } from "../support/upstream.ts";

/** Seconds that the page's thread has worked. */
async function openMeasured(behaviour: Behaviour) {
  const { parley } = await startScene({}, { behaviour });
  const { page } = await openPage(`${parley.origin}/`);
  const client = await page.context().newCDPSession(page);
  await client.send("Performance.enable");
  const worked = async () => {
    const { metrics } = await client.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration")?.value ?? Number.NaN;
  };
  return { page, worked };
}

const PIECE_LENGTH = 40;

/** A text in so many pieces that the page draws it again and again. */
function inPieces(text: string): Behaviour {
  return {
    name: "in pieces",
    run: async ({ request, response, write }) => {
      const { events } = composeAnswer(request, { text: () => "MARK" });
      const [first = ""] = events;
      const delta = events.find((event) => event.includes('"content":"M')) ?? "";
      response.writeHead(200, goodHeaders(request, "text/event-stream"));
      await write(first);
      for (let at = 0; at < text.length; at += PIECE_LENGTH) {
        const piece = JSON.stringify(text.slice(at, at + PIECE_LENGTH));
        await write(delta.replace(/"content":"M[^"]*"/, `"content":${piece}`));
      }
      response.end(events.slice(-3).join(""));
    },
  };
}

const section = [
  "## Part",
  "Some **words** of `code`, and [a link](https://example.org/).",
  "- one\n- two\n  - three",
  '```js\nconst a = "words";\n```',
  "| a | b |\n|---|---|\n| 1 | 2 |",
  "",
].join("\n\n");

const texts: Readonly<Record<string, (length: number) => string>> = {
  "of all kinds": (length) => section.repeat(length / section.length),
  "in one piece of code": (length) => `\`\`\`js\n${'let a = "b";\n'.repeat(length / 13)}`,
  "in one list": (length) => "- an *item* of many\n".repeat(length / 20),
  "of open emphasis": (length) => "*a ".repeat(length / 3),
};

const KB = 1_024;
/** Of work that grows with the square it is 16. */
const MAX_RATIO = 8;

describe("an answer of 100 KB", { tags: "chromium" }, () => {
  test.each(Object.entries(texts))(
    "costs about four times one of 25 KB: %s",
    async (_of, write) => {
      const workOf = async (length: number) => {
        const { page, worked } = await openMeasured(inPieces(write(length)));
        const before = await worked();
        await page.keyboard.type("Go");
        await page.keyboard.press("Enter");
        await page.locator('[aria-busy="false"]').waitFor();
        return (await worked()) - before;
      };
      expect((await workOf(100 * KB)) / (await workOf(25 * KB))).toBeLessThan(MAX_RATIO);
    },
  );
});

describe("a conversation of hundreds of turns", { tags: "chromium" }, () => {
  test("is written in as quickly as a short one", async () => {
    const { page, worked } = await openMeasured(createAnswer());
    await page.evaluate(inPage);
    const workOfTyping = async () => {
      const before = await worked();
      await page.evaluate("type(30)");
      return (await worked()) - before;
    };
    await converse(page, 5);
    const short = await workOfTyping();
    await converse(page, 195);
    expect(await page.locator(".message").count()).toBe(200);
    expect((await workOfTyping()) / short).toBeLessThan(MAX_RATIO);
  });
});

const converse = (page: Page, turns: number) => page.evaluate(`converse(${turns})`);

/** In the page itself, as a round trip for each key would take most of the time. */
const inPage = `
  const field = document.getElementById("question");
  const set = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set;
  const write = (text) => {
    set.call(field, text);
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    return new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  };
  const whole = () => document.querySelectorAll('.message [aria-busy="false"]').length;
  window.type = async (times) => {
    for (let length = 0; length < times; length += 1) await write("x".repeat(length));
  };
  window.converse = async (turns) => {
    const target = whole() + turns;
    while (whole() < target) {
      const before = whole();
      await write("Question " + before);
      field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
      while (whole() === before) await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  };
`;
