/** When a page has what it asked for: also what it asks after a sign-in, which no load state waits for. */
import { setTimeout as wait } from "node:timers/promises";
import type { Page, Request } from "playwright-core";

const QUIET_MS = 400;
const LOOK_MS = 50;
const MAX_WAIT_MS = 60_000;

/** To be called before the page is opened; resolves the wait when nothing was under way for a while. */
export function createQuietWait(page: Page): () => Promise<void> {
  const open = new Set<Request>();
  let changedMs = performance.now();
  const changed = (change: () => void) => {
    change();
    changedMs = performance.now();
  };
  page.on("request", (request) => changed(() => open.add(request)));
  const end = (request: Request) => changed(() => open.delete(request));
  page.on("requestfinished", end);
  page.on("requestfailed", end);
  return async () => {
    const lastMs = performance.now() + MAX_WAIT_MS;
    while (open.size > 0 || performance.now() - changedMs < QUIET_MS) {
      if (performance.now() > lastMs) throw new Error(`${page.url()} never came to rest`);
      await wait(LOOK_MS);
    }
  };
}
