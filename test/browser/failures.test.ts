/** What the visitor's page says and does when there is no answer, or only a part. */
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { admin, startTokenScene } from "../dialects/openai/support.ts";
import { hasFocus, openPage } from "../support/browser.ts";
import { refuse, stallMidStream } from "../support/faults.ts";
import { heldUntil } from "../support/held.ts";
import { buffered, passOn, startPageProxy } from "../support/page-proxy.ts";
import { OWN_KEY, startScene } from "../support/scene.ts";
import { type Behaviour, composeAnswer, goodHeaders } from "../support/upstream.ts";

/** A whole answer with another reason for its end. */
const endedBy = (reason: string, text?: string): Behaviour => ({
  name: `ended by ${reason}`,
  run: ({ request, response }) => {
    const { events } = composeAnswer(request, text === undefined ? {} : { text: () => text });
    response.writeHead(200, goodHeaders(request, "text/event-stream"));
    response.end(events.join("").replace('"finish_reason":"stop"', `"finish_reason":"${reason}"`));
  },
});

async function ask(page: Page, question = "Hello?") {
  await page.locator("#question").fill(question);
  await page.keyboard.press("Enter");
}

const warning = (page: Page) => page.locator(".message .warning").last();

async function giveKey(page: Page, key: string) {
  const field = page.locator('input[type="password"]');
  if (!(await field.isVisible())) await page.locator("summary").first().click();
  await field.fill(key);
}

describe("without a connection", { tags: "chromium" }, () => {
  test("the page says so, and sends again when it is back", async () => {
    const { parley } = await startScene();
    const { page, wrongs } = await openPage(`${parley.origin}/`);
    await page.context().setOffline(true);
    await ask(page);
    await page.getByText("The server cannot be reached.").waitFor();
    await page.context().setOffline(false);
    await page.getByRole("button", { name: "Send again" }).click();
    await page.locator('[aria-busy="false"]:has-text("echo: Hello?")').waitFor();
    // an attempt without an answer is no version
    expect(await page.locator(".versions").count()).toBe(0);
    expect(wrongs.filter((text) => !text.includes("ERR_INTERNET_DISCONNECTED"))).toEqual([]);
  });

  test("a server that went away in the middle leaves what came", async () => {
    const go = Promise.withResolvers<void>();
    const { parley } = await startScene({}, { behaviour: heldUntil(go.promise) });
    const proxy = await startPageProxy(parley.port, passOn);
    const { page } = await openPage(`${proxy.origin}/`);
    await ask(page);
    await page.locator(".answer p").waitFor();
    await proxy.close();
    await page.getByText("The answer was cut off").waitFor();
    await ask(page, "Again?");
    await page.getByText("The server cannot be reached.").waitFor();
    go.resolve();
  });

  test("an answer that brings nothing says so and can be stopped", async () => {
    const { parley } = await startScene({}, { behaviour: stallMidStream });
    const { page } = await openPage(`${parley.origin}/`);
    await page.clock.install();
    await ask(page);
    await page.locator(".answer p").waitFor();
    await page.clock.runFor(16_000);
    await page.getByText("No text for 15 s.").waitFor();
    await page.keyboard.press("Escape");
    await page.getByText("Stopped.").waitFor();
  });
});

