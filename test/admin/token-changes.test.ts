/** Changes of tokens over /admin and on the command line, and what a server makes of them. */
import { describe, expect, test } from "vitest";
import { kinds } from "../storage/support/databases.ts";
import { postJson } from "../support/http.ts";
import { installed, parleyHere, settingsFor } from "./support.ts";
import { startAdmin } from "./support-http.ts";

const created = {
  comment: "of the house",
  models: ["gpt-4o"],
  money_per_day: "2.5",
  hour_limit: 6,
};

describe.each(kinds)("a token is changed on %s", (kind) => {
  test("over /admin: what is left out stays, null takes a bound away", async () => {
    const { send } = await startAdmin(await settingsFor(kind));
    const { token: secret, ...made } = Object(
      (await send("POST", "/tokens", { name: "alice", expires: "30d", ...created })).json,
    );
    const changes = { name: "Alice", expires: null, hour_limit: null, tokens_per_month: "500" };
    const changed = await send("PATCH", `/tokens/${made.id}`, changes);
    const { expires: _expires, ...shown } = changes;
    const after = { ...made, ...shown, expires_at: null, tokens_per_month: 500 };
    expect([changed.status, changed.json]).toEqual([200, after]);
    expect((await send("PATCH", `/tokens/${made.id}`, {})).json).toEqual(after);
    expect((await send("GET", "/tokens")).json).toMatchObject({ tokens: [after] });
    expect(changed.text).not.toContain(secret);
  });

  test("over /admin and on the command line: it is disabled, shown as such, and enabled", async () => {
    const env = await settingsFor(kind);
    const { send } = await startAdmin(env);
    const { id } = Object((await send("POST", "/tokens", { name: "alice" })).json);
    const state = async () => Object((await send("GET", `/tokens/${id}`)).json).state;
    const run = async (command: string) =>
      (await parleyHere(env, ["token", command, id, "--json"])).json();
    for (const _ of [1, 2]) {
      const reply = await send("POST", `/tokens/${id}/disable`);
      expect([reply.status, reply.json]).toMatchObject([
        200,
        { state: "disabled", disabled_at: expect.any(String) },
      ]);
    }
    expect((await parleyHere(env, ["token", "list"])).out).toMatch(/ disabled /);
    expect(await run("enable")).toMatchObject({ state: "valid", disabled_at: null });
    expect(await run("disable")).toMatchObject({ state: "disabled" });
    expect(await state()).toBe("disabled");
    expect((await send("POST", `/tokens/${id}/enable`)).json).toMatchObject({ state: "valid" });
    expect((await send("POST", "/tokens/nobody/enable")).status).toBe(404);
  });

  test("over /admin and on the command line: it gets a new secret, which is shown once", async () => {
    const env = await settingsFor(kind);
    const { send, origin } = await startAdmin(env);
    const made = Object((await send("POST", "/tokens", { name: "alice" })).json);
    const statusOf = async (secret: string) => {
      const headers = { authorization: `Bearer ${secret}` };
      return (await postJson(`${origin}/usage`, undefined, { method: "GET", headers })).status;
    };
    const graced = await send("POST", `/tokens/${made.id}/rotate`, { grace: "24h" });
    const second = Object(graced.json).token;
    expect([graced.status, graced.json]).toEqual([
      200,
      { ...made, token: second, hint: second.slice(-4), grace_until: expect.any(String) },
    ]);
    expect([await statusOf(made.token), await statusOf(second)]).toEqual([200, 200]);
    expect((await send("GET", "/tokens")).text).not.toContain(second);
    const ran = await parleyHere(env, ["token", "rotate", made.id]);
    const third = /^parley-\w{38}$/m.exec(ran.out)?.[0] ?? "none";
    expect(await Promise.all([made.token, second, third].map(statusOf))).toEqual([401, 401, 200]);
    const atOnce = await send("POST", `/tokens/${made.id}/rotate`);
    expect([atOnce.status, await statusOf(third)]).toEqual([200, 401]);
  });

  test("on the command line: `none` takes a bound away, but a name may be none", async () => {
    const env = await settingsFor(kind);
    const options = ["--comment", "x", "--models", "a,b", "--tokens-per-day", "5"];
    const make = ["token", "create", "--json", "--name", "alice", ...options];
    const { id } = (await parleyHere(env, make)).json<{ id: string }>();
    const changes = ["--name", "none", "--comment", "none", "--models", "c", "--expires", "1d"];
    const ran = await parleyHere(env, [
      ...["token", "update", id, "--json", "--tokens-per-day", "none"],
      ...changes,
    ]);
    expect(ran.json()).toMatchObject({
      name: "none",
      comment: "",
      models: ["c"],
      tokens_per_day: null,
      expires_at: expect.any(String),
    });
  });
});

