/** A route may lead to services of both kinds: each is asked in its own language. */
import { beforeAll, describe, expect, test } from "vitest";
import { createAnthropicAnswer } from "../../support/anthropic.ts";
import { refuse } from "../../support/faults.ts";
import { openStream, postJson } from "../../support/http.ts";
import { type Routed, startRouted } from "../../support/routed.ts";
import { answer, type ScriptedUpstream } from "../../support/upstream.ts";

const good = createAnthropicAnswer();
const body = {
  max_tokens: 100,
  top_k: 5,
  seed: 1,
  messages: [{ role: "user", content: "hello" }],
};

let routed: Routed;
let token: string;
let chatty: ScriptedUpstream;
let claude: ScriptedUpstream;
beforeAll(async () => {
  routed = await startRouted({ RETRIES: "0" });
  chatty = await routed.add("chatty");
  claude = await routed.add("claude", { kind: "anthropic" });
  await routed.route("chatty-first", "chatty:gpt-a; claude:claude-b");
  await routed.route("claude-first", "claude:claude-b; chatty:gpt-a");
  for (const model of ["gpt-a", "claude-b"]) await routed.price(model);
  token = await routed.token();
});

const paths = ["/v1/messages", "/v1/chat/completions"] as const;
const ask = (path: string, model: string, stream: boolean) =>
  openStream(
    `${routed.parley.origin}${path}`,
    { ...body, model, stream },
    {
      headers: { authorization: `Bearer ${token}` },
    },
  );

describe.each(paths.flatMap((path) => [false, true].map((stream) => [path, stream] as const)))(
  "%s, stream: %s",
  (path, stream) => {
    const isAnthropic = path === "/v1/messages";

    test.each([
      ["chatty-first", "claude", "claude-b"],
      ["claude-first", "chatty", "gpt-a"],
    ])("%s goes on to %s in its language", async (model, to, asked) => {
      const [failing, next] = to === "claude" ? [chatty, claude] : [claude, chatty];
      failing.behave(refuse(500));
      next.behave(to === "claude" ? good : answer);
      const before = failing.requests.length;
      const { status, headers, text } = await ask(path, model, stream);
      const said = await text();
      expect({ status, said }).toMatchObject({ status: 200 });
      expect(failing.requests).toHaveLength(before + 1);
      expect(next.requests.at(-1)).toMatchObject({
        path: to === "claude" ? "/v1/messages" : "/v1/chat/completions",
        json: { model: asked },
      });
      expect(headers["x-parley-upstream"]).toBe(to);
      // what the one that failed was not sent says nothing about the one that answered
      const isNative = isAnthropic === (to === "claude");
      const left = isAnthropic ? "top_k, seed" : "seed, top_k";
      const dropped = headers["x-parley-dropped"];
      if (isNative) expect(dropped).toBeUndefined();
      else expect(dropped?.toString().split(", ").sort()).toEqual(left.split(", ").sort());
      expect(said).toContain(isAnthropic ? '"stop_reason":"end_turn"' : '"finish_reason":"stop"');
    });
  },
);

test("tokens are counted by the service of the route's first target, or estimated", async () => {
  claude.behave(good);
  chatty.behave(answer);
  const count = (model: string) =>
    postJson(
      `${routed.parley.origin}/v1/messages/count_tokens`,
      { model, messages: body.messages },
      { headers: { "x-api-key": token } },
    );
  const counted = await count("claude-first");
  expect(counted).toMatchObject({ status: 200, json: { input_tokens: 42 } });
  expect(claude.requests.at(-1)?.json).toMatchObject({ model: "claude-b" });
  const estimated = await count("chatty-first");
  expect(estimated).toMatchObject({
    status: 200,
    headers: { "x-parley-estimated": "true" },
  });
});

test("routes are listed in Anthropic's form for its clients", async () => {
  const headers = { "x-api-key": token, "anthropic-version": "2023-06-01" };
  const list = await postJson(`${routed.parley.origin}/v1/models`, undefined, {
    method: "GET",
    headers,
  });
  expect(list).toMatchObject({ status: 200, json: { has_more: false } });
  const { data } = list.json as { data: { id: string; type: string }[] };
  expect(data).toEqual(
    expect.arrayContaining([expect.objectContaining({ id: "chatty-first", type: "model" })]),
  );
  const one = await postJson(`${routed.parley.origin}/v1/models/chatty-first`, undefined, {
    method: "GET",
    headers,
  });
  expect(one).toMatchObject({ status: 200, json: { id: "chatty-first", type: "model" } });
});
