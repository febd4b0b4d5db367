/** The history of what operators change, by command and over HTTP. */
import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { kinds } from "../storage/support/databases.ts";
import { openDatabaseOf } from "./recorded.ts";
import { parleyHere, settingsFor } from "./support.ts";
import { type Send, startAdmin } from "./support-http.ts";

interface Change {
  readonly id: string;
  readonly at: string;
  readonly kind: string;
  readonly subject: string;
  readonly action: string;
  readonly detail: Readonly<Record<"before" | "after", Readonly<Record<string, unknown>> | null>>;
}

interface Listed {
  readonly changes: readonly Change[];
  readonly next_cursor: string | null;
}

const list = async (send: Send, path = "") => (await send("GET", `/changes${path}`)).json as Listed;
const idOf = ({ json }: Awaited<ReturnType<Send>>) => (json as { id: string }).id;

const SECRETS = ["sk-first-0123456789", "sk-second-0123456789", "hunter2", "x-secret-value"];

describe.each(kinds)("changes on %s", (kind) => {
  const start = async () => {
    const env = { ...(await settingsFor(kind)), SECRET_KEY: randomBytes(32).toString("hex") };
    return { env, ...(await startAdmin(env)) };
  };

  test("of tokens have what was and what is, and no secret", async () => {
    const { send } = await start();
    const [key, other] = SECRETS;
    const made = await send("POST", "/tokens", {
      name: "Ann",
      money_per_day: 2,
      upstream_key: key,
    });
    const id = idOf(made);
    await send("PATCH", `/tokens/${id}`, { money_per_day: 3, models: ["a"], upstream_key: other });
    await send("PATCH", `/tokens/${id}`, { money_per_day: 3 });
    await send("POST", `/tokens/${id}/rotate`);
    await send("POST", `/tokens/${id}/disable`);
    await send("POST", `/tokens/${id}/disable`);
    await send("POST", `/tokens/${id}/enable`);
    await send("DELETE", `/tokens/${id}`);
    await send("DELETE", `/tokens/${id}`);
    const { changes } = await list(send, `?kind=token&subject=${id}`);
    expect(changes.map(({ action }) => action)).toEqual(
      ["create", "update", "rotate", "disable", "enable", "revoke"].toReversed(),
    );
    const [revoke, , , rotate, update, create] = changes;
    expect(create?.detail).toMatchObject({
      name: "Ann",
      before: null,
      after: { name: "Ann", money_per_day: "2", own_upstream_key: true },
    });
    expect(update?.detail).toEqual({
      name: "Ann",
      before: { money_per_day: "2", models: null, upstream_key: null },
      after: { money_per_day: "3", models: ["a"], upstream_key: "changed" },
    });
    expect(rotate?.detail.after).toEqual({ secret: "changed" });
    expect(revoke?.detail).toEqual({ name: "Ann", before: {}, after: null });
    const text = JSON.stringify(changes);
    for (const secret of [...SECRETS, (made.json as { token: string }).token]) {
      expect(text).not.toContain(secret);
    }
  }, 30_000);

  test("of groups, prices, upstreams and routes are there, too", async () => {
    const { send } = await start();
    await send("POST", "/groups", { name: "class", money_per_month: 50 });
    await send("PATCH", "/groups/class", { money_per_month: 80 });
    await send("DELETE", "/groups/class");
    await send("PUT", "/prices/m", { input: 1, output: 2 });
    await send("PUT", "/prices/m", { input: 1, output: 3 });
    await send("PUT", "/prices/m", { input: 1, output: 3 });
    const [key, other, password, header] = SECRETS;
    const url = "http://127.0.0.1:9/v1";
    const proxy = `http://ann:${password}@127.0.0.1:8`;
    const secrets = { keys: [key], headers: { "x-h": header }, proxy };
    await send("POST", "/upstreams", { name: "first", url, ...secrets });
    await send("PATCH", "/upstreams/first", { keys: [other], concurrency: 4 });
    await send("PUT", "/routes/fast", { to: "first:a" });
    await send("PUT", "/routes/fast", { to: "first:b; default:c" });
    await send("DELETE", "/routes/fast");
    await send("DELETE", "/upstreams/first");
    const { changes } = await list(send);
    const shown = changes.toReversed().map(({ kind: of, subject, action, detail }) => {
      return [of, subject, action, detail] as const;
    });
    expect(shown).toMatchObject([
      ["group", "class", "create", { before: null, after: { money_per_month: "50" } }],
      [
        ...(["group", "class", "update"] as const),
        { before: { money_per_month: "50" }, after: { money_per_month: "80" } },
      ],
      ["group", "class", "remove", { before: { money_per_month: "80" }, after: null }],
      ["price", "m", "set", { before: null, after: { input: "1", output: "2" } }],
      ["price", "m", "set", { before: { output: "2" }, after: { output: "3" } }],
      ["upstream", "first", "add", { before: null, after: { url, keys: 1, headers: ["x-h"] } }],
      [
        ...(["upstream", "first", "update"] as const),
        { before: { concurrency: null }, after: { concurrency: 4, secrets: "changed" } },
      ],
      ["route", "fast", "set", { before: null, after: { to: "first:a" } }],
      [
        ...(["route", "fast", "set"] as const),
        { before: { to: "first:a" }, after: { to: "first:b; default:c" } },
      ],
      ["route", "fast", "remove", { before: { to: "first:b; default:c" }, after: null }],
      ["upstream", "first", "remove", { before: { url }, after: null }],
    ]);
    expect(shown).toHaveLength(11);
    for (const secret of SECRETS) expect(JSON.stringify(changes)).not.toContain(secret);
  }, 30_000);

  test("of long imports are the first hundred and a number", async () => {
    const { send } = await start();
    const prices = Array.from({ length: 120 }, (_, n) => ({ model: `m${n}`, input: 1, output: n }));
    await send("POST", "/prices/import", prices);
    const { changes } = await list(send, "?limit=200");
    expect(changes).toHaveLength(101);
    expect(new Set(changes.map(({ action }) => action))).toEqual(new Set(["import"]));
    const rest = changes.filter(({ subject }) => subject === "");
    expect(rest.map(({ detail }) => detail.after)).toEqual([{ further_prices: 20 }]);
  }, 30_000);

  test("come in pages, and those by command are there, which shows them, too", async () => {
    const { env, send } = await start();
    for (const name of ["a", "b", "c"]) {
      expect((await parleyHere(env, ["token", "create", "--name", name])).code).toBe(0);
    }
    const names: unknown[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page: Listed = await list(send, `?limit=2${cursor && `&cursor=${cursor}`}`);
      names.push(...page.changes.map(({ detail }) => detail.after?.name));
      cursor = page.next_cursor;
    }
    expect(names.toSorted()).toEqual(["a", "b", "c"]);
    await send("PUT", "/prices/m", { input: 1, output: 2 });
    await send("PUT", "/prices/m", { input: 1, output: 3 });
    const ran = await parleyHere(env, ["changes", "--kind", "price", "--limit", "1"]);
    expect(ran.code, ran.err).toBe(0);
    const [head = "", row = ""] = ran.out.split("\n");
    expect(head).toMatch(/^TIME +KIND +SUBJECT +ACTION +CHANGE$/);
    expect(row).toMatch(/price +m +set +output: 2 -> 3, since: /);
    const json = await parleyHere(env, ["changes", "--subject", "m", "--json"]);
    expect(json.json()).toMatchObject([{ subject: "m" }, { subject: "m" }]);
  }, 30_000);

  test("are kept up to a number", async () => {
    const { env, send } = await start();
    const storage = await openDatabaseOf(env);
    for (let n = 0; n < 11; n += 1) {
      const some = Array.from({ length: 1_000 }, (_, at) => ({ name: `${n} ${at}` }));
      await storage.tokens.createAll(some);
    }
    await storage.close();
    let found = 0;
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page: Listed = await list(send, `?limit=1000${cursor && `&cursor=${cursor}`}`);
      found += page.changes.length;
      cursor = page.next_cursor;
    }
    expect(found).toBe(10_000);
  }, 60_000);
});

test("what is refused is not written down", async () => {
  const { send } = await startAdmin(await settingsFor("sqlite"));
  await send("POST", "/tokens", { name: "Ann" });
  expect((await send("POST", "/tokens", { name: "Ann" })).status).toBe(409);
  expect((await list(send)).changes).toHaveLength(1);
});

test.each([
  ["kind=key", "field_choice", "kind"],
  ["cursor=x", "field_type", "cursor"],
  ["limit=0", "field_range", "limit"],
])("a list with %s is refused", async (search, code, field) => {
  const { send } = await startAdmin(await settingsFor("sqlite"));
  const reply = await send("GET", `/changes?${search}`);
  expect([reply.status, reply.json]).toMatchObject([400, { error: { code, field } }]);
});
