/** A client that has left is asked for nowhere else, and its call holds nothing any more. */
import { describe, expect, test } from "vitest";
import { refuse } from "../../support/faults.ts";
import { postJson } from "../../support/http.ts";
import { startRouted } from "../../support/routed.ts";
import type { Behaviour, Exchange } from "../../support/upstream.ts";

/** Waits until the test says how it goes on. */
function held(): Behaviour & { end(how: Behaviour): Promise<void> } {
  const begun = Promise.withResolvers<Exchange>();
  return {
    name: "held",
    run: (exchange) => begun.resolve(exchange),
    end: async (how) => how.run(await begun.promise),
  };
}

describe.each(["cancel", "drain:30"])("with ON_DISCONNECT=%s", (ON_DISCONNECT) => {
  test.each(["0", "2"])(
    "a client that left is asked for nowhere else, RETRIES=%s",
    async (RETRIES) => {
      const { parley, add, route, storage } = await startRouted({ RETRIES, ON_DISCONNECT });
      const first = await add("first", { concurrency: 1 });
      const second = await add("second");
      await route("alias", "first:a; second:b");
      const waits = held();
      first.behave(waits);
      const leaving = new AbortController();
      const question = { user_content: "Hello?", model: "alias" };
      const reply = postJson(parley.url, question, { signal: leaving.signal });
      const left = reply.catch(() => "left");
      await first.waitFor(() => first.open() === 1, { label: "asked", timeoutMs: 5_000 });
      leaving.abort();
      expect(await left).toBe("left");
      await parley.logged('"status":499');
      await waits.end(refuse(500));
      await expect.poll(() => storage.ledger.rows(), { timeout: 5_000 }).toHaveLength(1);
      expect(await storage.ledger.rows()).toMatchObject([{ upstream: "first", tries: 1 }]);
      expect([first.requests.length, second.requests.length]).toEqual([1, 0]);
    },
  );
});
