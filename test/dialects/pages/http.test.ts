/** What a browser is sent: the pages, and what they load. */
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { createBuiltPages } from "../../../src/dialects/pages/built.ts";
import { refuse } from "../../support/faults.ts";
import { postJson } from "../../support/http.ts";
import { OPERATOR_KEY, startScene } from "../../support/scene.ts";
import { built, html, open } from "./support.ts";

const { parley } = await startScene({ ROUTE: "api", MINUTE_LIMIT: "60" });
const { origin } = parley;
const pages = ["/", "/me", "/status", "/admin", "/docs"];
const linksOf = (text: string) =>
  [...text.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, link = ""]) => link);

describe.each(pages)("the page %s", (path) => {
  test("may load from its own origin alone, and has no script or style of its own", async () => {
    const page = await open(origin + path);
    expect(page.status).toBe(200);
    expect(page.headers["content-type"]).toBe("text/html; charset=utf-8");
    const policy = page.headers["content-security-policy"];
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).not.toMatch(/unsafe|https?:|\*|data:/);
    expect(page.headers["referrer-policy"]).toBe("no-referrer");
    expect(page.text).not.toMatch(/<style|style=|\son\w+=|https?:\/\//);
    expect(page.text.match(/<script(?! type="application\/json"| type="module" src)/)).toBeNull();
  });

  test("loads what is there, by addresses that work below any prefix", async () => {
    const links = linksOf((await open(origin + path)).text);
    expect(links.length).toBeGreaterThanOrEqual(4);
    for (const link of links) {
      expect(link).toMatch(/^assets\/[\w-]+\.\w+$/);
      const loaded = await open(new URL(link, origin + path).href, {});
      expect(loaded.status, link).toBe(200);
    }
  });

  test.each([
    ["zh-TW", "zh-TW"],
    ["ru", "ru"],
    ["fr", "en"],
  ])("is in the language that %s asks for", async (asked, tag) => {
    const page = await open(origin + path, { ...html, "accept-language": asked });
    expect(page.text).toContain(`<html lang="${tag}">`);
    expect(page.headers["content-language"]).toBe(tag);
    expect(page.headers.vary).toBe("Accept, Accept-Language");
  });

  test("holds no key", async () => {
    expect((await open(origin + path)).text).not.toContain(OPERATOR_KEY);
  });
});

test("programs get the greeting at / as ever", async () => {
  for (const headers of [{}, { accept: "*/*" }, { accept: "application/json" }]) {
    const reply = await open(`${origin}/`, headers);
    expect(reply).toMatchObject({ status: 200, text: "Hello, World!" });
    expect(reply.headers.vary).toBe("Accept, Accept-Language");
  }
});

test("settings can't end the element they are in", async () => {
  const MODEL = "</script><script>alert(1)</script>";
  const scene = await startScene({ MODEL });
  const { text } = await open(`${scene.parley.origin}/`);
  expect(text).not.toContain("<script>");
  const [, json = ""] = /id="data">(.*?)<\/script>/s.exec(text) ?? [];
  expect(JSON.parse(json)).toMatchObject({ model: MODEL, sharedKey: true, route: "./" });
});

test.each(["/me", "/admin", "/docs"])("%s/ leads to %s, below any prefix", async (path) => {
  const reply = await open(`${origin}${path}/`);
  expect([reply.status, reply.headers.location]).toEqual([308, `..${path}`]);
});

test("no page of another origin may read the operator's", async () => {
  const { headers } = await open(`${origin}/admin`, { ...html, origin: "https://example.org" });
  expect(headers["access-control-allow-origin"]).toBeUndefined();
  expect(headers["cache-control"]).toBe("no-store");
});

