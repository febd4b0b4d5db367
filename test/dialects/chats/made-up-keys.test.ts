/** Keys that nobody has paid for keep little. */
import { expect, test } from "vitest";
import { postJson } from "../../support/http.ts";
import { startScene } from "../../support/scene.ts";

const PROMPT = { content: "x".repeat(1_000_000) };

test.each([
  ["made-up keys", {}, (at: number) => ({ authorization: `Bearer made-up-${at}` })],
  ["nobody, where chats are open", { CHATS_ACCESS: "open" }, () => ({})],
])("prompts of %s fill a quarter of their room from one address", async (_name, env, headersOf) => {
  const { parley } = await startScene(env);
  const set = (at: number, localAddress = "127.0.0.1") =>
    postJson(`${parley.origin}/o${at}/system`, PROMPT, { headers: headersOf(at), localAddress });
  const statuses = await Promise.all(Array.from({ length: 20 }, (_, at) => set(at)));
  const refused = statuses.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(4);
  expect(refused[0]?.json).toMatchObject({ code: "conversations_limited" });
  expect((await set(30, "127.0.0.2")).status).toBe(200);
});

test("a key that the upstream has answered is not among them", async () => {
  const { parley } = await startScene();
  const set = (key: string, at: number) =>
    postJson(`${parley.origin}/o${at}/system`, PROMPT, {
      headers: { authorization: `Bearer ${key}` },
    });
  const question = { model: "gpt-4o-mini", messages: [{ role: "user", content: "hi" }] };
  const headers = { authorization: "Bearer sk-own" };
  const asked = await postJson(`${parley.origin}/v1/chat/completions`, question, { headers });
  expect(asked.status).toBe(200);
  await Promise.all(Array.from({ length: 16 }, (_, at) => set(`made-up-${at}`, at)));
  expect((await set("made-up", 20)).status).toBe(429);
  for (const at of [0, 1, 2]) expect((await set("sk-own", at)).status).toBe(200);
});
