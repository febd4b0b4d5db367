/** Keys of compatible services are often tokens of several KB: every way in takes them. */
import { expect, test } from "vitest";
import { startGrpc } from "../../support/grpc.ts";
import { postJson } from "../../support/http.ts";
import { startScene } from "../../support/scene.ts";
import { connect } from "../../support/websocket.ts";

const KEY = `eyJ${"k".repeat(8_189)}`;
const messages = [{ role: "user", content: "hi" }];
const bearer = { authorization: `Bearer ${KEY}` };

test.each([
  ["/", { user_content: "hi", api_key: KEY }, {}],
  ["/", { user_content: "hi" }, bearer],
  ["/", { user_content: "hi" }, { "api-key": KEY }],
  ["/", { user_content: "hi" }, { "openai-token": KEY }],
  ["/v1/chat/completions", { model: "gpt-4o", messages }, bearer],
  ["/v1/chat/completions", { model: "gpt-4o", messages }, { "api-key": KEY }],
  ["/chat", { model: "gpt-4o", messages }, bearer],
  ["/c/chat", { content: "hi", api_key: KEY }, {}],
  ["/c/chat", { content: "hi" }, bearer],
  ["/ask/new", { prompt: "hi", api_key: KEY }, {}],
  ["/ask/new", { prompt: "hi" }, bearer],
  ["/chat_complete", { prompt: "hi", generate_params: {} }, { "openai-token": KEY }],
])("a key of 8192 characters passes at %s %#", async (path, body, headers) => {
  const { parley, upstream } = await startScene();
  const reply = await postJson(`${parley.origin}${path}`, body, { headers });
  expect([reply.status, path]).toEqual([200, path]);
  expect(upstream.requests[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
});

test.each([
  ["the handshake", { headers: bearer }, {}],
  ["a frame", {}, { api_key: KEY }],
])("a key of 8192 characters passes in %s of a WebSocket", async (_where, options, fields) => {
  const { parley, upstream } = await startScene();
  const client = await connect(`${parley.origin}/ask`, { protocol: "parley.v1", ...options });
  client.send({ type: "ask", id: "1", prompt: "hi", ...fields });
  await client.nextJson("the first piece");
  expect(upstream.requests[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
});

test.each(["authorization", "api-key"])(
  "a key of 8192 characters passes in %s of gRPC",
  async (name) => {
    const { client, upstream } = await startGrpc();
    const metadata = { [name]: name === "authorization" ? `Bearer ${KEY}` : KEY };
    await client.ask({ prompt: "hi" }, { metadata });
    expect(upstream.requests[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
  },
);