test("an upstream key comes from standard input, and only if it is asked for", async () => {
  const env = { ...(await installed()), SECRET_KEY: "k".repeat(32) };
  const make = ["token", "create", "--json", "--name", "alice"];
  const { id } = (await parleyHere(env, make)).json<{ id: string }>();
  const update = async (input: string, ...options: string[]) => {
    const withKey = { ...env, PARLEY_UPSTREAM_KEY: "sk-of-others" };
    const ran = await parleyHere(withKey, ["token", "update", id, "--json", ...options], input);
    expect(ran.out + ran.err).not.toContain("sk-");
    return ran.json();
  };
  expect(await update("", "--comment", "x")).toMatchObject({ own_upstream_key: false });
  expect(await update("sk-a\n", "--upstream-key", "-")).toMatchObject({ own_upstream_key: true });
  expect(await update("", "--upstream-key", "none")).toMatchObject({ own_upstream_key: false });
});

describe("a change that is wrong", () => {
  test.each(["0h", "soon", "2027-01-31", "-1h", 24, "12345h"])(
    "can't have a grace of %j",
    async (grace) => {
      const env = await settingsFor("sqlite");
      const { send } = await startAdmin(env);
      const { id, token } = Object((await send("POST", "/tokens", { name: "alice" })).json);
      const reply = await send("POST", `/tokens/${id}/rotate`, { grace });
      expect([reply.status, reply.json]).toMatchObject([
        400,
        { error: { code: "field_type", field: "grace" } },
      ]);
      const ran = await parleyHere(env, ["token", "rotate", id, `--grace=${grace}`]);
      expect([ran.code, ran.err]).toEqual([2, expect.stringContaining("option --grace")]);
      expect((await send("GET", `/tokens/${id}`)).json).toMatchObject({ hint: token.slice(-4) });
    },
  );

  test.each([
    [{ request_per_day: 1 }, 400, "field_unknown", "request_per_day"],
    [{ requests_per_day: 0 }, 400, "field_range", "requests_per_day"],
    [{ name: null }, 400, "field_missing", "name"],
    [{ expires: "2020-01-01" }, 400, "field_type", "expires"],
    [{ upstream_key: "sk-a" }, 409, "secret_key_missing", undefined],
    [[], 400, "body_not_object", undefined],
  ])("names its field: %j", async (body, status, code, field) => {
    const { send } = await startAdmin(await settingsFor("sqlite"));
    const { id } = Object((await send("POST", "/tokens", { name: "alice" })).json);
    const reply = await send("PATCH", `/tokens/${id}`, body);
    expect([reply.status, reply.json]).toMatchObject([status, { error: { code } }]);
    expect(Object(reply.json).error.field).toBe(field);
  });

  test("names its option, or that there is none", async () => {
    const env = await installed();
    const make = ["token", "create", "--json", "--name", "alice"];
    const { id } = (await parleyHere(env, make)).json<{ id: string }>();
    const wrong = await parleyHere(env, ["token", "update", id, "--hour-limit", "0"]);
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining("option --hour-limit")]);
    const empty = await parleyHere(env, ["token", "update", id]);
    expect([empty.code, empty.err]).toEqual([2, expect.stringContaining("Name an option")]);
  });

  test("of an unknown or a revoked token is refused in the caller's language", async () => {
    const { send } = await startAdmin(await settingsFor("sqlite"));
    const { id } = Object((await send("POST", "/tokens", { name: "alice" })).json);
    await send("DELETE", `/tokens/${id}`);
    const headers = { "accept-language": "ru" };
    const revoked = await send("PATCH", `/tokens/${id}`, { name: "x" }, headers);
    expect([revoked.status, revoked.json]).toMatchObject([
      409,
      { error: { code: "token_revoked", message: expect.stringMatching(/[а-я]/) } },
    ]);
    const unknown = await send("PATCH", "/tokens/nobody", { name: "x" });
    expect([unknown.status, unknown.json]).toMatchObject([
      404,
      { error: { code: "token_unknown" } },
    ]);
  });
});

describe("a name that a living token has", () => {
  test("is refused over /admin, with the field, the token and the caller's language", async () => {
    const { send } = await startAdmin(await settingsFor("sqlite"));
    const { id } = Object((await send("POST", "/tokens", { name: "alice" })).json);
    const bob = Object((await send("POST", "/tokens", { name: "bob" })).json);
    const headers = { "accept-language": "zh-TW" };
    for (const [method, path] of [
      ["POST", "/tokens"],
      ["PATCH", `/tokens/${bob.id}`],
    ] as const) {
      const reply = await send(method, path, { name: " alice " }, headers);
      expect([reply.status, reply.json]).toEqual([
        409,
        {
          error: {
            code: "token_name_taken",
            field: "name",
            id,
            message: `name 的值必須唯一：權杖 ${id} 已使用名稱 alice。請換一個名稱。`,
          },
        },
      ]);
    }
    await send("DELETE", `/tokens/${id}`);
    expect((await send("PATCH", `/tokens/${bob.id}`, { name: "alice" })).status).toBe(200);
  });

  test("is refused on the command line, with the option and the token", async () => {
    const env = await settingsFor("sqlite");
    const make = ["token", "create", "--json", "--name", "alice"];
    const { id } = (await parleyHere(env, make)).json<{ id: string }>();
    const again = await parleyHere(env, make);
    expect([again.code, again.out]).toEqual([1, ""]);
    expect(again.err).toContain(`The option --name must be unique: the token ${id} already`);
  });
});
