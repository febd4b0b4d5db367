/** `GET /admin/limits/decisions`: what the limits did, over all copies and restarts. */
import { describe, expect, onTestFinished, test } from "vitest";
import { kinds } from "../storage/support/databases.ts";
import { postJson } from "../support/http.ts";
import { startParley } from "../support/parley.ts";
import { settingsFor } from "./support.ts";
import { ADMIN_TOKEN, startAdmin } from "./support-http.ts";

interface Decisions {
  readonly points: readonly {
    readonly at: string;
    readonly admitted: number;
    readonly refused: Readonly<Record<string, number>>;
  }[];
}

const NONE = { second: 0, minute: 0, hour: 0, day: 0, streams: 0, tokens: 0, quota: 0, other: 0 };

async function read(origin: string, path: string): Promise<unknown> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
  const reply = await postJson(`${origin}/admin${path}`, undefined, { method: "GET", headers });
  expect(reply.status, reply.text).toBe(200);
  return reply.json;
}

describe.each(kinds)("decisions about limits on %s", (kind) => {
  test("are those of all copies, and are there after a restart", async () => {
    const settings = { ...(await settingsFor(kind)), LOG_LEVEL: "silent", ADMIN_TOKEN };
    const env = { ...settings, MINUTE_LIMIT: "2" };
    const copies = [await startParley(env), await startParley(env)];
    // refused for its body, which comes after the limits
    for (const { origin } of copies) {
      for (let n = 0; n < 3; n += 1) await postJson(`${origin}/v1/chat/completions`, "{");
    }
    const [first] = copies;
    const own = (await read(first?.origin ?? "", "/limits/decisions")) as Decisions;
    expect(own.points).toHaveLength(24);
    expect(own.points[0]).toMatchObject({ admitted: 0, refused: NONE });
    expect(own.points.at(-1)).toMatchObject({ admitted: 2, refused: { ...NONE, minute: 1 } });
    for (const copy of copies) await copy.close();
    const later = await startParley(env);
    onTestFinished(() => later.close());
    const { points } = (await read(later.origin, "/limits/decisions")) as Decisions;
    const sums = points.slice(-2).map(({ admitted, refused }) => [admitted, refused.minute ?? 0]);
    expect(sums.reduce(([a = 0, b = 0], [c = 0, d = 0]) => [a + c, b + d], [0, 0])).toEqual([4, 2]);
    const series = (await read(later.origin, "/usage/series")) as {
      points: { refused: number; calls: number }[];
    };
    const refused = series.points.slice(-2).reduce((sum, one) => sum + one.refused, 0);
    expect([refused, series.points.at(-1)?.calls]).toEqual([2, 0]);
  }, 60_000);
});

test("decisions of too many steps are refused", async () => {
  const { send } = await startAdmin(await settingsFor("sqlite"));
  const reply = await send("GET", "/limits/decisions?from=30d");
  expect([reply.status, reply.json]).toMatchObject([
    400,
    { error: { code: "field_range", field: "from" } },
  ]);
  const days = (await send("GET", "/limits/decisions?from=30d&step=day")).json as Decisions;
  expect(days.points.length).toBeGreaterThanOrEqual(30);
});
