/** The public state, as it changes under the reader's eyes. */
import type { Locator, Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { openPage } from "../support/browser.ts";
import { startScene } from "../support/scene.ts";

const REFRESH_MS = 15_000;

/** The first request may meet a connection that is just being closed. */
async function seenAfterRefresh(page: Page, place: Locator) {
  const look = async () => {
    await page.clock.runFor(REFRESH_MS);
    return place.count();
  };
  await expect.poll(look, { timeout: 10_000, interval: 200 }).toBe(1);
}

describe("the status page", { tags: "chromium" }, () => {
  test("shows what holds for visitors, and what was answered", async () => {
    const { parley, url } = await startScene({
      MINUTE_LIMIT: "2",
      STREAM_LIMIT: "3",
      STATUS_UPSTREAMS: "names",
    });
    for (let call = 0; call < 3; call += 1) {
      await fetch(url, { method: "POST", body: JSON.stringify({ user_content: "Hello?" }) });
    }
    const { page, wrongs } = await openPage(`${parley.origin}/status`);
    await page.locator(".state.up").waitFor();
    const shown = await page.locator("main").innerText();
    expect(shown).toMatch(/Per minute\s+2/);
    expect(shown).toMatch(/Open streams\s+3/);
    expect(shown).toContain("default: available");
    expect(await page.locator(".chart").getAttribute("aria-label")).toMatch(/Refused: 1/);
    expect(wrongs).toEqual([]);
  });

  test("keeps apart what its colors say where the reader has chosen all colors", async () => {
    const { parley } = await startScene();
    const { page } = await openPage(`${parley.origin}/status`, { forcedColors: "active" });
    await page.locator(".state.up").waitFor();
    const colors = await page.evaluate(
      `new Set([...document.querySelectorAll(".swatch")].map((one) => getComputedStyle(one).backgroundColor)).size`,
    );
    expect(colors).toBe(3);
  });

  test("says when the server goes down, and when it can no longer be reached", async () => {
    const { parley } = await startScene();
    const { page } = await openPage(`${parley.origin}/status`);
    await page.locator(".state.up").waitFor();
    // its answers are kept for 10 s, by a clock that the test does not hold
    const client = await page.context().newCDPSession(page);
    await client.send("Network.enable");
    await client.send("Network.setCacheDisabled", { cacheDisabled: true });
    await page.clock.install();
    await page.reload();
    await page.locator(".state.up").waitFor();
    void parley.parley.openCalls.drain();
    await seenAfterRefresh(page, page.locator(".state.down"));
    await page.getByText("The server is shutting down.").waitFor();
    await page.context().setOffline(true);
    await seenAfterRefresh(page, page.getByText("The server cannot be reached."));
  });

  test("says that a server cannot be reached that takes the request and says nothing", async () => {
    const { parley } = await startScene();
    const { page } = await openPage(`${parley.origin}/status`);
    await page.locator(".state.up").waitFor();
    await page.clock.install();
    // the browser's own clock is not the test's
    await page.addInitScript(`AbortSignal.timeout = (ms) => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), ms);
      return controller.signal;
    }`);
    await page.route("**/status", (route) =>
      route.request().resourceType() === "document" ? route.continue() : undefined,
    );
    const asked = page.waitForRequest((request) => request.resourceType() === "fetch");
    await page.reload();
    await asked;
    await page.clock.runFor(10_000);
    await page.getByText("The server cannot be reached.").waitFor();
  });
});
