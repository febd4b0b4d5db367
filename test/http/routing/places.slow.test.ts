/** However a call ends, it gives back its place at the upstream at once. */
import { describe, expect, test } from "vitest";
import { resetMidBody, resetMidStream, silent, stallMidStream } from "../../support/faults.ts";
import { openStream, postJson } from "../../support/http.ts";
import { startRouted } from "../../support/routed.ts";
import { answer, type Behaviour } from "../../support/upstream.ts";

/** Passes as it arrives, and does not end. */
const endlessJson: Behaviour = {
  name: "endless JSON",
  run: async (exchange) => {
    exchange.response.writeHead(200, { "content-type": "application/json" });
    await exchange.write(`{"object":"list","model":"a","data":["${"x".repeat(300_000)}`);
    await exchange.pause(60_000);
  },
};

const messages = [{ role: "user", content: "Hello?" }];
const waiting: readonly (readonly [string, object])[] = [
  ["/v1/chat/completions", { messages }],
  ["/v1/chat/completions", { messages, stream: true }],
  ["/v1/messages", { messages, max_tokens: 5 }],
  ["/ask/new", { prompt: "Hello?" }],
  ["/chat_complete", { prompt: "Hello?" }],
  ["/", { user_content: "Hello?" }],
];
const passing: readonly (readonly [string, object, Behaviour])[] = [
  ["/v1/chat/completions", { messages, stream: true }, stallMidStream],
  ["/v1/messages", { messages, max_tokens: 5, stream: true }, stallMidStream],
  ["/", { user_content: "Hello?", stream: true }, stallMidStream],
  ["/v1/embeddings", { input: "Hello?" }, endlessJson],
];
const ending: readonly (readonly [string, object, Behaviour])[] = [
  ["/v1/chat/completions", { messages }, resetMidBody],
  ["/v1/chat/completions", { messages, stream: true }, resetMidStream],
  ["/v1/chat/completions", { messages }, silent],
  ["/v1/chat/completions", { messages, stream: true }, answer],
  ["/v1/audio/speech", { input: "Hello?", voice: "a" }, answer],
  ["/v1/moderations", { input: "Hello?" }, answer],
  ["/v1/messages/count_tokens", { messages }, answer],
];

async function scene(ON_DISCONNECT: string) {
  const routed = await startRouted({ RETRIES: "0", MODEL: "alias", ON_DISCONNECT });
  await routed.price("alias");
  const short = { answerSeconds: 1, firstTokenSeconds: 1 };
  const first = await routed.add("first", { concurrency: 1, ...short });
  await routed.route("alias", "first:a");
  const key = await routed.token();
  const headers = { authorization: `Bearer ${key}` };
  const ask = (path: string, body: object, signal?: AbortSignal) =>
    postJson(
      routed.parley.origin + path,
      { model: "alias", ...body },
      { headers, ...(signal && { signal }) },
    );
  const open = (path: string, body: object) =>
    openStream(routed.parley.origin + path, { model: "alias", ...body }, { headers });
  /** Two calls: the place of the first one is free for the second, too. */
  const isFree = async () => {
    const label = "the call before is over";
    await first.waitFor(() => first.open() === 0, { label, timeoutMs: 10_000 });
    first.behave(answer);
    for (let call = 0; call < 2; call += 1)
      expect((await routed.chat("alias", key)).status).toBe(200);
  };
  return { first, ask, open, isFree };
}

describe.each(["cancel", "drain:1"])("with ON_DISCONNECT=%s", (policy) => {
  test("a client that leaves before its answer", async () => {
    const { first, ask, isFree } = await scene(policy);
    for (const [path, body] of waiting) {
      first.behave(silent);
      const leaving = new AbortController();
      const left = ask(path, body, leaving.signal).catch(() => undefined);
      await first.waitFor(() => first.open() === 1, { label: path, timeoutMs: 5_000 });
      leaving.abort();
      await left;
      await isFree();
    }
  });

  test("a client that leaves in its answer", async () => {
    const { first, open, isFree } = await scene(policy);
    for (const [path, body, behaviour] of passing) {
      first.behave(behaviour);
      (await open(path, body)).hangUp();
      await isFree();
    }
  });
});

test("an answer that ends, breaks or does not come", async () => {
  const { first, open, isFree } = await scene("cancel");
  for (const [path, body, behaviour] of ending) {
    first.behave(behaviour);
    await (await open(path, body)).text().catch(() => "broken off");
    await isFree();
  }
});
