/** A disabled token gets its own error from every dialect, on every transport, in the caller's language. */
import { describe, expect, test } from "vitest";
import ruRU from "../../../locales/ru_RU.json" with { type: "json" };
import { startGrpc } from "../../support/grpc.ts";
import { postJson } from "../../support/http.ts";
import { connect } from "../../support/websocket.ts";

const ADMIN_TOKEN = "admin-0123456789-0123456789";
const text = ruRU.error.token_disabled;
const russian = { "accept-language": "ru" };

async function startDisabled(env: Readonly<Record<string, string>> = {}) {
  const scene = await startGrpc({ ROUTE: "api", ADMIN_TOKEN, ...env });
  const { origin } = scene.parley;
  const admin = async (path: string, body?: unknown) => {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
    const reply = await postJson(`${origin}/admin/tokens${path}`, body, {
      method: "POST",
      headers,
    });
    expect(reply.status).toBeLessThan(300);
    return Object(reply.json) as { readonly id: string; readonly token: string };
  };
  const { id, token } = await admin("", { name: "Ann" });
  const socket = await connect(`${origin}/ask`, {
    protocol: "parley.v1",
    headers: { authorization: `Bearer ${token}`, ...russian },
  });
  await admin(`/${id}/disable`);
  return { ...scene, origin, token, socket };
}

describe("a disabled token is refused", () => {
  test.each([
    ["POST", "/api", { code: 401 }],
    ["POST", "/v1/chat/completions", { error: { message: text, code: "token_disabled" } }],
    ["GET", "/v1/models", { error: { type: "authentication_error", code: "token_disabled" } }],
    ["GET", "/usage", { error: { message: text, code: "token_disabled" } }],
    ["POST", "/chat_complete", { text, status: "error", code: "token_disabled" }],
    ["POST", "/ask/new", { response: text, detail: "token_disabled" }],
    ["POST", "/work/chat", {}],
    ["GET", "/chats", {}],
  ])("with 401 at %s %s", async (method, path, body) => {
    const { origin, token, upstream } = await startDisabled();
    const question = { user_content: "hi", prompt: "hi", content: "hi", model: "m", messages: [] };
    const asked = method === "GET" ? undefined : question;
    const headers = { authorization: `Bearer ${token}`, ...russian };
    const reply = await postJson(origin + path, asked, { method, headers });
    expect([reply.status, reply.json]).toMatchObject([401, body]);
    expect(reply.text).toContain(text);
    expect(upstream.requests).toEqual([]);
  });

  test("also where callers share a secret", async () => {
    const { origin, token } = await startDisabled({ ACCESS_TOKEN: "shared-secret-0123456789" });
    const headers = { "access-token": token, ...russian };
    const reply = await postJson(`${origin}/chat_complete`, { prompt: "hi" }, { headers });
    expect([reply.status, reply.json]).toMatchObject([401, { text, code: "token_disabled" }]);
  });

  test("on a WebSocket that was open before", async () => {
    const { socket } = await startDisabled();
    socket.send({ type: "ask", id: "q", prompt: "hi" });
    expect(await socket.nextJson()).toMatchObject({ type: "error", code: "token_disabled" });
  });

  test("over gRPC", async () => {
    const { client, token } = await startDisabled();
    const metadata = { authorization: `Bearer ${token}`, ...russian };
    const refused = await client.askInVain({ prompt: "hi" }, { metadata });
    expect([refused.code, refused.details]).toEqual([16, text]);
    expect(refused.trailers.get("error-code")).toEqual(["token_disabled"]);
  });

  test("as often as it comes, without being taken for a guess", async () => {
    const { origin, token } = await startDisabled();
    const headers = { authorization: `Bearer ${token}` };
    for (let time = 0; time < 12; time += 1) {
      const reply = await postJson(`${origin}/usage`, undefined, { method: "GET", headers });
      expect(reply.status).toBe(401);
    }
  });
});
