/** `GET /admin/usage/series`: calls over time, and what they have in common. */
import { describe, expect, test } from "vitest";
import { entry } from "../storage/support/calls.ts";
import { kinds } from "../storage/support/databases.ts";
import { record } from "./recorded.ts";
import { settingsFor } from "./support.ts";
import { startAdmin } from "./support-http.ts";

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 0, 2, 10);

interface Row {
  readonly key: string | null;
  readonly name: string | null;
  readonly calls: number;
  readonly failed: number;
  readonly total_tokens: number;
  readonly cost: string | null;
  readonly first_token_ms: { readonly median: number; readonly p95: number } | null;
}

interface Point extends Row {
  readonly at: string;
  readonly answered: number;
  readonly refused: number;
  readonly canceled: number;
}

interface Answer {
  readonly from: string;
  readonly to: string;
  readonly step: string;
  readonly points: readonly Point[];
  readonly by: Readonly<Record<"dialect" | "model" | "upstream" | "token", readonly Row[]>>;
}

describe.each(kinds)("usage over time on %s", (kind) => {
  test("has a point for each hour, and sums that are exact over any number of calls", async () => {
    const env = await settingsFor(kind);
    const { send } = await startAdmin(env);
    const outcomes = ["completed", "failed", "interrupted", "canceled"] as const;
    // more than one slice, and more models than are listed
    const entries = Array.from({ length: 12_000 }, (_, n) =>
      entry({
        at: START_MS + n * 900,
        outcome: outcomes[n % 4] ?? "completed",
        answeredBy: `m${n % 5 === 0 ? n % 80 : "ost"}`,
        cost: n % 3 === 0 ? null : 123_456_789n,
        ...(n % 2 === 0
          ? { firstTokenMs: 100 + (n % 1_000) }
          : { upstream: null, firstTokenMs: null }),
      }),
    );
    await record(env, entries);
    const span = "from=2026-01-02T09:30:00Z&to=2026-01-02T14:00:00Z";
    const reply = await send("GET", `/usage/series?${span}`);
    const { points, by, ...rest } = reply.json as Answer;
    expect(rest).toEqual({
      from: "2026-01-02T09:00:00.000Z",
      to: "2026-01-02T14:00:00.000Z",
      step: "hour",
    });
    expect(points.map(({ at, calls }) => [at, calls])).toEqual([
      ["2026-01-02T09:00:00.000Z", 0],
      ["2026-01-02T10:00:00.000Z", 4_000],
      ["2026-01-02T11:00:00.000Z", 4_000],
      ["2026-01-02T12:00:00.000Z", 4_000],
      ["2026-01-02T13:00:00.000Z", 0],
    ]);
    expect(points[0]).toEqual({
      at: "2026-01-02T09:00:00.000Z",
      ...{ calls: 0, answered: 0, failed: 0, refused: 0, canceled: 0 },
      ...{ total_tokens: 0, cost: null, first_token_ms: null },
    });
    const sums = { answered: 1_000, failed: 2_000, refused: 0, canceled: 1_000 };
    // 2,667 of 4,000 calls have a cost
    expect(points[2]).toMatchObject({ ...sums, total_tokens: 600_000, cost: "0.329259256263" });
    const times = points[2]?.first_token_ms ?? { median: 0, p95: 0 };
    expect(Math.abs(times.median / 598 - 1)).toBeLessThan(0.07);
    expect(Math.abs(times.p95 / 1_048 - 1)).toBeLessThan(0.07);
    expect(by.dialect).toMatchObject([{ key: "openai", calls: 12_000, failed: 6_000 }]);
    expect(by.upstream.map(({ key, calls }) => [key, calls])).toEqual([
      ["", 6_000],
      ["default", 6_000],
    ]);
    expect(by.model).toHaveLength(17);
    expect(by.model[0]).toMatchObject({ key: "most", calls: 9_600 });
    expect(by.token).toMatchObject([{ key: "visitor", name: null, calls: 12_000 }]);
  }, 60_000);

  test("lists the 50 with the most calls and all others together", async () => {
    const env = await settingsFor(kind);
    const { send } = await startAdmin(env);
    const entries = Array.from({ length: 60 }, (_, n) =>
      Array.from({ length: 61 - n }, () => entry({ at: START_MS, answeredBy: `m${n}` })),
    ).flat();
    await record(env, entries);
    const reply = await send("GET", "/usage/series?step=day&from=2026-01-01&to=2026-01-04");
    const { by, points } = reply.json as Answer;
    expect(points.map(({ calls }) => calls)).toEqual([0, entries.length, 0]);
    expect(by.model).toHaveLength(51);
    expect(by.model.slice(0, 50).map(({ key }) => key)).toEqual(
      Array.from({ length: 50 }, (_, n) => `m${n}`),
    );
    const calls = by.model.reduce((sum, row) => sum + row.calls, 0);
    expect([by.model[50]?.key, by.model[50]?.calls, calls]).toEqual([null, 65, entries.length]);
  }, 60_000);

  test("is that of one token, by name, if it is asked for", async () => {
    const env = await settingsFor(kind);
    const { send } = await startAdmin(env);
    const [ann = "", ben = ""] = await record(env, [], ["Ann", "Ben"]);
    const paidBy = (tokenId: string) =>
      entry({ at: START_MS, payer: { kind: "token", tokenId, keyDigest: null } });
    await record(env, [paidBy(ann), paidBy(ann), paidBy(ben), entry({ at: START_MS })]);
    const span = "from=2026-01-02&to=2026-01-03";
    const all = (await send("GET", `/usage/series?${span}`)).json as Answer;
    expect(all.by.token.map(({ key, name, calls }) => [key, name, calls])).toEqual(
      expect.arrayContaining([
        [ann, "Ann", 2],
        [ben, "Ben", 1],
        ["visitor", null, 1],
      ]),
    );
    const one = (await send("GET", `/usage/series?${span}&token=${ann}`)).json as Answer;
    expect(one.by.token).toMatchObject([{ key: ann, name: "Ann", calls: 2 }]);
    expect(one.points.reduce((sum, { calls }) => sum + calls, 0)).toBe(2);
  }, 60_000);
});

test("usage over time is that of the last 24 hours, or of 30 days, unless it is said", async () => {
  const env = await settingsFor("sqlite");
  const { send } = await startAdmin(env);
  await record(env, [entry({ at: Date.now() })]);
  for (const [query, length, ms] of [
    ["", 24, HOUR_MS],
    ["?step=day", 30, 24 * HOUR_MS],
  ] as const) {
    const { points, from } = (await send("GET", `/usage/series${query}`)).json as Answer;
    expect(points).toHaveLength(length);
    expect([points[0]?.at, points.at(-1)?.calls]).toEqual([from, 1]);
    expect(Date.parse(points[1]?.at ?? "") - Date.parse(from)).toBe(ms);
  }
});

test.each([
  ["from=2026-01-01&to=2026-02-01", "field_range", "from"],
  ["step=day&from=2020-01-01", "field_range", "from"],
  ["from=2026-02-01&to=2026-01-01", "field_range", "from"],
  ["step=week", "field_choice", "step"],
  ["from=soon", "field_type", "from"],
  ["model=x", "field_unknown", "model"],
])("usage over time with %s is refused", async (query, code, field) => {
  const { send } = await startAdmin(await settingsFor("sqlite"));
  const reply = await send("GET", `/usage/series?${query}`);
  expect([reply.status, reply.json]).toMatchObject([400, { error: { code, field } }]);
  expect(reply.text).not.toContain("{{");
});
