/** What a routed call costs. */
import { expect, test } from "vitest";
import { refuse } from "../../support/faults.ts";
import { startRouted } from "../../support/routed.ts";
import { type Behaviour, composeAnswer } from "../../support/upstream.ts";

const USAGE = { prompt_tokens: 1_000, completion_tokens: 0, total_tokens: 1_000 };

/** A good answer that says it comes from another model. */
const answerAs = (model: string): Behaviour => ({
  name: `answer as ${model}`,
  run: ({ request, response }) => {
    const { json } = composeAnswer(request);
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ ...Object(json), model, usage: USAGE }));
  },
});

const added = ["first", "second"] as const;

test("the target that answered is charged, whatever it calls itself", async () => {
  const routed = await startRouted({ RETRIES: "0" });
  const [first, second] = await Promise.all(added.map((name) => routed.add(name)));
  for (const [model, input] of Object.entries({ cheap: "1", dear: "100" })) {
    await routed.storage.prices.set({ model, input, cachedInput: null, output: input, since: 0 });
  }
  await routed.route("alias", "first:cheap; second:dear");
  const key = await routed.token();
  first?.behave(refuse(503));
  second?.behave(answerAs("cheap"));
  await routed.chat("alias", key);
  first?.behave(answerAs("dear"));
  await routed.chat("alias", key);
  const rows = await routed.storage.ledger.rows();
  expect(rows.map(({ upstreamModel, cost }) => [upstreamModel, cost])).toEqual([
    ["cheap", "0.001"],
    ["dear", "0.1"],
  ]);
});

test.each(["first:dear; second:cheap", "first:cheap; second:dear"])(
  "a token must be able to pay the dearest target of %s",
  async (to) => {
    const routed = await startRouted({ RETRIES: "0" });
    for (const name of added) await routed.add(name);
    for (const [model, input] of Object.entries({ cheap: "1", dear: "100" })) {
      await routed.storage.prices.set({ model, input, cachedInput: null, output: input, since: 0 });
    }
    await routed.route("alias", to);
    const statuses = [];
    // a thousand tokens of the dear one cost a tenth of a dollar
    for (const money of [50_000_000_000n, 500_000_000_000n]) {
      const none = { requests: null, tokens: null, money: null };
      const quotas = { day: { ...none, money }, month: none };
      const key = await routed.token({ quotas });
      statuses.push((await routed.chat("alias", key, { max_tokens: 1_000 })).status);
    }
    expect(statuses).toEqual([429, 200]);
  },
);
