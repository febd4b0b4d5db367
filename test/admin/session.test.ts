/** The operator signs in with a browser. */
import { describe, expect, onTestFinished, test } from "vitest";
import { kinds } from "../storage/support/databases.ts";
import { postJson } from "../support/http.ts";
import { createHeldClock, startParley } from "../support/parley.ts";
import { openBrowser, ours } from "./session-support.ts";
import { folder, settingsFor } from "./support.ts";
import { ADMIN_TOKEN, startAdmin } from "./support-http.ts";

const HOUR_MS = 3_600_000;

/** A server whose time stands still. */
async function startHeld(env: Readonly<Record<string, string>> = {}) {
  const clock = createHeldClock();
  const settings = { ADMIN_TOKEN, ...env };
  const parley = await startParley(settings, { clock });
  onTestFinished(() => parley.close());
  return { ...parley, clock };
}

describe.each(kinds)("a sign-in on %s", (kind) => {
  test("gives a cookie that opens /admin until the operator signs out", async () => {
    const { origin } = await startAdmin(await settingsFor(kind));
    const browser = openBrowser(origin);
    const nobody = { signed_in: false, expires_at: null, setup: false };
    expect((await browser.send("GET", "/session")).json).toEqual(nobody);
    expect((await browser.send("GET", "/tokens")).status).toBe(401);
    const { status, json, headers } = await browser.signIn(ADMIN_TOKEN);
    expect([status, headers["cache-control"]]).toEqual([200, "no-store"]);
    const { expires_at: expires, ...rest } = json as { expires_at: string };
    expect(rest).toEqual({ signed_in: true });
    const leftMs = Date.parse(expires) - Date.now();
    expect(leftMs).toBeGreaterThan(12 * HOUR_MS - 60_000);
    expect(leftMs).toBeLessThan(12 * HOUR_MS + 60_000);
    const known = { signed_in: true, expires_at: expires, setup: false };
    const state = await browser.send("GET", "/session");
    expect([state.json, state.headers["cache-control"]]).toEqual([known, "no-store"]);
    expect((await browser.send("GET", "/tokens")).status).toBe(200);
    expect((await browser.send("POST", "/tokens", { name: "ann" })).status).toBe(201);
    const left = await browser.send("DELETE", "/session");
    expect([left.status, left.json]).toEqual([200, { signed_in: false }]);
    expect(browser.cookies()).toBe("");
    expect((await browser.send("GET", "/tokens")).status).toBe(401);
  });

  test("holds on another copy and after a restart, and dies with a changed token", async () => {
    const env = await settingsFor(kind);
    const first = await startAdmin(env);
    const browser = openBrowser(first.origin);
    await browser.signIn(ADMIN_TOKEN);
    const headers = { cookie: browser.cookies() };
    const statusAt = async (origin: string) =>
      (await postJson(`${origin}/admin/tokens`, undefined, { method: "GET", headers })).status;
    const second = await startAdmin(env);
    expect(await statusAt(second.origin)).toBe(200);
    const changed = await startAdmin({ ...env, ADMIN_TOKEN: "another-token-0123456789" });
    expect(await statusAt(changed.origin)).toBe(401);
    const elsewhere = await startAdmin({ DATA_DIR: folder() });
    expect(await statusAt(elsewhere.origin)).toBe(401);
  });
});

