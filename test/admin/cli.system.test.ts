import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import en from "../../locales/en.json" with { type: "json" };
import { kinds } from "../storage/support/databases.ts";
import {
  type Env,
  folder,
  installed,
  parley,
  parleyHere,
  settingsFor,
  writeCalls,
} from "./support.ts";

const SECRET_KEY = "0123456789abcdef0123456789abcdef";
const UPSTREAM_KEY = "sk-of-alice-0123456789";

async function createdToken(env: Env, ...options: string[]) {
  const ran = await parley(env, ["token", "create", "--json", ...options]);
  expect(ran.err).toBe("");
  expect(ran.code).toBe(0);
  return ran.json<{ id: string; token: string; name: string }>();
}

describe.each(kinds)("parley on %s", (kind) => {
  test("a token is created, listed, shown and revoked", async () => {
    const env = await settingsFor(kind);
    const created = await createdToken(
      env,
      ...["--name", "alice", "--comment", "of the house", "--expires", "30d"],
      ...["--models", "gpt-4o-mini, gpt-4o", "--requests-per-day", "100"],
      ...["--tokens-per-month", "5000", "--money-per-day", "2.50", "--minute-limit", "6"],
    );
    expect(created).toMatchObject({
      name: "alice",
      comment: "of the house",
      state: "valid",
      models: ["gpt-4o-mini", "gpt-4o"],
      requests_per_day: 100,
      requests_per_month: null,
      tokens_per_month: 5000,
      money_per_day: "2.5",
      minute_limit: 6,
      own_upstream_key: false,
    });
    expect(created.token).toMatch(/^parley-\w{38}$/);
    const listed = await parley(env, ["token", "list", "--json"]);
    const { token: secret, ...rest } = created;
    expect(listed.json()).toEqual([rest]);
    const shown = await parley(env, ["token", "show", created.id, "--json"]);
    expect(shown.json()).toMatchObject({
      ...rest,
      quotas: [
        { quota: "requests", period: "day", limit: 100, used: 0 },
        { quota: "money", period: "day", limit: "2.5", used: "0" },
        { quota: "tokens", period: "month", limit: 5000, used: 0 },
      ],
    });
    const revoked = await parley(env, ["token", "revoke", created.id, "--json"]);
    expect(revoked.json()).toMatchObject({ id: created.id, state: "revoked" });
    expect((await parley(env, ["token", "revoke", created.id])).code, "once more").toBe(0);
    for (const ran of [listed, shown, revoked]) expect(ran.out).not.toContain(secret);
  }, 60_000);

  test("prices keep a history, and importing a list twice changes nothing", async () => {
    const env = await settingsFor(kind);
    const set = ["price", "set", "gpt-4o-mini", "--input", "0.15", "--output", "0.60", "--json"];
    expect((await parleyHere(env, set)).json()).toMatchObject({
      model: "gpt-4o-mini",
      input: "0.15",
      cached_input: null,
      output: "0.6",
      changed: true,
    });
    expect((await parleyHere(env, set)).json()).toMatchObject({ changed: false });
    await parleyHere(env, ["price", "set", "gpt-4o-mini", "--input", "0.2", "--output", "1"]);
    const history = await parleyHere(env, ["price", "list", "--history", "--json"]);
    expect(history.json<{ input: string }[]>().map(({ input }) => input)).toEqual(["0.2", "0.15"]);
    const shipped = await parleyHere(env, ["price", "import", "--default", "--json"]);
    expect(shipped.json()).toMatchObject({ unchanged: 0, skipped: ["gpt-4o-mini"] });
    expect(shipped.json().note).toContain("Check the prices before you import them");
    const listed = await parleyHere(env, ["price", "list", "--json"]);
    const again = await parleyHere(env, ["price", "import", "-", "--json"], listed.out);
    expect(again.json()).toMatchObject({ added: 0, skipped: [] });
    const other = await settingsFor("sqlite");
    const moved = await parleyHere(other, ["price", "import", "-", "--json"], history.out);
    expect(moved.json()).toEqual({ added: 2, unchanged: 0, skipped: [] });
    const late = await parleyHere(env, [...set, "--since", "2020-01-01"]);
    expect(late.code).toBe(1);
    expect(late.err).toContain("already has a price from");
  }, 60_000);

  test("token reseal follows a change of SECRET_KEY", async () => {
    const env = await settingsFor(kind);
    const made = await parley({ ...env, SECRET_KEY, PARLEY_UPSTREAM_KEY: UPSTREAM_KEY }, [
      "token",
      "create",
      "--name",
      "alice",
      "--json",
    ]);
    expect(made.json()).toMatchObject({ own_upstream_key: true });
    const newer = "n".repeat(32);
    const rotated = { ...env, SECRET_KEY: `${newer},${SECRET_KEY}` };
    const reseal = (settings: Env) => parley(settings, ["token", "reseal", "--json"]);
    expect((await reseal(rotated)).json()).toEqual({
      resealed: 1,
      upstreams: 0,
      texts: 0,
      failed: [],
    });
    const { id } = made.json();
    const again = await reseal({ ...env, SECRET_KEY: newer });
    expect([again.code, again.json()]).toEqual([
      0,
      { resealed: 0, upstreams: 0, texts: 0, failed: [] },
    ]);
    const lost = await reseal({ ...env, SECRET_KEY: "x".repeat(32) });
    const failed = [{ kind: "token", id }];
    expect([lost.code, lost.json()]).toEqual([1, { resealed: 0, upstreams: 0, texts: 0, failed }]);
    expect(lost.err).toContain(`No key in SECRET_KEY opens what is stored for the token ${id}.`);
  }, 60_000);
});

