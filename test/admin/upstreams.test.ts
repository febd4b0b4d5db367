/** Upstreams and routes over /admin and on the command line. */
import { describe, expect, onTestFinished, test } from "vitest";
import { createAdmin } from "../../src/admin/operations.ts";
import { createUpstreamPorts } from "../../src/admin/upstream-ports.ts";
import type { BreakerState } from "../../src/admin/upstream-views.ts";
import { systemClock } from "../../src/clock.ts";
import { readConfig } from "../../src/config/read.ts";
import { openStorage } from "../../src/storage/open.ts";
import { kinds } from "../storage/support/databases.ts";
import { refuse } from "../support/faults.ts";
import { startUpstream } from "../support/upstream.ts";
import { type Env, installed, parleyHere, settingsFor } from "./support.ts";
import { startAdmin } from "./support-http.ts";

const SECRET_KEY = "s".repeat(32);
const secrets = {
  keys: ["sk-azure-canary-1", "sk-azure-canary-2"],
  headers: { "X-Team": "header-canary" },
  proxy: "http://ann:proxy-canary@proxy.example:8080",
};
const azure = {
  url: "https://eu.example/openai/v1?api-version=2026-01-01",
  kind: "azure",
  models: ["gpt-4o-eu"],
  concurrency: 20,
  answer_seconds: 120,
};
const shown = {
  name: "azure-eu",
  ...azure,
  key_count: 2,
  header_names: ["x-team"],
  proxy: "http://proxy.example:8080",
  first_token_seconds: null,
};

