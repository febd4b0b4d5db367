import { describe, expect, test } from "vitest";
import { postJson, rawExchange } from "../../support/http.ts";
import { OWN_KEY, startScene } from "../../support/scene.ts";

const get = (url: string, headers: Record<string, string> = {}, method = "GET") =>
  postJson(url, undefined, { method, headers });

const assets = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png", "start.js"];

describe.concurrent("/docs", () => {
  test.each(["/docs", "/docs/"])("is a page that may load from here alone: %s", async (path) => {
    const { parley } = await startScene();
    const page = await get(parley.origin + path);
    expect(page.status).toBe(200);
    expect(page.headers["content-type"]).toBe("text/html; charset=utf-8");
    const policy = page.headers["content-security-policy"];
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(page.text).not.toMatch(/<script>|https?:\/\//);
    const links = [...page.text.matchAll(/(?:href|src|data-document)="([^"]+)"/g)];
    for (const [, link = ""] of links) {
      const linked = await get(new URL(link, parley.origin + path).href);
      expect(linked.status, link).toBe(200);
    }
    expect(links.length).toBeGreaterThan(4);
  });

  test.each(assets)("has %s, which a cache may keep", async (name) => {
    const { parley } = await startScene();
    const url = `${parley.origin}/docs/${name}`;
    const asset = await get(url);
    expect(asset.status).toBe(200);
    expect(asset.headers["x-content-type-options"]).toBe("nosniff");
    const again = await get(url, { "if-none-match": String(asset.headers.etag) });
    expect(again).toMatchObject({ status: 304, text: "" });
    const head = await get(url, {}, "HEAD");
    expect(head).toMatchObject({ status: 200, text: "" });
    expect(head.headers.etag).toBe(asset.headers.etag);
  });

  test.each(["/docs", "/docs/", "/openapi.json"])(
    "is looked at again each time: %s",
    async (path) => {
      const { parley } = await startScene();
      const url = parley.origin + path;
      const { headers, text } = await get(url);
      expect(headers["cache-control"]).toBe("no-cache");
      const again = await get(url);
      expect([again.text, again.headers.etag]).toEqual([text, headers.etag]);
      const known = await get(url, { "if-none-match": String(headers.etag) });
      expect(known).toMatchObject({ status: 304, text: "" });
      const head = await get(url, {}, "HEAD");
      expect(head).toMatchObject({ status: 200, text: "" });
      expect(head.headers).toMatchObject({
        etag: headers.etag,
        "content-type": headers["content-type"],
      });
      expect(head.headers["content-security-policy"]).toBe(headers["content-security-policy"]);
    },
  );

  test("sends what can be compressed compressed to who can read that", async () => {
    const { parley } = await startScene();
    const url = `${parley.origin}/docs/swagger-ui-bundle.js`;
    const zipped = await get(url, { "accept-encoding": "gzip" });
    expect(zipped.headers["content-encoding"]).toBe("gzip");
    expect(Number(zipped.headers["content-length"])).toBeLessThan(700_000);
    const plain = await get(url, { "accept-encoding": "gzip;q=0" });
    expect(plain.headers["content-encoding"]).toBeUndefined();
  });

  test.each([
    "/docs/../package.json",
    "/docs/..%2fpackage.json",
    "/docs/%2e%2e/%2e%2e/package.json",
    "/docs/swagger-ui.js",
    "/docs/package.json",
    "/docs/constructor",
    "/docs//etc/passwd",
    "/docs/start.js/x",
    "/docs/system",
    "/docs/chat",
  ])("has nothing at %s", async (path) => {
    const { parley } = await startScene();
    const request = `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`;
    const answer = await rawExchange(parley.port, request, { timeoutMs: 5_000, label: path });
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    expect(answer).toContain('"error":"not_found"');
  });

  test.each([
    ["POST", "/docs/system"],
    ["POST", "/docs/chat"],
    ["POST", "/docs/clear"],
    ["DELETE", "/docs"],
    ["DELETE", "/openapi.json"],
  ])("is no chat to be talked to or deleted: %s %s", async (method, path) => {
    const { parley, upstream } = await startScene();
    const headers = { authorization: `Bearer ${OWN_KEY}` };
    const reply = await postJson(parley.origin + path, { content: "hi" }, { method, headers });
    expect(reply).toMatchObject({ status: 405, json: { code: 405 } });
    expect(upstream.requests).toEqual([]);
  });

  test("answers other methods with 405", async () => {
    const { parley } = await startScene();
    for (const path of ["/docs", "/docs/start.js", "/openapi.json"]) {
      const reply = await get(parley.origin + path, {}, "POST");
      expect(reply).toMatchObject({ status: 405 });
      expect(reply.headers.allow).toBe("GET");
    }
  });
});