describe("the cookie", () => {
  test("is the page's alone, and secure over https", async () => {
    const { origin } = await startHeld();
    const set = async (headers: Record<string, string>) => {
      const { headers: answered } = await openBrowser(origin).signIn(ADMIN_TOKEN, headers);
      return String(answered["set-cookie"]);
    };
    const flags = "; Max-Age=43200; Path=/; HttpOnly; SameSite=Strict";
    const name = /^parley_operator_[0-9a-f]{12}=\d+\.[\w-]{43}/;
    const plain = await set({});
    expect(plain).toMatch(name);
    expect(plain.replace(name, "")).toBe(flags);
    for (const headers of [{ "x-forwarded-proto": "https" }, { origin: "https://a.example" }]) {
      expect((await set(headers)).replace(name, "")).toBe(`${flags}; Secure`);
    }
    expect(plain).not.toContain(ADMIN_TOKEN);
  });

  test("has another name in another installation, and one beside ours does no harm", async () => {
    const [one, other] = [await startHeld(), await startHeld({ DATA_DIR: folder() })];
    const [mine, theirs] = [openBrowser(one.origin), openBrowser(other.origin)];
    await mine.signIn(ADMIN_TOKEN);
    await theirs.signIn(ADMIN_TOKEN);
    expect(mine.cookies().split("=")[0]).not.toBe(theirs.cookies().split("=")[0]);
    const name = mine.cookies().split("=")[0];
    for (const cookie of [
      `${theirs.cookies()}; ${mine.cookies()}`,
      `${name}=old.value; ${mine.cookies()}; a=b`,
    ]) {
      const options = { headers: { cookie } };
      expect(
        (await openBrowser(one.origin).send("GET", "/tokens", undefined, options)).status,
      ).toBe(200);
    }
  });

  test("ends after twelve hours", async () => {
    const { origin, clock } = await startHeld();
    const browser = openBrowser(origin);
    await browser.signIn(ADMIN_TOKEN);
    clock.forward(12 * HOUR_MS - 1);
    expect((await browser.send("GET", "/tokens")).status).toBe(200);
    clock.forward(1);
    expect((await browser.send("GET", "/tokens")).status).toBe(401);
    expect((await browser.send("GET", "/session")).json).toMatchObject({ signed_in: false });
  });

  test("that was changed in any place opens nothing", async () => {
    const { origin } = await startHeld();
    const browser = openBrowser(origin);
    await browser.signIn(ADMIN_TOKEN);
    const [name = "", value = ""] = browser.cookies().split("=");
    const [expires = "", mark = ""] = value.split(".");
    const changed = [
      `${Number(expires) + 1}.${mark}`,
      `${expires}.${mark.slice(1)}A`,
      `${expires}.${"A".repeat(43)}`,
      `${expires}.`,
      `${expires}`,
      `0${expires}.${mark}`,
      "",
    ];
    for (const one of changed) {
      const options = { headers: { cookie: `${name}=${one}` } };
      const reply = await openBrowser(origin).send("GET", "/tokens", undefined, options);
      expect(reply.status, one).toBe(401);
    }
  });
});

describe("a request with the cookie", () => {
  const start = async () => {
    const { origin } = await startHeld();
    const browser = openBrowser(origin);
    await browser.signIn(ADMIN_TOKEN);
    const { cookie, host } = { cookie: browser.cookies(), host: new URL(origin).host };
    const send = (method: string, path: string, headers: Record<string, string>) =>
      postJson(`${origin}/admin${path}`, method === "GET" ? undefined : { name: "x" }, {
        method,
        headers: { cookie, ...headers },
      });
    return { origin, host, send };
  };

  test.each([
    ["of the same origin", { "sec-fetch-site": "same-origin" }, 200, 201],
    ["of another port", { "sec-fetch-site": "same-site" }, 403, 403],
    ["of another site", { "sec-fetch-site": "cross-site" }, 403, 403],
    ["of the address bar", { "sec-fetch-site": "none" }, 200, 403],
    ["that names no page", {}, 200, 403],
    ["of an old browser", { origin: "http://HOST" }, 200, 201],
    ["of an old browser, elsewhere", { origin: "http://evil.example" }, 200, 403],
    ["of another scheme", { origin: "https://HOST" }, 200, 403],
    ["over https", { origin: "https://HOST", "x-forwarded-proto": "https" }, 200, 201],
    [
      "through a proxy that changes Host",
      {
        origin: "https://api.example",
        "x-forwarded-proto": "https, http",
        "x-forwarded-host": "api.example, inner",
      },
      ...([200, 201] as const),
    ],
    ["without an origin", { origin: "null" }, 200, 403],
    ["that lies", { "sec-fetch-site": "cross-site", origin: "http://HOST" }, 403, 403],
  ])("%s", async (_what, given, reads, writes) => {
    const { send, host } = await start();
    const headers = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [name, value.replace("HOST", host)]),
    );
    expect((await send("GET", "/tokens", headers)).status).toBe(reads);
    const written = await send("POST", "/tokens", headers);
    expect(written.status).toBe(writes);
    if (writes === 403) {
      expect(written.json).toMatchObject({ error: { code: "admin_origin_forbidden" } });
    }
    const signedIn = await send("GET", "/session", headers);
    expect([signedIn.status, signedIn.json]).toMatchObject([200, { signed_in: true }]);
    const left = await send("DELETE", "/session", headers);
    expect(left.status).toBe(writes === 403 ? 403 : 200);
  });

  test("may send a token instead, whatever page it comes from", async () => {
    const { send } = await start();
    const foreign = { "sec-fetch-site": "cross-site", authorization: `Bearer ${ADMIN_TOKEN}` };
    expect((await send("POST", "/tokens", foreign)).status).toBe(201);
    const wrong = { ...ours, authorization: "Bearer wrong" };
    expect((await send("GET", "/tokens", wrong)).status).toBe(401);
  });

  test("is not opened by CORS, whatever it asks", async () => {
    const { origin, send } = await start();
    const asked = { origin: "https://evil.example", "access-control-request-method": "POST" };
    for (const path of ["", "/session", "/setup", "/tokens"]) {
      for (const method of ["OPTIONS", "GET", "POST", "DELETE"]) {
        const { headers } = await send(method, path, asked);
        const names = Object.keys(headers).filter((name) => name.startsWith("access-control"));
        expect(names, `${method} ${path}`).toEqual([]);
      }
    }
    const { headers } = await postJson(`${origin}/whoami`, undefined, { method: "GET" });
    expect(headers["access-control-allow-origin"]).toBe("*");
  });

  test("does nothing outside of /admin", async () => {
    const { origin } = await startHeld();
    const browser = openBrowser(origin);
    await browser.signIn(ADMIN_TOKEN);
    const headers = { cookie: browser.cookies(), ...ours };
    const { status } = await postJson(`${origin}/system`, { content: "x" }, { headers });
    expect(status).toBe(401);
  });
});