describe.each(kinds)("upstreams on %s", (kind) => {
  test("over /admin: added, listed, changed and removed, without secrets in sight", async () => {
    const { send } = await startAdmin({ ...(await settingsFor(kind)), SECRET_KEY });
    const made = await send("POST", "/upstreams", { name: "azure-eu", ...azure, ...secrets });
    expect([made.status, made.json]).toMatchObject([201, { ...shown, state: "closed" }]);
    const listed = await send("GET", "/upstreams");
    expect(listed.json).toMatchObject({
      upstreams: [{ name: "default", kind: "openai", created_at: null }, shown],
      seals_secrets: true,
    });
    expect((await send("GET", "/upstreams/azure-eu")).json).toEqual(made.json);
    const changes = { concurrency: null, models: null, keys: ["sk-azure-canary-3"] };
    const changed = await send("PATCH", "/upstreams/azure-eu", changes);
    expect([changed.status, changed.json]).toMatchObject([
      200,
      { ...shown, concurrency: null, models: [], key_count: 1 },
    ]);
    const bare = await send("PATCH", "/upstreams/azure-eu", { headers: null, proxy: null });
    expect(bare.json).toMatchObject({ header_names: [], proxy: null, key_count: 1 });
    const removed = await send("DELETE", "/upstreams/azure-eu");
    expect(removed.json).toEqual({ name: "azure-eu", removed: true });
    expect((await send("GET", "/upstreams/azure-eu")).status).toBe(404);
    for (const { text } of [made, listed, changed, bare]) expect(text).not.toContain("canary");
  }, 20_000);

  test("on the command line: the same, with keys from standard input", async () => {
    const env = { ...(await settingsFor(kind)), SECRET_KEY };
    const run = (line: string, input = "") => parleyHere(env, line.split(" "), input);
    const { url, proxy } = { ...azure, ...secrets };
    const made = await run(
      `upstream add azure-eu --url ${url} --kind azure --key - --models gpt-4o-eu --proxy ${proxy} --header X-Team=header-canary --header X-B=b=c --concurrency 20 --answer-seconds 120 --json`,
      `${secrets.keys.join("\r\n")}\n\n`,
    );
    expect(made.err).toBe("");
    expect(made.json()).toMatchObject({ ...shown, header_names: ["x-team", "x-b"] });
    expect(made.json()).not.toHaveProperty("state");
    const listed = await run("upstream list");
    expect(listed.out).toMatch(/^NAME +KIND +URL +MODELS +KEY COUNT/);
    expect(listed.out).toMatch(/^default +openai +https:\/\/api\.openai\.com\/v1/m);
    expect(listed.out).toMatch(/^azure-eu +azure +https:\/\/eu\.example/m);
    const set = await run("upstream set azure-eu --proxy none --key none --models a,b --json");
    expect(set.json()).toMatchObject({ proxy: null, key_count: 0, models: ["a", "b"] });
    const header = await run("upstream set azure-eu --header none --url https://b.example --json");
    expect(header.json()).toMatchObject({ header_names: [], url: "https://b.example/v1" });
    expect((await run("upstream show azure-eu")).out).toMatch(/^kind +azure$/m);
    expect((await run("upstream remove azure-eu")).code).toBe(0);
    expect(await run("upstream remove azure-eu")).toMatchObject({
      code: 1,
      err: "parley: No upstream has this name. List the upstreams to find it.\n",
    });
    expect(made.out + listed.out + set.out).not.toContain("canary");
  }, 20_000);

  test("routes: set, listed, shown and removed, over /admin and on the command line", async () => {
    const env = { ...(await settingsFor(kind)), SECRET_KEY };
    const { send } = await startAdmin(env);
    await send("POST", "/upstreams", { name: "azure-eu", ...azure });
    const to = "default:gpt-4o@3, azure-eu:gpt-4o-eu; default:@cf/meta/x@2";
    const set = await send("PUT", "/routes/team/gpt-4o", { to });
    const route = {
      model: "team/gpt-4o",
      to,
      stages: [
        [
          { upstream: "default", model: "gpt-4o", weight: 3 },
          { upstream: "azure-eu", model: "gpt-4o-eu", weight: 1 },
        ],
        [{ upstream: "default", model: "@cf/meta/x", weight: 2 }],
      ],
    };
    expect([set.status, set.json]).toEqual([200, route]);
    expect((await send("GET", "/routes/team%2Fgpt-4o")).json).toEqual(route);
    const run = (...args: string[]) => parleyHere(env, ["route", ...args]);
    expect((await run("list", "--json")).json()).toEqual([route]);
    const shownHere = await run("show", "team/gpt-4o");
    expect(shownHere.out).toMatch(/^ *1 +azure-eu +gpt-4o-eu +1$/m);
    expect(shownHere.out).toMatch(/^ *2 +default +@cf\/meta\/x +2$/m);
    const fast = await run("set", "fast", "--to", "azure-eu:mini", "--json");
    expect(fast.json()).toMatchObject({ model: "fast", to: "azure-eu:mini" });
    expect(Object((await send("GET", "/routes")).json).routes).toHaveLength(2);
    const used = await send("DELETE", "/upstreams/azure-eu");
    expect([used.status, Object(used.json).error]).toMatchObject([
      409,
      { code: "upstream_in_use", message: expect.stringContaining("fast") },
    ]);
    expect((await send("DELETE", "/routes/fast")).json).toEqual({ model: "fast", removed: true });
    expect((await run("remove", "team/gpt-4o")).code).toBe(0);
    expect(await run("show", "fast")).toMatchObject({ code: 1 });
    expect((await send("DELETE", "/upstreams/azure-eu")).status).toBe(200);
  }, 20_000);
});

