/** Many tokens at once, and tokens that are like another. */
import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { openStorage } from "../../src/storage/open.ts";
import { kinds } from "../storage/support/databases.ts";
import { installed, parleyHere, settingsFor } from "./support.ts";
import { startAdmin } from "./support-http.ts";

interface Created {
  readonly id: string;
  readonly name: string;
  readonly token: string;
}

const SECRET = /^parley-\w{38}$/;

describe.each(kinds)("many tokens at once on %s", (kind) => {
  test("come over /admin with all their secrets, and share their options", async () => {
    const { send } = await startAdmin(await settingsFor(kind));
    const wanted = { name: "class", count: 12, tokens_per_day: 500, comment: "of 2027" };
    const made = await send("POST", "/tokens", wanted);
    expect(made.status).toBe(201);
    const { tokens, ...rest } = made.json as { tokens: Created[] };
    expect(rest).toEqual({});
    expect(tokens.map(({ name }) => name)).toEqual(
      Array.from({ length: 12 }, (_, at) => `class-0${String(at + 1).padStart(2, "0")}`),
    );
    expect(new Set(tokens.map(({ token }) => token)).size).toBe(12);
    for (const { token } of tokens) expect(token).toMatch(SECRET);
    const listed = await send("GET", "/tokens?order=oldest");
    const shown = tokens.map(({ token: _secret, ...one }) => one);
    expect(listed.json).toEqual({ tokens: shown, next: null, next_cursor: null });
    expect(shown[11]).toMatchObject({ tokens_per_day: 500, comment: "of 2027", state: "valid" });
  });

  test("are all created, or none if one of the names is taken", async () => {
    const { send } = await startAdmin(await settingsFor(kind));
    const taken = Object((await send("POST", "/tokens", { name: "class-003" })).json);
    const made = await send("POST", "/tokens", { name: "class", count: 5 });
    expect([made.status, made.json]).toMatchObject([
      409,
      { error: { code: "token_name_taken", field: "name", id: taken.id } },
    ]);
    expect(made.text).toContain("class-003");
    expect(Object((await send("GET", "/tokens")).json).tokens).toHaveLength(1);
  });

  test("may be a thousand", async () => {
    const env = await settingsFor(kind);
    const args = ["token", "create", "--name", "n", "--count", "1000", "--json"];
    const made = (await parleyHere(env, args)).json<Created[]>();
    expect([made[0]?.name, made[999]?.name]).toEqual(["n-0001", "n-1000"]);
    const shown = await parleyHere(env, ["token", "show", made[999]?.id ?? "", "--json"]);
    expect(shown.json()).toMatchObject({ name: "n-1000", state: "valid" });
  });

  test("come from the command as a table, as CSV and as JSON", async () => {
    const env = await settingsFor(kind);
    const create = (...options: string[]) =>
      parleyHere(env, ["token", "create", "--count", "2", ...options]);
    const csv = await create("--name", "=a,b", "--format", "csv", "--expires", "2099-01-31");
    const lines = csv.out.split("\r\n");
    expect(lines[0]).toBe("id,name,token,expires_at");
    expect(lines[1]).toMatch(/^\w+,"'=a,b-001",parley-\w{38},2099-01-31T00:00:00.000Z$/);
    expect(lines).toHaveLength(4);
    const text = (await create("--name", "b")).out;
    expect(text).toMatch(/b-001 +parley-\w{38}\n.*b-002 +parley-\w{38}\n/);
    expect(text).toContain("They are not shown again.");
    expect((await create("--name", "c", "--json")).json()).toMatchObject([
      { name: "c-001", token: expect.stringMatching(SECRET) },
      { name: "c-002", token: expect.stringMatching(SECRET) },
    ]);
    const one = await parleyHere(env, ["token", "create", "--name", "d", "--format", "csv"]);
    expect(one.out).toMatch(/^id,name,token,expires_at\r\n\w+,d,parley-\w{38},\r\n$/);
  });
});

