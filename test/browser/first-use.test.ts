/** A far client waits for few round trips, each of which costs it a second. */
import { describe, expect, test } from "vitest";
import { startTokenScene } from "../dialects/openai/support.ts";
import { openPage } from "../support/browser.ts";

const ROUND_TRIP_MS = 1_000;
/** A part of the page that is there once it can be used, and how many round trips that may take. */
const usable = {
  // the document, then all that it names at once
  "/": ["#question:focus", 2],
  "/me": ['input[type="password"]', 2],
  // then what the page asks its server for
  "/status": [".state", 3],
  "/docs": ["nav a[href^='#']", 3],
  "/admin": ['input[type="password"]', 3],
} as const;
/** Of a round trip, for what the machine itself is slower by. */
const SPARED = 0.9;

describe("a page that is far away", { tags: "chromium" }, () => {
  test.each(Object.entries(usable))(
    "%s can be used after few round trips",
    async (path, [place, roundTrips]) => {
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
      expect(farMs - nearMs).toBeLessThan((roundTrips + SPARED) * ROUND_TRIP_MS);
    },
  );
});