describe("what is wrong is named", () => {
  const url = "https://a.example/v1";
  test.each([
    [{ url }, "name", "field_missing"],
    [{ name: "Azure", url }, "name", "field_type"],
    [{ name: "x".repeat(65), url }, "name", "field_type"],
    [{ name: "a" }, "url", "field_missing"],
    [{ name: "a", url: "ftp://a.example" }, "url", "field_type"],
    [{ name: "a", url: "https://u:p@a.example/v1" }, "url", "field_type"],
    [{ name: "a", url: "https://a.example/v1?api_key=canary" }, "url", "field_type"],
    [{ name: "a", url: `${url}/${"x".repeat(2_000)}` }, "url", "field_too_long"],
    [{ name: "a", url, kind: "gemini" }, "kind", "field_choice"],
    [{ name: "a", url, keys: ["sk canary"] }, "keys", "field_type"],
    [{ name: "a", url, keys: [7] }, "keys", "field_type"],
    [{ name: "a", url, keys: "" }, "keys", "field_empty"],
    [
      { name: "a", url, keys: Array.from({ length: 65 }, (_, at) => `k${at}`) },
      "keys",
      "field_too_many",
    ],
    [{ name: "a", url, proxy: "ftp://canary" }, "proxy", "field_type"],
    [{ name: "a", url, headers: ["x: y"] }, "headers", "field_type"],
    [{ name: "a", url, headers: { Host: "b" } }, "headers.host", "field_type"],
    [{ name: "a", url, headers: { "Transfer-Encoding": "b" } }, "headers.transfer-encoding"],
    [{ name: "a", url, headers: { "Content-Length": "0" } }, "headers.content-length"],
    [{ name: "a", url, headers: { "x y": "b" } }, "headers.x y", "field_type"],
    [{ name: "a", url, headers: { x: "canary\r\ny: z" } }, "headers.x", "field_type"],
    [{ name: "a", url, headers: { x: 7 } }, "headers.x", "field_type"],
    [{ name: "a", url, headers: { X: "1", x: "2" } }, "headers.x", "field_repeated"],
    [{ name: "a", url, concurrency: 0 }, "concurrency", "field_range"],
    [{ name: "a", url, first_token_seconds: 3_601 }, "first_token_seconds", "field_range"],
    [{ name: "a", url, models: [""] }, "models", "field_empty"],
    [{ name: "a", url, weight: 1 }, "weight", "field_unknown"],
  ])("%j is refused at %s", async (given, field, code = "field_type") => {
    const { send } = await admin();
    const reply = await send("POST", "/upstreams", given);
    expect([reply.status, reply.json]).toMatchObject([400, { error: { code, field } }]);
    expect(reply.text).not.toContain("canary");
  });

  test.each([
    [{}, "field_missing"],
    [{ to: "gpt-4o" }, "field_type"],
    [{ to: "default:gpt-4o@0" }, "field_range"],
    [{ to: "nobody:gpt-4o" }, "field_unknown_upstream"],
    [{ to: "llama3:8b" }, "field_unknown_upstream"],
  ])("the route %j is refused as %s", async (given, code) => {
    const { send } = await admin();
    const reply = await send("PUT", "/routes/m", given);
    expect([reply.status, reply.json]).toMatchObject([400, { error: { code, field: "to" } }]);
  });

  test("default is that of the settings, and is not changed here", async () => {
    const { send } = await admin();
    const url = "https://a.example/v1";
    for (const reply of [
      await send("POST", "/upstreams", { name: "default", url }),
      await send("PATCH", "/upstreams/default", { url }),
      await send("DELETE", "/upstreams/default"),
    ]) {
      expect([reply.status, reply.json]).toMatchObject([
        409,
        { error: { code: "upstream_fixed" } },
      ]);
    }
    for (const path of ["/upstreams/nobody", "/routes/nobody"]) {
      expect((await send("GET", path)).status).toBe(404);
      expect((await send("DELETE", path)).status).toBe(404);
    }
    expect((await send("PATCH", "/upstreams/nobody", { url })).status).toBe(404);
    expect((await send("POST", "/upstreams/nobody/test")).status).toBe(404);
  });

  test("without SECRET_KEY nothing secret is stored, and all else is", async () => {
    const { send } = await startAdmin(await installed());
    const add = (more: object) => send("POST", "/upstreams", { name: "a", url, ...more });
    for (const secret of [{ keys: ["sk-1"] }, { headers: { x: "y" } }, { proxy: secrets.proxy }]) {
      const reply = await add(secret);
      expect([reply.status, reply.json]).toMatchObject([
        409,
        { error: { code: "secret_key_missing" } },
      ]);
    }
    expect((await send("GET", "/upstreams")).json).toMatchObject({ seals_secrets: false });
    expect((await add({})).status).toBe(201);
    expect((await send("PATCH", "/upstreams/a", { keys: ["sk-1"] })).status).toBe(409);
    expect((await add({})).json).toMatchObject({ error: { code: "upstream_name_taken" } });
  });

  test("on the command line, options are, and a key in the arguments is refused", async () => {
    const env = { ...(await installed()), SECRET_KEY };
    const run = (...args: string[]) => parleyHere(env, ["upstream", ...args], "\n");
    const add = (...args: string[]) => run("add", "a", "--url", url, ...args);
    const key = await add("--key", "sk-canary");
    expect([key.code, key.err]).toEqual([2, expect.stringContaining("--key takes only -")]);
    expect(key.err).not.toContain("canary");
    expect((await add("--key", "-")).err).toContain("The option --key must not be empty");
    expect((await add("--header", "x")).err).toContain("--header takes NAME=VALUE");
    expect((await add("--header", "host=b")).err).toContain("headers.host");
    expect((await add("--header", "x=1", "--header", "x=2")).err).toContain("headers.x");
    expect((await add("--answer-seconds", "0")).err).toContain("option --answer-seconds");
    expect((await run("add", "a")).err).toContain("option --url");
    expect((await run("set", "a")).err).toContain("Name an option to change");
    expect((await run("set", "a", "--url", "none")).err).toContain("option --url");
    const route = await parleyHere(env, ["route", "set", "m", "--to", "x"]);
    expect([route.code, route.err]).toEqual([2, expect.stringContaining("option --to must be")]);
  });
});

