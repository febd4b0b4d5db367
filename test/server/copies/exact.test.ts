/** Several processes count as one: calls behind nginx, streams and WebSocket connections. */
import { describe, expect, test } from "vitest";
import { closeAfterFile } from "../../support/cleanup.ts";
import { startBalancer, startCopies } from "../../support/copies.ts";
import { heldUntil } from "../../support/held.ts";
import { openStream, postJson } from "../../support/http.ts";
import { startRedis } from "../../support/redis.ts";
import { admitted, burst } from "../../support/traffic.ts";
import { answer, wantsStream } from "../../support/upstream.ts";
import { connect, connectInVain } from "../../support/websocket.ts";

/** The deep ring sends 6,000 calls against a limit of 1,000. */
const LIMIT = process.env.ROUNDS === undefined ? 100 : 1_000;
const CALLS = 6 * LIMIT;
const STREAMS = 5;
const CONNECTIONS = 4;
const TRIES = 20;

const cases = [
  { count: 2, database: "sqlite" },
  { count: 4, database: "postgres" },
] as const;

describe.each(cases)(
  "$count copies on $database count as one",
  { tags: ["redis", "nginx"], timeout: 300_000 },
  ({ count, database }) => {
    test("calls, streams and connections are never more than their limits", async () => {
      const { url: REDIS_URL } = closeAfterFile(await startRedis());
      const go = Promise.withResolvers<void>();
      const limits = {
        HOUR_LIMIT: String(LIMIT),
        DAY_LIMIT: String(2 * LIMIT),
        STREAM_LIMIT: String(STREAMS),
        WS_CONNECTIONS: String(CONNECTIONS),
      };
      const running = await startCopies({
        count,
        database,
        env: { REDIS_URL, ...limits },
        behaviour: (request) => (wantsStream(request) ? heldUntil(go.promise) : answer),
      });
      const origin = await startBalancer(running);
      const from = (address: string) => ({ headers: { "x-forwarded-for": address } });

      const calls = await burst([origin], "10.0.0.1", CALLS);
      expect(admitted(calls)).toBe(LIMIT);
      expect(calls.filter(({ status }) => status === 429)).toHaveLength(CALLS - LIMIT);
      const asks = running.upstream.requests.filter(({ path }) => path.endsWith("/completions"));
      expect(asks).toHaveLength(LIMIT);
      const whoami = await postJson(`${origin}/whoami`, undefined, {
        method: "GET",
        ...from("10.0.0.1"),
      });
      expect(whoami.json).toMatchObject({
        windows: [
          { window: "hour", remaining: 0 },
          { window: "day", remaining: LIMIT },
        ],
      });

      const body = { user_content: "hello", stream: true };
      const streams = await Promise.all(
        Array.from({ length: TRIES }, () => openStream(origin, body, from("10.0.0.2"))),
      );
      expect(streams.filter(({ status }) => status === 200)).toHaveLength(STREAMS);
      expect(streams.filter(({ status }) => status === 429)).toHaveLength(TRIES - STREAMS);
      go.resolve();
      for (const stream of streams) await stream.text();
      const again = await openStream(origin, body, from("10.0.0.2"));
      expect(again.status).toBe(200);
      await again.text();

      const tries = Array.from({ length: TRIES }, async () => {
        const client = await connect(`${origin}/ask`, from("10.0.0.3")).catch(() => null);
        if (client !== null) closeAfterFile({ close: () => client.ws.terminate() });
        return client !== null;
      });
      expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(CONNECTIONS);
      const refused = await connectInVain(`${origin}/ask`, from("10.0.0.3"));
      expect(refused.status).toBe(429);
    });
  },
);