describe("a token like another", () => {
  const options = {
    comment: "of the house",
    expires: "2099-01-31",
    models: ["gpt-4o"],
    money_per_month: "2.5",
    tokens_per_day: 7,
    hour_limit: 6,
  };

  test("has its options and its upstream key, apart from what is given or taken away", async () => {
    const SECRET_KEY = "k".repeat(32);
    const { send } = await startAdmin({ ...(await settingsFor("sqlite")), SECRET_KEY });
    const first = { name: "alice", upstream_key: "sk-of-alice", ...options };
    const { token, id, hint, ...made } = Object((await send("POST", "/tokens", first)).json);
    const like = async (fields: object) => {
      const reply = await send("POST", "/tokens", { like: id, ...fields });
      expect(reply.status, reply.text).toBe(201);
      return reply.json;
    };
    const same = { ...made, name: "bob", created_at: expect.any(String) };
    expect(await like({ name: "bob" })).toEqual({
      ...same,
      id: expect.not.stringContaining(id),
      token: expect.not.stringContaining(token),
      hint: expect.any(String),
    });
    const changes = { name: "cid", hour_limit: null, models: "a,b", upstream_key: null };
    expect(await like(changes)).toMatchObject({
      comment: "of the house",
      hour_limit: null,
      models: ["a", "b"],
      tokens_per_day: 7,
      own_upstream_key: false,
    });
    expect(await like({ name: "dee", count: 2 })).toMatchObject({
      tokens: [
        { name: "dee-001", money_per_month: "2.5", own_upstream_key: true },
        { name: "dee-002", money_per_month: "2.5", own_upstream_key: true },
      ],
    });
    await send("DELETE", `/tokens/${id}`);
    expect(await like({ name: "eve" })).toMatchObject({ state: "valid", tokens_per_day: 7 });
  });

  test("is created on the command line, where `none` takes away what it would have", async () => {
    const env = await installed();
    const create = async (...args: string[]) =>
      (await parleyHere(env, ["token", "create", "--json", ...args])).json<Created>();
    const { id } = await create("--name", "alice", "--tokens-per-day", "5", "--hour-limit", "6");
    const made = await create("--name", "bob", "--like", id, "--hour-limit", "none");
    expect(made).toMatchObject({ name: "bob", tokens_per_day: 5, hour_limit: null });
  });

  test("can't be made without SECRET_KEY, an ID that there is, or an expiry to come", async () => {
    const env = await settingsFor("sqlite");
    const withKey = { ...env, SECRET_KEY: "k".repeat(32), PARLEY_UPSTREAM_KEY: "sk-own" };
    const make = ["token", "create", "--json", "--name", "alice"];
    const { id } = (await parleyHere(withKey, make)).json<Created>();
    const sqliteFile = `${env.DATA_DIR}/parley.sqlite`;
    const storage = await openStorage({ sqliteFile, clock: systemClock, oneOff: true });
    const { token: expired } = await storage.tokens.create({ name: "over", expiresAt: 1 });
    await storage.close();
    const { send } = await startAdmin(env);
    const late = await send("POST", "/tokens", { name: "bob", like: expired.id });
    expect([late.status, late.json]).toMatchObject([
      400,
      { error: { code: "field_type", field: "expires" } },
    ]);
    const unsealed = await send("POST", "/tokens", { name: "bob", like: id });
    expect([unsealed.status, unsealed.json]).toMatchObject([
      409,
      { error: { code: "secret_key_missing" } },
    ]);
    const unknown = await send("POST", "/tokens", { name: "bob", like: "nobody" });
    expect([unknown.status, unknown.json]).toMatchObject([
      404,
      { error: { code: "token_unknown", field: "like" } },
    ]);
  });
});

describe("what can't be created", () => {
  test.each([
    [{ name: "a", count: 0 }, "field_range", "count"],
    [{ name: "a", count: 1_001 }, "field_range", "count"],
    [{ name: "a", count: "many" }, "field_type", "count"],
    [{ name: "x".repeat(197), count: 2 }, "field_too_long", "name"],
    [{ name: "a", like: 7 }, "field_type", "like"],
    [{ count: 2 }, "field_missing", "name"],
  ])("%j names its field", async (body, code, field) => {
    const { send } = await startAdmin(await settingsFor("sqlite"));
    const reply = await send("POST", "/tokens", body);
    expect([reply.status, reply.json]).toMatchObject([400, { error: { code, field } }]);
    expect(Object((await send("GET", "/tokens")).json).tokens).toEqual([]);
  });

  test("on the command line names its option", async () => {
    const env = await installed();
    for (const [option, value] of [
      ["--format", "xml"],
      ["--count", "0"],
    ] as const) {
      const args = ["token", "create", "--name", "a", option, value];
      const ran = await parleyHere(env, args);
      expect([ran.code, ran.err]).toEqual([2, expect.stringContaining(`option ${option}`)]);
    }
    expect((await parleyHere(env, ["token", "list", "--json"])).json()).toEqual([]);
  });
});