async function admin() {
  return startAdmin({ ...(await installed()), SECRET_KEY });
}

describe("a test of an upstream", () => {
  const start = async (env: Env = {}) => {
    const upstream = await startUpstream();
    onTestFinished(() => upstream.close());
    const settings = { ...(await installed()), SECRET_KEY, ...env };
    return { upstream, settings };
  };

  test("asks for its models with its key and headers, and tells what came", async () => {
    const { upstream, settings } = await start();
    const { send } = await startAdmin(settings);
    const { keys, headers } = secrets;
    await send("POST", "/upstreams", { name: "a", url: upstream.url, keys, headers });
    const { status, json, text } = await send("POST", "/upstreams/a/test");
    expect(status).toBe(200);
    expect(json).toEqual({
      name: "a",
      asked: "models",
      ok: true,
      status: 200,
      models: expect.any(Number),
      connect_ms: expect.any(Number),
      latency_ms: expect.any(Number),
      reason: null,
    });
    expect(text).not.toContain("canary");
    expect(upstream.requests).toMatchObject([
      { headers: { authorization: `Bearer ${keys[0]}`, "x-team": "header-canary" } },
    ]);
    const paid = await send("POST", "/upstreams/a/test", { paid: true });
    expect([paid.status, paid.json]).toMatchObject([
      400,
      { error: { code: "field_missing", field: "model" } },
    ]);
    const asked = await send("POST", "/upstreams/a/test", { paid: true, model: "gpt-4o-mini" });
    expect(asked.json).toMatchObject({ asked: "answer", ok: true });
    upstream.behave(refuse(401, { message: `no such key: ${keys[0]}` }));
    const refused = await send("POST", "/upstreams/a/test");
    expect(refused.json).toMatchObject({
      ok: false,
      status: 401,
      reason: "no such key: [removed]",
    });
  });

  test("on the command line also of the settings' own, with exit code 1 if it fails", async () => {
    const { upstream, settings } = await start({ API_KEY: "sk-settings" });
    const env = { ...settings, OPENAI_URL: upstream.url };
    const test = (...args: string[]) => parleyHere(env, ["upstream", "test", ...args]);
    const ran = await test("default");
    expect([ran.code, ran.err]).toEqual([0, ""]);
    expect(ran.out).toMatch(/^status +200$/m);
    expect(upstream.requests[0]?.headers.authorization).toBe("Bearer sk-settings");
    upstream.behave(refuse(503, { message: "out of order" }));
    const failed = await test("default", "--json");
    expect([failed.code, failed.json()]).toMatchObject([1, { ok: false, reason: "out of order" }]);
    await parleyHere(env, ["upstream", "add", "az", "--kind", "azure", "--url", upstream.url]);
    const listed = await parleyHere(env, ["upstream", "list"]);
    expect(listed.out).toMatch(/^az +azure +http:\S+ +- +0 +- +-$/m);
    const nothing = await test("az");
    expect([nothing.code, nothing.out]).toEqual([1, expect.stringContaining("Use --paid")]);
    const broken = await parleyHere({ ...env, OPENAI_URL: "x" }, ["upstream", "list"]);
    expect([broken.code, broken.err]).toEqual([78, expect.stringContaining("OPENAI_URL")]);
    expect((await parleyHere({ ...env, OPENAI_URL: "x" }, ["token", "list"])).code).toBe(0);
  });

  test("whose secrets no key opens says so, and all else goes on", async () => {
    const { upstream, settings } = await start();
    const add = ["upstream", "add", "a", "--url", upstream.url, "--key", "-"];
    await parleyHere(settings, add, "sk-1\n");
    const { send } = await startAdmin({ ...settings, SECRET_KEY: "n".repeat(32) });
    const reply = await send("POST", "/upstreams/a/test");
    expect([reply.status, reply.json]).toMatchObject([
      409,
      { error: { code: "upstream_unreadable" } },
    ]);
    expect((await send("GET", "/upstreams/a")).json).toMatchObject({ key_count: 1 });
    expect((await send("PATCH", "/upstreams/a", { keys: ["sk-2"] })).status).toBe(200);
    expect((await send("POST", "/upstreams/a/test")).json).toMatchObject({ ok: true });
  });
});