describe("a sign-in", () => {
  test.each([
    [{ token: "wrong" }, 401, "admin_token_needed", undefined],
    [{}, 400, "field_missing", "token"],
    [{ token: "" }, 400, "field_empty", "token"],
    [{ token: 5 }, 400, "field_type", "token"],
    [{ token: "x".repeat(1_001) }, 400, "field_too_long", "token"],
    [{ token: "x", more: 1 }, 400, "field_unknown", "more"],
    ["x".repeat(9_000), 413, "body_too_large", undefined],
  ])("with %j is refused", async (body, status, code, field) => {
    const { origin } = await startHeld();
    const reply = await openBrowser(origin).send("POST", "/session", body, {
      headers: { "content-type": "application/json" },
    });
    expect([reply.status, reply.headers["set-cookie"]]).toEqual([status, undefined]);
    expect(reply.json).toMatchObject({ error: { code, ...(field && { field }) } });
  });

  test("by another page, or by a form, is refused", async () => {
    const { origin } = await startHeld();
    const by = async (headers: Record<string, string>, body: unknown = { token: ADMIN_TOKEN }) =>
      (await postJson(`${origin}/admin/session`, body, { headers })).status;
    expect(await by({ "sec-fetch-site": "cross-site" })).toBe(403);
    expect(await by({ "sec-fetch-site": "same-site" })).toBe(403);
    expect(await by({ origin: "https://evil.example" })).toBe(403);
    const form = { ...ours, "content-type": "application/x-www-form-urlencoded" };
    expect(await by(form, `token=${ADMIN_TOKEN}`)).toBe(415);
    expect(await by({ ...ours, "content-type": "text/plain" }, "{}")).toBe(415);
    // a program names no page
    expect(await by({})).toBe(200);
  });

  test("is braked like the token in a header, and a session is not", async () => {
    const { origin } = await startHeld();
    const browser = openBrowser(origin);
    await browser.signIn(ADMIN_TOKEN);
    const other = openBrowser(origin);
    const statuses: number[] = [];
    for (let time = 0; time < 6; time += 1) statuses.push((await other.signIn("wrong")).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    const refused = await other.signIn(ADMIN_TOKEN);
    expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "60"]);
    const bearer = { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } };
    expect((await other.send("GET", "/tokens", undefined, bearer)).status).toBe(429);
    expect((await browser.send("POST", "/tokens", { name: "x" })).status).toBe(201);
  });

  test("leaves no token and no cookie in the log", async () => {
    const { origin, log, logged } = await startHeld({ LOG_LEVEL: "debug" });
    const browser = openBrowser(origin);
    await browser.signIn("a-wrong-token-0123456789");
    await browser.signIn(ADMIN_TOKEN);
    await browser.send("GET", "/tokens");
    await logged('"admin GET /admin/tokens"');
    const text = log.join("");
    for (const secret of ["a-wrong-token", ADMIN_TOKEN, browser.cookies().split("=")[1] ?? "?"]) {
      expect(text).not.toContain(secret);
    }
  });
});
