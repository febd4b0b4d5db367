/** LIMITS_WITHOUT_REDIS=refuse: what callers of each dialect get while the shared store is away. */
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { others } from "../../dialects/routes.ts";
import { startGrpc } from "../../support/grpc.ts";
import { postJson } from "../../support/http.ts";
import { startRedis } from "../../support/redis.ts";
import { OWN_KEY } from "../../support/scene.ts";
import { connect } from "../../support/websocket.ts";

const UNAVAILABLE = 14;
const messages = [{ role: "user", content: "hi" }];
const paths = [...others, ["/v1/chat/completions", { model: "gpt-4o", messages }] as const];
const RETURN = { timeout: 10_000, interval: 50 };

describe("calls that nobody can count are refused", { tags: "redis", timeout: 60_000 }, () => {
  test("on every transport, until the store is back", async () => {
    const server = await startRedis();
    onTestFinished(() => server.close());
    const limits = { HOUR_LIMIT: "100", LIMITS_WITHOUT_REDIS: "refuse" };
    const open = { ACCESS_TOKEN: "open-sesame", CHATS_ACCESS: "open" };
    const scene = await startGrpc({ REDIS_URL: server.url, ...limits, ...open });
    const { parley, client, upstream } = scene;
    const key = { "api-key": OWN_KEY, "access-token": "open-sesame" };
    const socket = await connect(`${parley.origin}/ask`, { protocol: "parley.v1", headers: key });
    onTestFinished(() => void socket.close());
    const question = { prompt: "hi", api_key: OWN_KEY };
    const ready = async () =>
      (await postJson(`${parley.origin}/readyz`, undefined, { method: "GET" })).status;
    expect(await ready()).toBe(200);

    await server.close();
    await vi.waitFor(async () => expect(await ready()).toBe(503), RETURN);
    for (const [path, body] of paths) {
      const authorization = `Bearer ${OWN_KEY}`;
      const headers = path.startsWith("/v1") ? { authorization } : key;
      const reply = await postJson(`${parley.origin}${path}`, body, { headers });
      expect({ path, status: reply.status }).toEqual({ path, status: 503 });
      expect(reply.headers["retry-after"]).toBe("1");
      expect(reply.text).toContain("limits_unavailable");
    }
    socket.send({ type: "ask", id: "q", ...question });
    expect(await socket.nextJson()).toMatchObject({ code: "limits_unavailable", status: 503 });
    const metadata = { "access-token": "open-sesame" };
    expect((await client.askInVain(question, { metadata })).code).toBe(UNAVAILABLE);
    expect(upstream.requests).toEqual([]);
    const alive = await postJson(`${parley.origin}/healthz`, undefined, { method: "GET" });
    expect(alive.status).toBe(200);

    const again = await startRedis({ port: server.port });
    onTestFinished(() => again.close());
    await vi.waitFor(async () => expect(await ready()).toBe(200), RETURN);
    expect((await client.ask(question, { metadata })).text).toContain("hi");
  });
});
