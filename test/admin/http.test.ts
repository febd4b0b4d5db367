import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import ruRU from "../../locales/ru_RU.json" with { type: "json" };
import { systemClock } from "../../src/clock.ts";
import { openStorage } from "../../src/storage/open.ts";
import { entry, noon } from "../storage/support/calls.ts";
import { kinds } from "../storage/support/databases.ts";
import { postJson } from "../support/http.ts";
import { startParley } from "../support/parley.ts";
import { settingsFor } from "./support.ts";
import { ADMIN_TOKEN, startAdmin } from "./support-http.ts";

const injections = [
  "' OR '1'='1",
  "'; DROP TABLE tokens; --",
  '" UNION SELECT digest FROM tokens --',
  "../../etc/passwd",
  "%",
  "\u0000",
  "\ud800",
  "constructor",
  "__proto__",
  "a".repeat(5_000),
];

test("a write that finds the database locked says that the database does not respond", async () => {
  const env = await settingsFor("sqlite");
  const { send } = await startAdmin(env);
  const other = new DatabaseSync(`${env.DATA_DIR}/parley.sqlite`);
  onTestFinished(() => other.close());
  other.exec("BEGIN EXCLUSIVE");
  const price = { model: "m", input: "1", output: "2" };
  const upstream = { name: "u", url: "http://127.0.0.1:9/v1", models: ["m"] };
  const refused = await Promise.all([
    send("POST", "/tokens", { name: "alice" }),
    send("POST", "/groups", { name: "class" }),
    send("POST", "/prices", price),
    send("POST", "/upstreams", upstream),
    send("PUT", "/routes/fast", { to: "default:m" }),
  ]);
  for (const { status, json } of refused) {
    expect([status, json]).toMatchObject([503, { error: { code: "storage_unavailable" } }]);
  }
  other.exec("COMMIT");
  expect((await send("POST", "/tokens", { name: "alice" })).status).toBe(201);
});

