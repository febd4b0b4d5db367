/** OPENAI_URL as a complete URL, whose query names the service. */
import { expect, test } from "vitest";
import { isCompleteUrl } from "../../src/core/complete-url.ts";
import { closeAfterFile } from "../support/cleanup.ts";
import { postJson } from "../support/http.ts";
import { startParley } from "../support/parley.ts";
import { startUpstream } from "../support/upstream.ts";

const messages = [{ role: "user", content: "hi" }];
const headers = { authorization: "Bearer sk-own" };
const TARGET = "https://api.openai.com/v1/chat/completions";

async function start(query: string) {
  const upstream = closeAfterFile(await startUpstream());
  const OPENAI_URL = `${new URL(upstream.url).origin}/api/grab?url=${query}`;
  const parley = closeAfterFile(await startParley({ OPENAI_URL, API_KEY: "sk-operator" }));
  return { upstream, parley };
}

test.each([TARGET, encodeURIComponent(TARGET), `${TARGET}&region=eu`])(
  "%s is called as it stands by every path that chats",
  async (query) => {
    const { upstream, parley } = await start(query);
    const calls = [
      ["/", { user_content: "hi" }],
      ["/v1/chat/completions", { model: "gpt-4o", messages }],
      ["/c/chat", { content: "hi" }],
    ] as const;
    for (const [path, body] of calls) {
      await postJson(parley.origin + path, body, { headers });
      expect(upstream.requests.at(-1)).toMatchObject({
        method: "POST",
        path: `/api/grab?url=${query}`,
      });
    }
    expect(upstream.requests).toHaveLength(calls.length);
  },
);

test.each([
  ["GET", "/v1/models", undefined],
  ["POST", "/v1/responses", { model: "gpt-4o", input: "hi" }],
  ["POST", "/v1/embeddings", { model: "text-embedding-3-small", input: "hi" }],
  ["POST", "/v1/completions", { model: "gpt-3.5-turbo-instruct", prompt: "hi" }],
  ["POST", "/mod", { content: "hi" }],
  ["POST", "/", { user_content: "hi", model: "gpt-3.5-turbo-instruct" }],
])("%s %s can't be derived from it: 404 says so", async (method, path, body) => {
  const { upstream, parley } = await start(TARGET);
  const reply = await postJson(parley.origin + path, body, { method, headers });
  expect([reply.status, reply.text]).toEqual([404, expect.stringContaining("OPENAI_URL")]);
  expect(reply.text).not.toContain("grab");
  expect(upstream.requests).toEqual([]);
});

test.each([
  ["?api-version=2024-10-21", false],
  ["", false],
  ["?url=https://api.openai.com/v1", false],
  ["?url=https://example.org/chat/completions/", true],
  ["?a=1&url=https%3A%2F%2Fexample.org%2Fchat%2Fcompletions&b=2", true],
])("%j is complete: %s", (search, complete) => {
  expect(isCompleteUrl(search)).toBe(complete);
});
