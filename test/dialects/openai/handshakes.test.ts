import { expect, test } from "vitest";
import { postJson } from "../../support/http.ts";
import { OWN_KEY, startScene } from "../../support/scene.ts";
import { connectInVain } from "../../support/websocket.ts";

const authorization = `Bearer ${OWN_KEY}`;
const upgrade = (protocol: string) => ({ authorization, connection: "Upgrade", upgrade: protocol });

test.each(["/v1/responses", "/v1/responses?model=gpt-4o-mini", "/v1/realtime", "/v1/realtime?a=b"])(
  "a WebSocket handshake at %s is told to use HTTP, at no cost",
  async (path) => {
    const { parley, upstream } = await startScene({ MINUTE_LIMIT: "1" });
    for (const headers of [{ authorization }, { "accept-language": "ru" }]) {
      const refused = await connectInVain(parley.origin + path, { headers });
      expect(refused).toMatchObject({
        status: 426,
        // Upgrade is for the next hop alone (RFC 9110, 7.8)
        headers: { connection: "upgrade, close", upgrade: "HTTP/1.1" },
        json: { error: { type: "invalid_request_error", code: "websocket_refused" } },
      });
      expect(refused.headers["x-request-id"]).toMatch(/^req-/);
      expect(refused.headers.ratelimit).toContain("r=1");
    }
    const body = { model: "gpt-4o-mini", input: "hi" };
    const reply = await postJson(`${parley.origin}/v1/responses`, body, {
      headers: { authorization },
    });
    expect(reply.status).toBe(200);
    expect(upstream.requests).toHaveLength(1);
  },
);

test.each([
  ["GET", "/v1/responses", {}, 405],
  ["GET", "/v1/responses", upgrade("h2c"), 405],
  ["GET", "/v1/realtime", upgrade("h2c"), 404],
  ["GET", "/v1/chat/completions", upgrade("websocket"), 405],
  ["POST", "/v1/responses", upgrade("websocket"), 200],
  ["POST", "/v1/responses", upgrade("h2c"), 200],
  ["GET", "/v1/models", upgrade("websocket"), 200],
  ["GET", "/healthz", upgrade("websocket"), 200],
] as const)(
  "%s %s with %j is answered as the request it is: %d",
  async (method, path, head, status) => {
    const { parley } = await startScene();
    const body = method === "POST" ? { model: "gpt-4o-mini", input: "hi" } : undefined;
    const reply = await postJson(parley.origin + path, body, {
      method,
      headers: { authorization, ...head },
    });
    expect(reply.status, reply.text).toBe(status);
    if (status === 405) expect(reply.headers.allow).toBe("POST");
  },
);