describe.each(kinds)("/admin on %s", (kind) => {
  test("tokens are created, listed, shown and revoked", async () => {
    const { send } = await startAdmin(await settingsFor(kind));
    const wanted = { name: "alice", models: ["gpt-4o"], money_per_day: 2.5, hour_limit: 6 };
    const made = await send("POST", "/tokens", wanted);
    expect([made.status, made.json]).toMatchObject([
      201,
      { ...wanted, money_per_day: "2.5", state: "valid" },
    ]);
    const { id, token, ...rest } = made.json as { id: string; token: string };
    expect(token).toMatch(/^parley-/);
    const listed = await send("GET", "/tokens");
    expect(listed.json).toEqual({ tokens: [{ id, ...rest }], next: null, next_cursor: null });
    const shown = await send("GET", `/tokens/${id}`);
    expect(shown.json).toMatchObject({
      ...rest,
      quotas: [{ quota: "money", period: "day", limit: "2.5", used: "0" }],
    });
    expect(listed.text + shown.text).not.toContain(token);
    for (const time of ["once", "twice"]) {
      const revoked = await send("DELETE", `/tokens/${id}`);
      expect([revoked.status, revoked.json], time).toMatchObject([200, { id, state: "revoked" }]);
    }
  }, 20_000);

  test("long lists come in pages", async () => {
    const { send } = await startAdmin(await settingsFor(kind));
    for (const name of ["a", "b", "c"]) await send("POST", "/tokens", { name });
    const first = (await send("GET", "/tokens?limit=2")).json as { tokens: []; next: string };
    expect(first.tokens).toHaveLength(2);
    const second = await send("GET", `/tokens?limit=2&after=${first.next}`);
    expect(second.json).toMatchObject({ tokens: [expect.anything()], next: null });
  }, 20_000);

  test("prices are set, listed and imported", async () => {
    const { send } = await startAdmin(await settingsFor(kind));
    const path = `/prices/${encodeURIComponent("openai/gpt-4o-mini")}`;
    const put = await send("PUT", path, { input: "0.15", output: 0.6 });
    expect([put.status, put.json]).toMatchObject([
      200,
      { model: "openai/gpt-4o-mini", input: "0.15", output: "0.6", changed: true },
    ]);
    const again = await send("POST", "/prices", {
      model: "openai/gpt-4o-mini",
      input: 0.15,
      output: 0.6,
    });
    expect(again.json).toMatchObject({ changed: false });
    for (const input of ["1", "2", "3"]) await send("PUT", path, { input, output: 1 });
    const history = await send("GET", "/prices?history=true");
    expect((history.json as { prices: [] }).prices).toHaveLength(4);
    const imported = await send("POST", "/prices/import", [{ model: "m", input: 1, output: 2 }]);
    expect(imported.json).toEqual({ added: 1, unchanged: 0, skipped: [] });
    const shipped = await send("POST", "/prices/import", { default: true });
    expect(shipped.json).toMatchObject({ skipped: [], published: expect.any(String) });
    const formPath = "/prices/import?format=litellm&provider=openai";
    const theirs = { n: { input_cost_per_token: 1e-6, litellm_provider: "openai" } };
    const form = await send("POST", formPath, theirs);
    expect(form.json).toMatchObject({ added: 0, unpriced: ["n"], left_out: [] });
    // public lists are larger than MAX_BODY_BYTES
    const note = "x".repeat(2_000_000);
    const long = await send("POST", "/prices/import", [{ model: "l", input: 1, output: 2, note }]);
    expect(long.json).toMatchObject({ added: 1 });
    const twice = await send("POST", "/prices/import", '[{"model": "x", "model": "y"}]', {
      "content-type": "application/json",
    });
    expect([twice.status, twice.json]).toMatchObject([
      400,
      { error: { code: "field_repeated", field: "[0].model" } },
    ]);
    const one = await send("GET", "/prices?model=m");
    expect(one.json).toMatchObject({ prices: [{ model: "m", cached_input: null }] });
    const late = await send("PUT", path, { input: 9, output: 9, since: "2020-01-01" });
    expect([late.status, late.json]).toMatchObject([409, { error: { code: "price_outdated" } }]);
  }, 20_000);

  test("usage is summed and exported", async () => {
    const env = await settingsFor(kind);
    const { send } = await startAdmin(env);
    const storage = await openStorage({
      databaseUrl: env.DATABASE_URL ?? null,
      sqliteFile: `${env.DATA_DIR}/parley.sqlite`,
      clock: systemClock,
      oneOff: true,
    });
    for (let at = 0; at < 1_500; at++) {
      await storage.ledger.settle(entry({ at: noon + at, requestId: `req-${at}` }), null);
    }
    await storage.close();
    const days = await send("GET", "/usage");
    expect(days.json).toMatchObject({ by: "day", usage: [{ day: "2026-11-21", requests: 1500 }] });
    const models = await send("GET", "/usage?by=model&from=2026-11-21&to=2026-11-22");
    expect(models.json).toMatchObject({ usage: [{ model: "gpt-4o-mini-2024-07-18" }] });
    const none = await send("GET", "/usage?by=token&token=nobody");
    expect(none.json).toEqual({ by: "token", usage: [] });
    const csv = await send("GET", "/usage/export?format=csv&from=2026-11-21");
    expect(csv.headers["content-type"]).toContain("text/csv");
    expect(csv.text.trimEnd().split("\r\n")).toHaveLength(1_501);
    const lines = await send("GET", "/usage/export?format=jsonl");
    const rows = lines.text.trimEnd().split("\n");
    expect(rows).toHaveLength(1_500);
    expect(JSON.parse(rows[1_499] ?? "")).toMatchObject({ request_id: "req-1499" });
  }, 60_000);

  test("strings that would break a query find nothing and break nothing", async () => {
    const { send } = await startAdmin(await settingsFor(kind));
    await send("POST", "/tokens", { name: "alice" });
    for (const text of injections) {
      const inPath = encodeURIComponent(text.toWellFormed());
      for (const method of ["GET", "DELETE"]) {
        const reply = await send(method, `/tokens/${inPath}`);
        expect(reply.status, `${method} ${text}`).toBe(404);
      }
      for (const path of ["/tokens?after=", "/prices?model=", "/usage?token=", "/usage?by="]) {
        const reply = await send("GET", path + inPath);
        expect([200, 400], `${path}${text}`).toContain(reply.status);
      }
      const named = await send("POST", "/tokens", { name: text });
      expect([201, 400], text).toContain(named.status);
      if (named.status === 201) expect(named.json).toMatchObject({ name: text });
    }
    const listed = (await send("GET", "/tokens?order=oldest")).json as {
      tokens: { name: string }[];
    };
    expect(listed.tokens[0]).toMatchObject({ name: "alice", state: "valid" });
  }, 30_000);
});