test("the URL of the settings is shown without what may be secret in it", async () => {
  const OPENAI_URL = "https://a.example/v1?api-version=1&api-key=canary";
  const env = { ...(await installed()), OPENAI_URL, OPENAI_PROXY: "http://u:canary@p.example:1" };
  const listed = await parleyHere(env, ["upstream", "list", "--json"]);
  expect(listed.json()).toMatchObject([
    { url: "https://a.example/v1?api-version=1&api-key=***", proxy: "http://p.example:1" },
  ]);
});

test("the states of breakers are shown where there are any", async () => {
  const { DATA_DIR } = await installed();
  const sqliteFile = `${DATA_DIR}/parley.sqlite`;
  const storage = await openStorage({ sqliteFile, clock: systemClock, oneOff: true });
  onTestFinished(() => storage.close());
  const read = readConfig({}, () => "");
  if ("problems" in read) throw new Error("the settings are the usual ones");
  const ports = createUpstreamPorts(() => read.config, systemClock);
  const breakers: Readonly<Record<string, BreakerState>> = {
    default: { state: "closed", retryAfterMs: 0 },
    a: { state: "open", retryAfterMs: 1_500 },
  };
  const none: BreakerState = { state: "probe", retryAfterMs: 0 };
  const stateOf = (name: string) => breakers[name] ?? none;
  const upstreams = { ...ports, stateOf };
  const admin = createAdmin({ ...storage, upstreams, canSeal: false });
  for (const name of ["a", "b"]) await admin.upstreams.add({ name, url: "https://a.example" });
  const listed = await admin.upstreams.list();
  expect(listed.upstreams).toMatchObject([
    { name: "default", state: "closed", retry_after_seconds: null },
    { name: "a", state: "open", retry_after_seconds: 2 },
    { name: "b", state: "probe", retry_after_seconds: null },
  ]);
});
