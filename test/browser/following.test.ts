/** While an answer grows, its end stays in view, unless its reader goes back. */
import { expect, test } from "vitest";
import { openPage } from "../support/browser.ts";
import { startScene } from "../support/scene.ts";
import { type Behaviour, composeAnswer, goodHeaders } from "../support/upstream.ts";

test("the end of an answer is followed until its reader scrolls back", {
  tags: "chromium",
}, async () => {
  const [goOn, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const behaviour: Behaviour = {
    name: "in three parts",
    run: async ({ request, response, write }) => {
      const text = () => Array.from({ length: 300 }, (_, line) => `line ${line}`).join("\n\n");
      const { events } = composeAnswer(request, { text });
      const [a = "", b = "", c = "", ...rest] = events;
      response.writeHead(200, goodHeaders(request, "text/event-stream"));
      await write(a + b);
      await goOn.promise;
      await write(c);
      await end.promise;
      response.end(rest.join(""));
    },
  };
  const { parley } = await startScene({}, { behaviour });
  const { page } = await openPage(`${parley.origin}/`);
  const isInView = (line: number) =>
    page.evaluate(`(() => {
      const { top, bottom } = document.querySelectorAll(".answer p")[${line}].getBoundingClientRect();
      return bottom > 0 && top < innerHeight;
    })()`);
  await page.keyboard.type("Go");
  await page.keyboard.press("Enter");
  await page.locator(".answer p >> nth=50").waitFor({ state: "attached" });
  const shown = await page.locator(".answer p").count();
  await expect.poll(() => isInView(shown - 2)).toBe(true);
  await page.locator(".answer p").first().scrollIntoViewIfNeeded();
  await expect.poll(() => isInView(0)).toBe(true);
  // the field stays in view, too
  expect(
    await page.locator("#question").evaluate((one) => one.getBoundingClientRect().top),
  ).toBeLessThan(page.viewportSize()?.height ?? 0);
  goOn.resolve();
  await page.locator(`.answer p >> nth=${shown + 10}`).waitFor({ state: "attached" });
  expect(await isInView(0)).toBe(true);
  end.resolve();
  await page.locator('[aria-busy="false"]').waitFor();
  expect(await isInView(0)).toBe(true);
  await page.locator("#question").fill("Again");
  await page.keyboard.press("Enter");
  await page.locator('[aria-busy="false"] >> nth=1').waitFor({ state: "attached" });
  const last = (await page.locator(".answer p").count()) - 1;
  await expect.poll(() => isInView(last)).toBe(true);
});
