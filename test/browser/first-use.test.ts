/** A far client waits for few round trips, each of which costs it a second. */
import { describe, expect, test } from "vitest";
import { startTokenScene } from "../dialects/openai/support.ts";
import { openPage } from "../support/browser.ts";

const ROUND_TRIP_MS = 1_000;
/** The document, then what it names, all of it at once; and what the page asks its server for. */
const MOST_ROUND_TRIPS = 3;

const usable = {
  "/": "#question:focus",
  "/me": 'input[type="password"]',
  "/status": ".state",
  "/docs": "nav a[href^='#']",
  "/admin": 'input[type="password"]',
} as const;

describe("a page that is far away", { tags: "chromium" }, () => {
  test.each(Object.entries(usable))("%s can be used after few round trips", async (path, place) => {
    const { parley } = await startTokenScene();
    const msWith = async (latency: number) => {
      const { page } = await openPage(parley.origin + path);
      const devtools = await page.context().newCDPSession(page);
      await devtools.send("Network.enable");
      await devtools.send("Network.setCacheDisabled", { cacheDisabled: true });
      const unbounded = { downloadThroughput: -1, uploadThroughput: -1, offline: false };
      await devtools.send("Network.emulateNetworkConditions", { ...unbounded, latency });
      const startedMs = performance.now();
      await page.goto(parley.origin + path);
      await page.locator(place).first().waitFor();
      return performance.now() - startedMs;
    };
    const nearMs = await msWith(0);
    const farMs = await msWith(ROUND_TRIP_MS);
    process.stdout.write(
      `first use of ${path}: ${nearMs.toFixed(0)} ms, ${farMs.toFixed(0)} ms far\n`,
    );
    expect(farMs - nearMs).toBeLessThan((MOST_ROUND_TRIPS + 0.9) * ROUND_TRIP_MS);
  });
});