describe("secrets", () => {
  test("the token is shown once; no file has it or the upstream key", async () => {
    const env = { DATA_DIR: folder(), SECRET_KEY };
    const made = await parley(
      env,
      ["token", "create", "--name", "alice", "--upstream-key", "-"],
      `${UPSTREAM_KEY}\n`,
    );
    const secret = /^parley-\w{38}$/m.exec(made.out)?.[0] ?? "none";
    expect(made.out.split(secret)).toHaveLength(2);
    const shown = await Promise.all([
      parley(env, ["token", "list"]),
      parley(env, ["token", "list", "--json"]),
      parley(env, ["backup", join(env.DATA_DIR, "copy")]),
    ]);
    const files = readdirSync(env.DATA_DIR).map((name) => readFileSync(join(env.DATA_DIR, name)));
    expect(files.length).toBeGreaterThan(1);
    for (const hidden of [secret, UPSTREAM_KEY, SECRET_KEY]) {
      expect(files.some((bytes) => bytes.includes(hidden))).toBe(false);
      expect(shown.some(({ out, err }) => (out + err).includes(hidden))).toBe(false);
    }
  }, 30_000);

  test("an upstream key without SECRET_KEY is refused, not stored unencrypted", async () => {
    const env = { DATA_DIR: folder(), PARLEY_UPSTREAM_KEY: UPSTREAM_KEY };
    const ran = await parley(env, ["token", "create", "--name", "alice"]);
    expect(ran.code).toBe(1);
    expect(ran.err).toContain("SECRET_KEY is not set");
    expect(ran.out).toBe("");
  });
});

