/** Who can read the log becomes the operator of a server without ADMIN_TOKEN. */
import { describe, expect, onTestFinished, test } from "vitest";
import { openStorage } from "../../src/storage/open.ts";
import { kinds } from "../storage/support/databases.ts";
import { postJson, type Reply } from "../support/http.ts";
import { createHeldClock, type ParleyOptions, startParley } from "../support/parley.ts";
import { openBrowser, ours } from "./session-support.ts";
import { type Env, folder, parleyHere, settingsFor } from "./support.ts";

const TOKEN = "chosen-token-0123456789";
const MINUTE_MS = 60_000;
const LINK = /http:\/\/[\w.[\]:-]+\/admin#setup=([\w-]{24})/;

/** A copy that has offered its link, as a started process does. */
async function start(env: Env, options: ParleyOptions = {}) {
  const parley = await startParley(env, options);
  onTestFinished(() => parley.close());
  await parley.parley.offerSetup(parley.port);
  const lines = () => parley.log.filter((line) => line.includes("operator_setup"));
  return { ...parley, lines, code: () => codeIn(lines().at(-1) ?? "") };
}

const codeIn = (text: string): string => /#setup=([\w-]+)/.exec(text)?.[1] ?? "";

const choose = (origin: string, code: string, token = TOKEN, headers = {}): Promise<Reply> =>
  postJson(`${origin}/admin/setup`, { code, token }, { headers: { ...ours, ...headers } });

const withToken = async (origin: string, token: string): Promise<number> => {
  const headers = { authorization: `Bearer ${token}` };
  return (await postJson(`${origin}/admin/tokens`, undefined, { method: "GET", headers })).status;
};

const rejected = [403, { error: { code: "setup_code_rejected" } }] as const;

