/** `GET /admin/calls`: the calls that were made, and those that come. */
import { describe, expect, test } from "vitest";
import { entry } from "../storage/support/calls.ts";
import { kinds } from "../storage/support/databases.ts";
import { record } from "./recorded.ts";
import { settingsFor } from "./support.ts";
import { type Send, startAdmin } from "./support-http.ts";

const START_MS = Date.UTC(2026, 0, 2, 10);

interface Listed {
  readonly calls: readonly Readonly<Record<string, unknown>>[];
  readonly next_cursor: string | null;
  readonly newest: string;
}

async function list(send: Send, query = ""): Promise<Listed> {
  const reply = await send("GET", `/calls${query}`);
  expect(reply.status, reply.text).toBe(200);
  return reply.json as Listed;
}

async function walk(send: Send, query: string) {
  const found: unknown[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page: Listed = await list(send, `?${query}${cursor && `&cursor=${cursor}`}`);
    found.push(...page.calls.map((call) => call.request_id));
    cursor = page.next_cursor;
  }
  return found;
}

describe.each(kinds)("the calls on %s", (kind) => {
  test("are listed newest first, with all that is known and nothing secret", async () => {
    const env = await settingsFor(kind);
    const { send } = await startAdmin(env);
    const [ann = ""] = await record(env, [], ["Ann"]);
    const keyDigest = "ab".repeat(32);
    await record(env, [
      entry({ at: START_MS, payer: { kind: "token", tokenId: ann, keyDigest: null } }),
      entry({ at: START_MS + 1, payer: { kind: "own-key", tokenId: null, keyDigest }, cost: null }),
    ]);
    const { calls, next_cursor } = await list(send);
    expect(next_cursor).toBeNull();
    expect(calls).toEqual([
      expect.objectContaining({ payer: "own-key", token: null, token_name: null, cost: null }),
      {
        id: expect.any(String),
        time: "2026-01-02T10:00:00.000Z",
        request_id: "req-1",
        payer: "token",
        token: ann,
        token_name: "Ann",
        dialect: "openai",
        model: "gpt-4o-mini",
        answered_by: "gpt-4o-mini-2024-07-18",
        upstream: "default",
        tries: 1,
        prompt_tokens: 100,
        completion_tokens: 50,
        total_tokens: 150,
        cost: "0.000042",
        outcome: "completed",
        error: null,
        first_token_ms: 120,
        duration_ms: 813,
      },
    ]);
    expect(JSON.stringify(calls)).not.toContain(keyDigest);
  }, 30_000);

  test("come in pages, all of them once, also where many began at one moment", async () => {
    const env = await settingsFor(kind);
    const { send } = await startAdmin(env);
    const numbers = Array.from({ length: 60 }, (_, n) => n);
    const at = (n: number) => START_MS + Math.floor(n / 25);
    await record(
      env,
      numbers.map((n) => entry({ at: at(n), requestId: `req-${n}` })),
    );
    for (const limit of [1, 7, 60, 1_000]) {
      const found = await walk(send, `limit=${limit}`);
      expect(new Set(found).size).toBe(60);
      expect(found.slice(0, 10).toSorted()).toEqual(numbers.slice(50).map((n) => `req-${n}`));
    }
  }, 30_000);

  test("are chosen by token, model, outcome and time, however rare they are", async () => {
    const env = await settingsFor(kind);
    const { send } = await startAdmin(env);
    const [ann = ""] = await record(env, [], ["Ann"]);
    const many = Array.from({ length: 5_000 }, (_, n) => entry({ at: START_MS + n }));
    const payer = { kind: "token", tokenId: ann, keyDigest: null } as const;
    await record(env, [
      entry({ at: START_MS - 2, requestId: "hers", payer, model: "fast" }),
      entry({ at: START_MS - 1, requestId: "wrong", outcome: "failed", error: "upstream_failed" }),
      ...many,
      entry({ at: START_MS + 9_000, requestId: "other", answeredBy: "o9" }),
    ]);
    expect(await walk(send, `token=${ann}`)).toEqual(["hers"]);
    expect(await walk(send, "model=fast")).toEqual(["hers"]);
    expect(await walk(send, "model=o9")).toEqual(["other"]);
    expect(await walk(send, "outcome=failed&limit=1")).toEqual(["wrong"]);
    expect(await walk(send, "model=fast&outcome=failed")).toEqual([]);
    const day = "from=2026-01-02T10:00:00Z&to=2026-01-02T10:00:01Z";
    expect(await walk(send, `${day}&limit=400`)).toHaveLength(1_000);
    const csv = await send("GET", "/usage/export?format=csv&outcome=failed");
    expect(csv.text.trimEnd().split("\r\n")).toHaveLength(2);
    expect(csv.text).toContain("wrong");
    const lines = await send("GET", "/usage/export?format=jsonl&model=fast");
    expect(lines.text).toContain('"request_id":"hers"');
    expect(lines.text.trimEnd().split("\n")).toHaveLength(1);
  }, 60_000);

  test("come as they end, however long ago they began, and those of the last seconds again", async () => {
    const env = await settingsFor(kind);
    const { send } = await startAdmin(env);
    const now = Date.now();
    const ended = (requestId: string, agoMs: number, durationMs: number) =>
      entry({ at: now - agoMs - durationMs, durationMs, requestId });
    await record(env, [ended("old", 20_000, 100), ended("just before", 1_000, 100)]);
    const first = await list(send);
    expect(first.calls).toHaveLength(2);
    await record(env, [ended("long", 0, 600_000), ended("short", 0, 10)]);
    const later = await list(send, `?after=${first.newest}`);
    expect(later.calls.map((call) => call.request_id)).toEqual(["short", "just before", "long"]);
    expect((await list(send, `?after=${later.newest}&limit=1`)).next_cursor).not.toBeNull();
  }, 30_000);
});

test.each([
  ["cursor=x", "field_type", "cursor"],
  ["after=x", "field_type", "after"],
  ["outcome=lost", "field_choice", "outcome"],
  ["limit=0", "field_range", "limit"],
  ["user=x", "field_unknown", "user"],
])("calls with %s are refused", async (query, code, field) => {
  const { send } = await startAdmin(await settingsFor("sqlite"));
  const reply = await send("GET", `/calls?${query}`);
  expect([reply.status, reply.json]).toMatchObject([400, { error: { code, field } }]);
});