describe("an asset", () => {
  const [script = ""] = built.scripts.visitor;
  const url = `${origin}/assets/${script}`;

  test("is kept for ever under the name that has its digest", async () => {
    const asset = await open(url, {});
    expect(asset.headers).toMatchObject({
      "cache-control": expect.stringMatching(/max-age=31536000, immutable/),
      "content-type": "text/javascript; charset=utf-8",
      "x-content-type-options": "nosniff",
      vary: "Accept-Encoding",
    });
    expect(asset.text).toBe(String(Buffer.from(built.files[script]?.plain ?? "", "base64")));
  });

  test.each([
    ["gzip, deflate, br", "br"],
    ["gzip", "gzip"],
    ["br;q=0, gzip", "gzip"],
    ["identity", undefined],
  ])("is compressed as the client reads it: %s", async (accepted, coding) => {
    const asset = await open(url, { "accept-encoding": accepted });
    expect(asset.headers["content-encoding"]).toBe(coding);
  });

  test("says the same in every coding", () => {
    for (const { plain, gzip } of Object.values(built.files)) {
      expect(gunzipSync(Buffer.from(gzip, "base64")).toString("base64")).toBe(plain);
    }
  });

  test.each([built.texts.visitor.zh_CN, built.texts.operator.ru_RU, built.styles.visitor[0] ?? ""])(
    "serves the open pages of another version, too, but is not kept for them: %s",
    async (name) => {
      const old = name.replace(/-[0-9a-f]{8}\./, "-01234567.");
      expect(old).not.toBe(name);
      const asset = await open(`${origin}/assets/${old}`, {});
      expect([asset.status, asset.headers["cache-control"]]).toEqual([200, "no-store"]);
      expect(asset.text).toBe((await open(`${origin}/assets/${name}`, {})).text);
    },
  );

  const goneScript = script.replace(/-[^-]+\.js$/, "-01234567.js");
  test.each([
    "nothing-0a.js",
    "fr-01234567.json",
    "style.css",
    goneScript,
    "..%2fpages.json",
    "constructor.js",
  ])("has to be one of the built ones: %s", async (name) => {
    expect((await open(`${origin}/assets/${name}`, {})).status).toBe(404);
  });

  test("does not take the paths of a chat named assets", async () => {
    const chat = await postJson(`${origin}/assets/chat`, undefined, { method: "GET" });
    expect(chat.status).toBe(401);
  });
});

describe("GET /status", () => {
  test("is JSON for programs: the limits and whether a key is offered", async () => {
    for (const headers of [{}, { accept: "*/*" }, { accept: "application/json" }]) {
      const reply = await open(`${origin}/status`, headers);
      expect(reply.headers["content-type"]).toBe("application/json; charset=utf-8");
      expect(reply.headers["cache-control"]).toContain("max-age=10");
      expect(reply.headers.vary).toBe("Accept, Accept-Language");
      expect(reply.json).toMatchObject({
        state: "up",
        reasons: [],
        limits: [{ window: "minute", limit: 60 }],
        shared_key: true,
        upstreams: [{ name: null, state: "up" }],
        first_token_ms: null,
      });
    }
  });

  test("names no upstream and no address", async () => {
    const { text } = await open(`${origin}/status`, {});
    expect(text).not.toMatch(/127\.0\.0\.1|default|http/);
  });

  test("names upstreams where the operator allows that", async () => {
    const scene = await startScene({ STATUS_UPSTREAMS: "names" });
    const { json } = await open(`${scene.parley.origin}/status`, {});
    expect(json).toMatchObject({ upstreams: [{ name: "default", state: "up" }] });
  });

  test("counts what became of calls, and says when many fail", async () => {
    const scene = await startScene({ MINUTE_LIMIT: "12" });
    const ask = () => postJson(scene.url, { user_content: "hi", stream: true });
    for (let n = 0; n < 2; n += 1) await ask();
    scene.upstream.behave(refuse(500));
    for (let n = 0; n < 11; n += 1) await ask();
    const { json } = await open(`${scene.parley.origin}/status`, {});
    expect(json).toMatchObject({
      state: "degraded",
      reasons: ["failures"],
      first_token_ms: { median: expect.any(Number), p95: expect.any(Number) },
    });
    const sums = { answered: 0, failed: 0, refused: 0 };
    for (const hour of Object(json).last_24h) {
      for (const kind of ["answered", "failed", "refused"] as const) sums[kind] += hour[kind];
    }
    expect(sums).toEqual({ answered: 2, failed: 10, refused: 1 });
  });

  test("says that a server is down that takes no calls any more", async () => {
    const scene = await startScene({ SHARED_KEY: "token" });
    void scene.parley.parley.openCalls.drain();
    const { json } = await open(`${scene.parley.origin}/status`, {});
    expect(json).toMatchObject({ state: "down", reasons: ["draining"], shared_key: false });
  });
});

/** Compressed, all that a page loads at first. Kilobytes of 1,000 bytes. */
const BUDGETS = { "/": 60, "/me": 40, "/status": 40, "/admin": 90, "/docs": 40 } as const;

test.each(Object.entries(BUDGETS))("the page %s loads at most %d KB", async (path, budget) => {
  const { text } = await open(origin + path);
  const sizes = linksOf(text).map((link) => {
    const file = built.files[link.replace("assets/", "")];
    return Buffer.from(file?.brotli ?? "", "base64").length;
  });
  const bytes = sizes.reduce((sum, size) => sum + size, Buffer.byteLength(text));
  expect(bytes).toBeLessThan(budget * 1_000);
});

test("pages that were not built are looked for again each time", async () => {
  const read = createBuiltPages(new URL("file:///nowhere/pages.json"));
  expect([await read(), await read()]).toEqual([null, null]);
});
