import { describe, expect, test } from "vitest";
import { postJson } from "../support/http.ts";
import { startScene } from "../support/scene.ts";

/** What a text in the language has, and its tag. */
const spoken = [
  ["zh-TW,zh;q=0.9", /\p{Script=Han}/u, "zh-TW"],
  ["zh-Hans", /\p{Script=Han}/u, "zh-CN"],
  ["ru-RU", /\p{Script=Cyrillic}/u, "ru"],
  ["fr, en;q=0.1", /^[\p{ASCII}…“”’–]*$/u, "en"],
] as const;

const started = startScene({
  LANG: "en_US.UTF-8",
  ADMIN_TOKEN: "admin-0123456789-0123456789",
});
const body = { user_content: 7, messages: 7, content: 7, prompt: 7, input: 7 };

describe.each([
  ["POST", "/"],
  ["POST", "/v1/chat/completions"],
  ["GET", "/v1/nothing"],
  ["POST", "/chat_complete"],
  ["POST", "/ask/new"],
  ["POST", "/work/chat"],
  ["GET", "/admin/tokens"],
  ["POST", "/healthz"],
  ["GET", "/nothing"],
])("%s %s is refused", (method, path) => {
  test.each(spoken)("to whom reads %s in that language", async (accepted, letters, tag) => {
    const { parley } = await started;
    const headers = { "accept-language": accepted };
    const sent = method === "GET" ? undefined : body;
    const reply = await postJson(parley.origin + path, sent, { method, headers });
    expect(reply.status).toBeGreaterThanOrEqual(400);
    expect(reply.text).toMatch(letters);
    expect(reply.headers["content-language"]).toBe(tag);
  });
});