describe.each(kinds)("the first start on %s", (kind) => {
  test("logs a link once, which chooses a token and signs in", async () => {
    const env = await settingsFor(kind);
    const { origin, port, lines, code, log } = await start(env);
    expect(lines()).toHaveLength(1);
    expect(LINK.exec(lines()[0] ?? "")?.[0]).toBe(`http://localhost:${port}/admin#setup=${code()}`);
    const browser = openBrowser(origin);
    expect((await browser.send("GET", "/session")).json).toMatchObject({
      signed_in: false,
      setup: true,
    });
    const done = await browser.send("POST", "/setup", { code: code(), token: TOKEN });
    expect([done.status, done.json]).toMatchObject([200, { signed_in: true }]);
    expect((await browser.send("GET", "/session")).json).toMatchObject({
      signed_in: true,
      setup: false,
    });
    expect((await browser.send("POST", "/tokens", { name: "ann" })).status).toBe(201);
    expect(await withToken(origin, TOKEN)).toBe(200);
    expect(await withToken(origin, `${TOKEN}x`)).toBe(401);
    const again = openBrowser(origin);
    expect((await again.signIn(TOKEN)).status).toBe(200);
    expect(log.join("").split(code())).toHaveLength(2);
    expect(log.join("")).not.toContain(TOKEN);
  });

  test("takes no code where ADMIN_TOKEN is set, also if a copy without it offers one", async () => {
    const env = await settingsFor(kind);
    const { code } = await start(env);
    const set = await start({ ...env, ADMIN_TOKEN: "set-token-0123456789-abcdef" });
    expect(set.lines()).toEqual([]);
    const reply = await choose(set.origin, code());
    expect([reply.status, reply.json]).toMatchObject(rejected);
    expect(await withToken(set.origin, TOKEN)).toBe(401);
  });

  test("keeps neither the code nor the token", async () => {
    const env = await settingsFor(kind);
    const { origin, code } = await start(env);
    const before = await recordIn(env);
    expect(before.offered).not.toBeNull();
    await choose(origin, code());
    const after = await recordIn(env);
    expect(after.offered).toBeNull();
    expect(after.digest).toMatch(/^scrypt\./);
    const text = JSON.stringify([before, after]);
    for (const secret of [code(), TOKEN]) expect(text).not.toContain(secret);
  });

  test("has one link over all copies: the one that was logged last", async () => {
    const env = await settingsFor(kind);
    const first = await start(env);
    const second = await start(env);
    const old = await choose(second.origin, first.code());
    expect([old.status, old.json]).toMatchObject(rejected);
    expect((await choose(first.origin, second.code())).status).toBe(200);
    const third = await start(env);
    expect(third.lines()).toEqual([]);
    for (const { origin } of [first, second, third]) {
      expect(await withToken(origin, TOKEN)).toBe(200);
    }
  });

  test("lets one of two browsers win that use the link at once", async () => {
    const env = await settingsFor(kind);
    const copies = [await start(env), await start(env)];
    const code = copies.at(-1)?.code() ?? "";
    const tokens = copies.map((_, at) => `${TOKEN}-${at}`);
    const replies = await Promise.all(
      copies.map(({ origin }, at) => choose(origin, code, tokens[at])),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 403]);
    const winner = tokens[replies.findIndex(({ status }) => status === 200)] ?? "";
    for (const { origin } of copies) {
      const statuses = await Promise.all(tokens.map((token) => withToken(origin, token)));
      expect(statuses).toEqual(tokens.map((token) => (token === winner ? 200 : 401)));
    }
  });

  test("follows a reset within a second, on every copy", async () => {
    const env = await settingsFor(kind);
    const clock = createHeldClock();
    const copies = [await start(env, { clock }), await start(env, { clock })];
    await choose(copies[0]?.origin ?? "", copies.at(-1)?.code() ?? "");
    const browser = openBrowser(copies[0]?.origin ?? "");
    await browser.signIn(TOKEN);
    const headers = { cookie: browser.cookies(), ...ours };
    const withCookie = async (origin: string) =>
      (await postJson(`${origin}/admin/tokens`, undefined, { method: "GET", headers })).status;
    for (const { origin } of copies) expect(await withCookie(origin)).toBe(200);
    const { code, out } = await parleyHere(env, ["admin", "reset"]);
    expect([code, out]).toEqual([0, expect.stringMatching(/\n\/admin#setup=[\w-]{24}\n/)]);
    clock.forward(1_000);
    for (const { origin } of copies) {
      expect([await withCookie(origin), await withToken(origin, TOKEN)]).toEqual([401, 401]);
    }
    expect((await choose(copies[0]?.origin ?? "", codeIn(out), `${TOKEN}-2`)).status).toBe(200);
    clock.forward(1_000);
    for (const { origin } of copies) {
      expect(await withCookie(origin)).toBe(401);
      expect(await withToken(origin, `${TOKEN}-2`)).toBe(200);
      expect(await withToken(origin, TOKEN)).toBe(401);
    }
  });
});

async function recordIn(env: Env) {
  const { DATA_DIR, DATABASE_URL: databaseUrl = null } = env;
  const clock = createHeldClock();
  const place = { databaseUrl, sqliteFile: `${DATA_DIR}/parley.sqlite` };
  const storage = await openStorage({ ...place, clock, oneOff: true, bringsTime: true });
  const record = await storage.operator.read();
  await storage.close();
  return record;
}

describe("the link", () => {
  const startHeld = async (env: Env = {}) => {
    const clock = createHeldClock();
    return { ...(await start({ DATA_DIR: folder(), ...env }, { clock })), clock };
  };

  test("works for 15 minutes", async () => {
    const { origin, code, clock } = await startHeld();
    clock.forward(15 * MINUTE_MS);
    const late = await choose(origin, code());
    expect([late.status, late.json]).toMatchObject(rejected);
    expect(late.text).toContain("parley admin reset");
    const { parley, port, lines } = await startHeld();
    await parley.offerSetup(port);
    expect(lines()).toHaveLength(2);
  });

  test("works once, whatever token is sent", async () => {
    const { origin, code } = await startHeld();
    expect((await choose(origin, code())).status).toBe(200);
    for (const token of [TOKEN, `${TOKEN}-2`]) {
      const again = await choose(origin, code(), token);
      expect([again.status, again.json]).toMatchObject(rejected);
    }
    expect(await withToken(origin, TOKEN)).toBe(200);
  });

  test.each([
    [{ token: "short" }, "field_type", "token"],
    [{ token: "with spaces 0123456789" }, "field_type", "token"],
    [{ token: "это-длинный-токен-0123456789" }, "field_type", "token"],
    [{ token: "x".repeat(1_001) }, "field_type", "token"],
    [{ token: undefined }, "field_missing", "token"],
    [{ code: undefined }, "field_missing", "code"],
    [{ code: "" }, "field_empty", "code"],
  ])("is not used up by %j", async (wrong, error, field) => {
    const { origin, code } = await startHeld();
    const body = { code: code(), token: TOKEN, ...wrong };
    const refused = await openBrowser(origin).send("POST", "/setup", body);
    expect([refused.status, refused.json]).toMatchObject([400, { error: { code: error, field } }]);
    expect((await choose(origin, code())).status).toBe(200);
  });

  test("is not used up by another page, or by reading it", async () => {
    const { origin, code } = await startHeld();
    const foreign = await choose(origin, code(), TOKEN, { "sec-fetch-site": "cross-site" });
    expect(foreign.status).toBe(403);
    const read = await openBrowser(origin).send("GET", `/setup?code=${code()}`);
    expect(read.status).toBe(405);
    expect((await choose(origin, code())).status).toBe(200);
  });

  test("can't be guessed: the brake counts codes, too", async () => {
    const { origin, code } = await startHeld();
    const statuses: number[] = [];
    for (let at = 0; at < 5; at += 1) statuses.push((await choose(origin, `no-${at}`)).status);
    expect(statuses).toEqual([403, 403, 403, 403, 403]);
    expect((await choose(origin, code())).status).toBe(429);
  });

  test("is not there with ADMIN_TOKEN, which goes before a chosen token", async () => {
    const ADMIN_TOKEN = "set-token-0123456789";
    const env = { DATA_DIR: folder() };
    const first = await start(env);
    await choose(first.origin, first.code());
    const clock = createHeldClock();
    const { origin, lines } = await start({ ...env, ADMIN_TOKEN }, { clock });
    const browser = openBrowser(origin);
    expect((await browser.signIn(ADMIN_TOKEN)).status).toBe(200);
    expect(lines()).toEqual([]);
    expect(await withToken(origin, ADMIN_TOKEN)).toBe(200);
    expect(await withToken(origin, TOKEN)).toBe(401);
    const refused = await choose(origin, first.code());
    expect([refused.status, refused.json]).toMatchObject(rejected);
    const { out } = await parleyHere({ ...env, ADMIN_TOKEN }, ["admin", "reset", "--json"]);
    expect(JSON.parse(out)).toEqual({ path: null, expires_at: null });
    expect((await browser.send("GET", "/tokens")).status).toBe(200);
    clock.forward(1_000);
    expect((await browser.send("GET", "/tokens")).status).toBe(401);
    expect(await withToken(origin, ADMIN_TOKEN)).toBe(200);
  });
});

describe("a chosen token", () => {
  test("is asked for once by many calls at the same time", async () => {
    const env = { DATA_DIR: folder() };
    const first = await start(env);
    await choose(first.origin, first.code());
    const { origin } = await start(env);
    const statuses = await Promise.all(Array.from({ length: 12 }, () => withToken(origin, TOKEN)));
    expect(statuses).toEqual(Array<number>(12).fill(200));
  });

  test("is refused for a while after five wrong ones, also at once", async () => {
    const { origin, code } = await start({ DATA_DIR: folder() });
    await choose(origin, code());
    const guesses = Array.from({ length: 8 }, (_, at) => withToken(origin, `${TOKEN}-${at}`));
    const statuses = (await Promise.all(guesses)).sort();
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
    expect(await withToken(origin, TOKEN)).toBe(429);
  });

  test("is the operator's elsewhere, too", async () => {
    const { origin, code } = await start({ DATA_DIR: folder() });
    await choose(origin, code());
    const system = (token: string) =>
      postJson(
        `${origin}/system`,
        { content: "x" },
        {
          headers: { authorization: `Bearer ${token}` },
        },
      );
    expect((await system(TOKEN)).status).toBe(200);
    expect((await system("sk-caller-0123456789")).status).toBe(403);
  });
});
