import { describe, expect, test } from "vitest";
import { postJson, rawExchange } from "../../support/http.ts";
import { OWN_KEY, startScene } from "../../support/scene.ts";

const get = (url: string, headers: Record<string, string> = {}, method = "GET") =>
  postJson(url, undefined, { method, headers });

describe.concurrent("/docs and /openapi.json", () => {
  test("the document is looked at again each time", async () => {
    const { parley } = await startScene();
    const url = `${parley.origin}/openapi.json`;
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
  });

  test("the document is sent compressed to who can read that", async () => {
    const { parley } = await startScene();
    const url = `${parley.origin}/openapi.json`;
    const zipped = await get(url, { "accept-encoding": "gzip" });
    expect(zipped.headers["content-encoding"]).toBe("gzip");
    expect(Number(zipped.headers["content-length"])).toBeLessThan(100_000);
    const plain = await get(url, { "accept-encoding": "gzip;q=0" });
    expect(plain.headers["content-encoding"]).toBeUndefined();
  });

  test.each([
    "/docs/../package.json",
    "/docs/..%2fpackage.json",
    "/docs/%2e%2e/%2e%2e/package.json",
    "/docs/package.json",
    "/docs/constructor",
    "/docs//etc/passwd",
    "/docs/assets/x",
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
    ["POST", "/docs/system", 404],
    ["POST", "/docs/chat", 404],
    ["POST", "/docs/clear", 404],
    ["DELETE", "/docs", 405],
    ["DELETE", "/openapi.json", 405],
  ])("is no chat to be talked to or deleted: %s %s", async (method, path, status) => {
    const { parley, upstream } = await startScene();
    const headers = { authorization: `Bearer ${OWN_KEY}` };
    const reply = await postJson(parley.origin + path, { content: "hi" }, { method, headers });
    expect(reply).toMatchObject({ status, json: { code: status } });
    expect(upstream.requests).toEqual([]);
  });

  test("answers other methods with 405", async () => {
    const { parley } = await startScene();
    for (const path of ["/docs", "/docs/", "/openapi.json"]) {
      const reply = await get(parley.origin + path, {}, "POST");
      expect(reply).toMatchObject({ status: 405 });
      expect(reply.headers.allow).toBe("GET");
    }
  });
});