describe("usage", () => {
  test("is summed by day, model and token, and exported", async () => {
    const env = { DATA_DIR: folder() };
    await writeCalls(env, "gpt-4o", "gpt-4o-mini", "gpt-4o-mini");
    const days = await parleyHere(env, ["usage", "--json"]);
    expect(days.json()).toMatchObject([{ day: "2026-11-21", requests: 3, total_tokens: 450 }]);
    const models = await parleyHere(env, ["usage", "--by", "model", "--json"]);
    expect(models.json()).toMatchObject([
      { model: "gpt-4o", requests: 1 },
      { model: "gpt-4o-mini", requests: 2 },
    ]);
    const tokens = await parleyHere(env, ["usage", "--by", "token", "--json"]);
    expect(tokens.json()).toMatchObject([{ token: null, name: null, requests: 3 }]);
    const none = await parleyHere(env, ["usage", "--from", "2026-11-22", "--json"]);
    expect(none.json()).toEqual([]);
    const day = ["--from", "2026-11-21", "--to", "2026-11-22"];
    const csv = await parleyHere(env, ["usage", "export", ...day]);
    const [header, first, ...rest] = csv.out.split("\r\n");
    expect(header).toMatch(/^id,request_id,time,payer,token,/);
    expect(first).toContain(",gpt-4o,");
    expect(rest).toHaveLength(3);
    const lines = await parleyHere(env, ["usage", "export", "--json", ...day]);
    const rows = lines.out.trimEnd().split("\n");
    expect(rows.map((row) => JSON.parse(row).model)).toEqual([
      "gpt-4o",
      "gpt-4o-mini",
      "gpt-4o-mini",
    ]);
  }, 30_000);

  test("a model's name that a client chose harms neither terminal nor spreadsheet", async () => {
    const env = { DATA_DIR: folder() };
    const names = ["\u001b[2Jgone", '=HYPERLINK("http://x")', "a,b\r\nc"];
    await writeCalls(env, ...names);
    const shown = await parleyHere(env, ["usage", "--by", "model"]);
    expect(shown.out).not.toContain("\u001b");
    expect(shown.out).not.toContain("\r");
    expect(shown.out.trimEnd().split("\n")).toHaveLength(4);
    const csv = await parleyHere(env, ["usage", "export"]);
    expect(csv.out).toContain(`,"'=HYPERLINK(""http://x"")",`);
    expect(csv.out).toContain(',"a,b\r\nc",');
    const lines = await parleyHere(env, ["usage", "export", "--format", "jsonl"]);
    expect(
      lines.out
        .trimEnd()
        .split("\n")
        .map((row) => JSON.parse(row).model),
    ).toEqual(names);
  }, 30_000);
});

describe("backup and restore", () => {
  test("restore the database, and keep the replaced one", async () => {
    const env = { DATA_DIR: folder() };
    const copy = join(folder(), "copy.sqlite");
    await createdToken(env, "--name", "alice");
    expect((await parleyHere(env, ["backup", copy, "--json"])).json()).toEqual({ file: copy });
    const twice = await parleyHere(env, ["backup", copy]);
    expect([twice.code, twice.err]).toEqual([
      1,
      `parley: The file ${copy} already exists. Use another name.\n`,
    ]);
    for (const end of ["", "-journal"]) writeFileSync(`${copy}-2.partial${end}`, "left by a kill");
    expect((await parleyHere(env, ["backup", `${copy}-2`])).code).toBe(0);
    expect(existsSync(`${copy}-2.partial`)).toBe(false);
    expect((await parleyHere(env, ["backup", ""])).err).toContain("argument FILE is missing");
    await createdToken(env, "--name", "bob");
    const restored = await parleyHere(env, ["restore", copy, "--json"]);
    expect(restored.json().kept).toBe(`${env.DATA_DIR}/parley.sqlite.before-restore`);
    const listed = await parleyHere(env, ["token", "list", "--json"]);
    expect(listed.json<{ name: string }[]>().map(({ name }) => name)).toEqual(["alice"]);
  }, 30_000);

  test("refuse a file that is not a database, and PostgreSQL", async () => {
    const env = { DATA_DIR: folder() };
    const file = join(env.DATA_DIR, "text");
    writeFileSync(file, "no database");
    const wrong = await parleyHere(env, ["restore", file]);
    expect([wrong.code, wrong.out]).toEqual([1, ""]);
    expect(wrong.err).toContain("cannot be restored");
    const folderItself = await parleyHere(env, ["restore", env.DATA_DIR]);
    expect(folderItself.err).toBe(
      `parley: ${env.DATA_DIR} is not a regular file. Name the file of a backup.\n`,
    );
    for (const name of ["backup", "restore"]) {
      const ran = await parleyHere({ DATABASE_URL: "postgres://127.0.0.1:1/x" }, [name, file]);
      expect(ran.code).toBe(1);
      expect(ran.err).toContain("pg_dump");
    }
  }, 30_000);
});