describe("access to /admin", () => {
  test("wrong tokens are refused before the body is read, in the client's language", async () => {
    const { send } = await startAdmin(await settingsFor("sqlite"));
    for (const authorization of [
      "Bearer wrong",
      `Bearer ${ADMIN_TOKEN}x`,
      "Bearer x y",
      "Basic eA==",
    ]) {
      const reply = await send("POST", "/tokens", "not JSON", { authorization });
      expect(reply.status, authorization).toBe(401);
      expect(reply.headers["www-authenticate"]).toBe("Bearer");
      expect(reply.text).not.toContain(ADMIN_TOKEN);
    }
    const reply = await send("GET", "/prices", undefined, {
      authorization: "Bearer wrong",
      "accept-language": "ru",
    });
    expect(reply.json).toEqual({
      error: {
        code: "admin_token_needed",
        message: ruRU.error.admin_token_needed,
      },
    });
    expect((await send("GET", "/tokens", undefined, { authorization: "" })).json).toMatchObject({
      error: { code: "admin_token_needed" },
    });
  });

  test("while there is no token, every route says how to choose one", async () => {
    const parley = await startParley({ ...(await settingsFor("sqlite")), LOG_LEVEL: "silent" });
    onTestFinished(() => parley.close());
    for (const authorization of ["Bearer undefined", "Bearer null", ""]) {
      const reply = await postJson(`${parley.origin}/admin/tokens`, undefined, {
        method: "GET",
        headers: { authorization },
      });
      expect([reply.status, reply.json], authorization).toMatchObject([
        401,
        { error: { code: "admin_setup_needed" } },
      ]);
      expect(reply.text).toContain("parley admin reset");
    }
  });

  test("limits do not count these calls", async () => {
    const { send } = await startAdmin({ ...(await settingsFor("sqlite")), DAY_LIMIT: "1" });
    for (let time = 0; time < 3; time++) expect((await send("GET", "/tokens")).status).toBe(200);
  });

  test("unknown paths and methods are refused in its error form", async () => {
    const { send } = await startAdmin(await settingsFor("sqlite"));
    const path = await send("GET", "/nothing");
    expect([path.status, path.json]).toMatchObject([404, { error: { code: "not_found" } }]);
    const method = await send("PUT", "/tokens", {});
    expect([method.status, method.headers.allow]).toEqual([405, "POST, GET"]);
    expect(method.json).toMatchObject({ error: { code: "method_not_allowed" } });
  });

  test.each([
    [{}, "field_missing", "name"],
    [{ name: 7 }, "field_type", "name"],
    [{ name: "x", request_per_day: 1 }, "field_unknown", "request_per_day"],
    [{ name: "x", requests_per_day: 0 }, "field_range", "requests_per_day"],
    [{ name: "x", requests_per_day: 1.5 }, "field_type", "requests_per_day"],
    [{ name: "x", tokens_per_month: 1e15 }, "field_range", "tokens_per_month"],
    [{ name: "x", money_per_day: -1 }, "field_type", "money_per_day"],
    [{ name: "x", money_per_day: "1e400" }, "field_type", "money_per_day"],
    [{ name: "x", expires: "soon" }, "field_type", "expires"],
    [{ name: "x", models: [] }, "field_type", "models"],
    [{ name: "x", models: [1] }, "field_type", "models"],
    [{ name: "x", models: Array.from({ length: 201 }, String) }, "field_too_many", "models"],
    [{ name: "x", comment: "c".repeat(1_001) }, "field_too_long", "comment"],
    [{ name: "x", upstream_key: "sk-\n" }, "secret_key_missing", undefined],
    [{ name: "x", upstream_key: "sk key" }, "field_type", "upstream_key"],
    [[], "body_not_object", undefined],
    ["null", "body_not_object", undefined],
    ["{", "body_not_json", undefined],
  ])("a token of %j is refused", async (body, code, field) => {
    const { send } = await startAdmin(await settingsFor("sqlite"));
    const reply = await send("POST", "/tokens", body, { "content-type": "application/json" });
    expect(reply.status).toBe(code === "secret_key_missing" ? 409 : 400);
    const { error } = reply.json as { error: { code: string; field?: string; message: string } };
    expect([error.code, error.field]).toEqual([code, field]);
    expect(error.message).not.toContain("{{");
  });
});