describe("a refusal", { tags: "chromium" }, () => {
  test.each([
    ["of the service", refuse(503), /HTTP|service|again/i],
    ["of the server's own key", refuse(401), /operator/],
  ])("%s is told in words", async (_whose, behaviour, words) => {
    const { parley } = await startScene({}, { behaviour });
    const { page, wrongs } = await openPage(`${parley.origin}/`);
    await ask(page);
    expect(await warning(page).innerText()).toMatch(words);
    expect(await page.getByRole("button", { name: "Send again" }).isEnabled()).toBe(true);
    expect(wrongs).toEqual([]);
  });

  test("of a proxy without JSON is told by its status", async () => {
    const { parley } = await startScene();
    const { origin } = await startPageProxy(parley.port, (answer, response) => {
      if (answer.headers["content-type"]?.startsWith("text/event-stream") !== true) {
        buffered(answer, response);
        return;
      }
      response.writeHead(503, { "content-type": "text/html" }).end("<h1>No</h1>");
      answer.destroy();
    });
    const { page } = await openPage(`${origin}/`);
    await ask(page);
    await page.getByText("HTTP status: 503").waitFor();
  });

  test("of the caller's own key says whose key it is and leads to it", async () => {
    const { parley } = await startScene({}, { behaviour: refuse(401) });
    const { page } = await openPage(`${parley.origin}/`);
    await giveKey(page, OWN_KEY);
    await page.locator("summary").first().click();
    await ask(page);
    await warning(page).waitFor();
    await page.getByRole("button", { name: "Enter a key" }).click();
    expect(await hasFocus(page.locator('input[type="password"]'))).toBe(true);
    const own = await warning(page).innerText();
    await page.locator('input[type="password"]').fill("");
    await ask(page);
    await page.locator(".message >> nth=1").locator(".warning").waitFor();
    expect(await warning(page).innerText()).not.toBe(own);
  });

  test("of a question without a key, where none is shared, leads to the key's field", async () => {
    const { parley } = await startScene({ API_KEY: "" });
    const { page } = await openPage(`${parley.origin}/`);
    await ask(page);
    await warning(page).waitFor();
    await page.getByRole("button", { name: "Enter a key" }).click();
    expect(await hasFocus(page.locator('input[type="password"]'))).toBe(true);
  });

  test("of a token that was revoked is told in words", async () => {
    const scene = await startTokenScene();
    const { token, id } = await scene.issue({ name: "short" });
    const { page } = await openPage(`${scene.parley.origin}/`);
    await giveKey(page, token);
    await ask(page);
    await page.locator('[aria-busy="false"]:has-text("echo: Hello?")').waitFor();
    await admin(scene.parley.origin, "DELETE", `/tokens/${id}`);
    await ask(page, "Again?");
    await warning(page).waitFor();
    expect(await warning(page).innerText()).toMatch(/token/i);
  });

  test("by a limit counts down, and then the question can be sent again", async () => {
    const { parley } = await startScene({ SECOND_LIMIT: "1" });
    const { page, wrongs } = await openPage(`${parley.origin}/`);
    await page.evaluate(`(async () => {
      for (let call = 0; call < 3; call += 1) await fetch(".", { method: "POST" });
    })()`);
    await ask(page);
    const again = page.getByRole("button", { name: "Send again" });
    await again.waitFor();
    await again.click();
    await page.locator('[aria-busy="false"]:has-text("echo: Hello?")').waitFor();
    expect(await hasFocus(page.locator("#question"))).toBe(true);
    expect(wrongs).toEqual([]);
  });
});

describe("an answer at its length limit", { tags: "chromium" }, () => {
  test.each([true, false])("goes on with its parts, conversation sent: %s", async (isSent) => {
    const { parley, upstream } = await startScene({}, { behaviour: endedBy("length") });
    const { page } = await openPage(`${parley.origin}/`);
    await page.locator("summary").first().click();
    await page.getByLabel("Send the conversation").setChecked(isSent);
    await ask(page, "First?");
    await page.locator('[aria-busy="false"]:has-text("echo: First?")').waitFor();
    await ask(page);
    for (const part of [2, 3]) {
      await page.getByRole("button", { name: "Continue" }).click();
      await page.locator(`[aria-busy="false"]:has-text("limit") >> nth=${part}`).waitFor();
    }
    const { messages } = Object(upstream.requests.at(-1)?.json);
    const asked = messages.flatMap(({ role, content }: { role: string; content: string }) =>
      role === "user" ? [content] : [],
    );
    expect(asked).toEqual([...(isSent ? ["First?"] : []), "Hello?", "Continue", "Continue"]);
    expect(messages).toHaveLength(2 * asked.length - 1);
  });

  test("and without a text is asked for again", async () => {
    const { parley, upstream } = await startScene({}, { behaviour: endedBy("length", "") });
    const { page } = await openPage(`${parley.origin}/`);
    await ask(page);
    await page.getByRole("button", { name: "Send again" }).waitFor();
    expect(await page.getByRole("button", { name: "Continue" }).count()).toBe(0);
    upstream.behave(endedBy("stop"));
    await page.getByRole("button", { name: "Send again" }).click();
    await page.locator('[aria-busy="false"]:has-text("echo: Hello?")').waitFor();
    expect(await page.locator(".message").count()).toBe(1);
  });
});

describe("an answer that is whole for the service", { tags: "chromium" }, () => {
  test.each([
    ["stop", "", "The answer is empty."],
    ["stop", " \n", "The answer is empty."],
    ["length", "", "The answer is empty. The answer reached its length limit."],
    ["content_filter", "", "The answer is empty. A content filter of the service cut"],
    ["content_filter", "Half an ans", "A content filter of the service cut the answer off."],
  ])("by %s with the text %j: what is missing is said", async (reason, text, words) => {
    const { parley } = await startScene({}, { behaviour: endedBy(reason, text) });
    const { page } = await openPage(`${parley.origin}/`);
    await ask(page);
    await warning(page).waitFor();
    expect(await warning(page).innerText()).toContain(words);
    expect((await page.locator(".answer").innerText()).trim()).toBe(text.trim());
    expect(await page.getByRole("button", { name: "Copy" }).count()).toBe(
      text === "Half an ans" ? 1 : 0,
    );
  });
});