describe("a wrong command line", () => {
  test.each([
    [["frobnicate"], "There is no command frobnicate"],
    [["token", "frobnicate"], "There is no command token frobnicate"],
    [["token", "create"], "--name"],
    [["token", "create", "--name", ""], "--name"],
    [["token", "create", "--nmae", "x"], "--nmae"],
    [["token", "create", "--name", "x", "--requests-per-day", "0"], "--requests-per-day"],
    [["token", "create", "--name", "x", "--requests-per-day", "1e3"], "--requests-per-day"],
    [["token", "create", "--name", "x", "--money-per-month", "-1"], "--money-per-month"],
    [["token", "create", "--name", "x", "--expires", "2026-02-30"], "--expires"],
    [["token", "create", "--name", "x", "--expires", "2020-01-01"], "--expires"],
    [["token", "create", "--name", "x", "--models", "a,,b"], "--models"],
    [["token", "create", "--name", "x".repeat(201)], "--name"],
    [["token", "show"], "ID is missing"],
    [["token", "show", "a", "b"], "The argument b is one too many"],
    [["price", "set", "m", "--input", "1"], "--output"],
    [["price", "set", "m", "--input", "1", "--output", "ten"], "--output"],
    [["price", "import"], "Name a FILE or use --default"],
    [["price", "import", "f", "--default"], "Name a FILE or use --default"],
    [["usage", "--by", "hour"], "--by"],
    [["usage", "--from", "yesterday"], "--from"],
    [["usage", "export", "--format", "xml"], "--format"],
  ])("%j exits with 2 and names the mistake", async (args, named) => {
    const ran = await parleyHere(await installed(), args);
    expect([ran.code, ran.out]).toEqual([2, ""]);
    expect(ran.err.split("\n")[0]).toContain(named);
    expect(ran.err).toContain("--help");
  });

  test("a list with a wrong price names the place and imports nothing", async () => {
    const env = await installed();
    const list = JSON.stringify([
      { model: "a", input: 1, output: 2 },
      { model: "b", input: "1.2345678", output: 2 },
    ]);
    const ran = await parleyHere(env, ["price", "import", "-"], list);
    expect(ran.code).toBe(2);
    expect(ran.err).toContain("prices[1].input");
    expect((await parleyHere(env, ["price", "list", "--json"])).json()).toEqual([]);
    const text = await parleyHere(env, ["price", "import", "-"], "not JSON");
    expect([text.code, text.err]).toEqual([
      1,
      "parley: The list is not valid JSON. Source: standard input.\n",
    ]);
  }, 20_000);
});

describe("exit codes", () => {
  test("a token that does not exist is a failure", async () => {
    const env = await installed();
    for (const id of ["nobody", "' OR 1=1 --", "x\u0001y"]) {
      const ran = await parley(env, ["token", "show", id]);
      expect([ran.code, ran.out, ran.err]).toEqual([1, "", `parley: ${en.error.token_unknown}\n`]);
    }
  }, 20_000);

  test("wrong database settings exit with 78; wrong server settings are ignored", async () => {
    const wrong = await parley({ DATABASE_URL: "mysql://x", SECRET_KEY: "short" }, [
      "token",
      "list",
    ]);
    expect(wrong.code).toBe(78);
    expect(wrong.err).toMatch(/DATABASE_URL: .*\n +SECRET_KEY: /);
    const fine = await parley({ ...(await installed()), PORT: "none" }, [
      "token",
      "list",
      "--json",
    ]);
    expect([fine.code, fine.out]).toEqual([0, "[]\n"]);
  });

  test("config check names every wrong setting and no value", async () => {
    const ran = await parley({ PORT: "secret-port", RETRIES: "secret-tries" }, ["config", "check"]);
    expect(ran.code).toBe(78);
    expect(ran.out).toMatch(/^PORT: .*\nRETRIES: .*\n$/);
    expect(ran.out + ran.err).not.toContain("secret-");
    const fine = await parley({}, ["config", "check", "--json"]);
    expect([fine.code, fine.json()]).toEqual([0, { ok: true, problems: [] }]);
  });

  test("an unreachable database is a failure with one line", async () => {
    const away = { DATABASE_URL: "postgres://user:secretpass@127.0.0.1:1/x" };
    const ran = await parley(away, ["token", "list"]);
    expect(ran.code).toBe(1);
    expect(ran.err).toMatch(/^parley: .*ECONNREFUSED.*\n$/);
    expect(ran.err).not.toContain("secretpass");
  });

  test("help is printed when asked for, or without arguments", async () => {
    for (const args of [["--help"], ["help"], ["token", "--help"], ["usage", "export", "--help"]]) {
      const ran = await parley({}, args);
      expect([ran.code, ran.err]).toEqual([0, ""]);
      expect(ran.out).toMatch(/^Usage: parley /);
    }
    const none = await parley({}, []);
    expect([none.code, none.out]).toEqual([2, ""]);
    expect(none.err).toMatch(/^Usage: parley /m);
  }, 20_000);
});
