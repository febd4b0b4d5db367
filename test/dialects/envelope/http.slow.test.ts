import { request } from "node:http";
import { describe, expect, test } from "vitest";
import { ask, askInVain, failure } from "../../support/envelope.ts";
import { postJson, rawExchange } from "../../support/http.ts";
import { startScene } from "../../support/scene.ts";

const question = { user_content: "hi" };

describe.concurrent("paths", () => {
  test.each([
    ["", "/"],
    ["/", "/"],
    ["api", "/api"],
    ["/api/", "/api"],
    ["my/own/api", "/my/own/api"],
    ["v2", "/v2"],
  ])("ROUTE=%s is answered at %s, with or without a slash at its end", async (route, path) => {
    const { parley } = await startScene({ ROUTE: route });
    await ask(parley.origin + path, question);
    await ask(`${parley.origin}${path}?x=1`, question);
    if (path !== "/") await ask(`${parley.origin}${path}/`, question);
  });

  test.each(["/API", "/api2", "/ap", "/api/x", "/api//", "//api", "/api%2f", "/v2", "/.env"])(
    "with ROUTE=api there is nothing at %s",
    async (path) => {
      const { parley, upstream } = await startScene({ ROUTE: "api" });
      for (const method of ["POST", "GET", "PUT"]) {
        const refused = await askInVain(parley.origin + path, question, { method });
        expect(refused).toMatchObject({ code: 404, msg: "failed", data: { error: "not_found" } });
      }
      expect(upstream.requests).toHaveLength(0);
    },
  );

  test("an unknown path is answered in the language of the request", async () => {
    const { parley } = await startScene();
    const headers = { "accept-language": "zh-TW" };
    const refused = await askInVain(`${parley.origin}/nowhere`, question, { headers });
    expect(refused).toMatchObject({ code: 404, msg: "失敗" });
  });
});

describe.concurrent("methods", () => {
  test("GET on the route is forbidden, as it always was", async () => {
    const { url } = await startScene({ ROUTE: "api" });
    const refused = await askInVain(url, undefined, { method: "GET" });
    expect(refused).toMatchObject({ code: 403, data: { error: "route_forbidden" } });
  });

  test("GET / tells that the server is there, also where it is the route", async () => {
    for (const ROUTE of ["", "api"]) {
      const { parley } = await startScene({ ROUTE });
      const reply = await postJson(`${parley.origin}/`, undefined, { method: "GET" });
      expect(reply).toMatchObject({ status: 200, text: "Hello, World!" });
      expect(reply.headers["content-type"]).toMatch("text/html");
    }
  });

  test("HEAD has the headers of GET and no body", async () => {
    const { url } = await startScene({ ROUTE: "api" });
    const reply = await postJson(url, undefined, { method: "HEAD" });
    expect(reply).toMatchObject({ status: 403, text: "" });
    expect(reply.headers["x-request-id"]).toBeDefined();
  });

  test.each(["PUT", "PATCH", "DELETE", "PROPFIND"])(
    "%s is a 405 that says what there is",
    async (method) => {
      const { url, upstream } = await startScene();
      const refused = await askInVain(url, question, { method });
      expect(refused).toMatchObject({ code: 405, data: { error: "method_not_allowed" } });
      expect(refused.data.response).toContain("POST");
      expect(refused.reply.headers.allow).toBe("GET, POST");
      expect(upstream.requests).toHaveLength(0);
    },
  );

  test.each(["x-http-method-override", "x-method-override"])(
    "%s does not turn one method into another",
    async (name) => {
      const { url, upstream } = await startScene();
      const headers = { [name]: "POST" };
      expect((await askInVain(url, question, { method: "PUT", headers })).code).toBe(405);
      expect(upstream.requests).toHaveLength(0);
    },
  );

  test("a page of any site may ask whether it may call", async () => {
    const { url } = await startScene({ MINUTE_LIMIT: "1" });
    const headers = {
      origin: "https://example.com",
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type, authorization, api-key",
    };
    for (let count = 0; count < 3; count += 1) {
      const reply = await postJson(url, undefined, { method: "OPTIONS", headers });
      expect(reply).toMatchObject({ status: 204, text: "" });
      expect(reply.headers).toMatchObject({
        "access-control-allow-origin": "*",
        "access-control-allow-methods": "GET, POST, PUT, DELETE, OPTIONS",
        "access-control-allow-headers": "authorization, *",
        "access-control-max-age": "86400",
      });
      expect(reply.headers["access-control-allow-credentials"]).toBeUndefined();
      expect(reply.headers["content-type"]).toBeUndefined();
    }
    await ask(url, question, { headers: { origin: "null" } });
  });
});

describe.concurrent("headers of every answer", () => {
  const exposed = [
    "x-request-id",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "retry-after-ms",
    "x-should-retry",
    "content-language",
    "request-id",
    "x-parley-dropped",
    "x-parley-estimated",
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
    "x-parley-upstream",
  ];
  const requests: [string, string, string, unknown][] = [
    ["an answer", "POST", "", question],
    ["a stream", "POST", "", { ...question, stream: true }],
    ["a mistake", "POST", "", {}],
    ["a forbidden GET", "GET", "", undefined],
    ["a 405", "PUT", "", question],
    ["a 404", "GET", "nowhere", undefined],
    ["a preflight", "OPTIONS", "", undefined],
    ["health", "GET", "healthz", undefined],
    ["readiness", "GET", "readyz", undefined],
    ["whoami", "GET", "whoami", undefined],
    ["metrics", "GET", "metrics", undefined],
  ];
  test.each(requests)("%s can be traced, read by browsers and never cached", async (...args) => {
    const [, method, path, body] = args;
    const { url } = await startScene();
    const ids = new Set<unknown>();
    for (const id of [undefined, "mine\u00e9"]) {
      const headers = id === undefined ? {} : { "x-request-id": id };
      const reply = await postJson(url + path, body, { method, headers });
      expect(reply.headers["x-request-id"]).toMatch(/^req-\w{10}-[0-9a-z]+$/);
      ids.add(reply.headers["x-request-id"]);
      expect(reply.headers["access-control-allow-origin"]).toBe("*");
      expect(String(reply.headers["access-control-expose-headers"]).split(", ")).toEqual(exposed);
      expect(reply.headers["cache-control"]).toMatch(/no-store|no-cache/);
      expect(reply.headers["x-content-type-options"]).toBe("nosniff");
      expect(reply.headers["content-language"]).toBe("en");
      expect(reply.headers.vary).toMatch(/^(Accept, )?Accept-Language$/);
      expect(reply.headers["x-powered-by"] ?? reply.headers.server).toBeUndefined();
    }
    expect(ids.size).toBe(2);
  });

  test("nothing of the upstream's headers comes through", async () => {
    const { url } = await startScene();
    const { headers } = await postJson(url, question);
    expect(headers["x-request-id"]).not.toMatch(/^req_/);
    for (const name of Object.keys(headers)) expect(name).not.toMatch(/^(openai|x-ratelimit|set-)/);
  });
});

describe.concurrent("the body", () => {
  test("a Content-Length above MAX_BODY_BYTES is refused before a byte of it is read", async () => {
    const { parley, upstream } = await startScene({ MAX_BODY_BYTES: "2000" });
    const text = await rawExchange(
      parley.port,
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 2001\r\n\r\n`,
      { timeoutMs: 5_000, label: "413" },
    );
    expect(text).toMatch(/^HTTP\/1.1 413 /);
    expect(text).toContain('"error":"body_too_large"');
    expect(text).toContain("2000");
    expect(upstream.requests).toHaveLength(0);
  });

  test("a client that waits for 100 Continue is refused at once and not asked for the body", async () => {
    const { parley } = await startScene({ MAX_BODY_BYTES: "2000" });
    const head =
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue";
    const options = { timeoutMs: 5_000, label: "the answer to Expect" };
    const refused = await rawExchange(
      parley.port,
      `${head}\r\nContent-Length: 9999\r\n\r\n`,
      options,
    );
    expect(refused).toMatch(/^HTTP\/1.1 413 /);
    const asked = await rawExchange(parley.port, `${head}\r\nContent-Length: 21\r\n\r\n`, options);
    expect(asked).toBe("HTTP/1.1 100 Continue\r\n\r\n");
  });

  test("a chunked body is cut off at MAX_BODY_BYTES", async () => {
    const { url, upstream } = await startScene({ MAX_BODY_BYTES: "2000" });
    for (const size of [1_900, 2_001, 500_000]) {
      const padding = "x".repeat(size);
      const reply = await sendChunked(url, JSON.stringify({ ...question, padding }));
      expect(reply.status).toBe(size === 1_900 ? 200 : 413);
      if (size !== 1_900) expect(failure.parse(reply.json).data.error).toBe("body_too_large");
    }
    expect(upstream.requests).toHaveLength(1);
  });

  test("more bytes than announced are not part of the question", async () => {
    const { parley, upstream } = await startScene();
    const body = JSON.stringify(question);
    const head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json";
    const text = await rawExchange(
      parley.port,
      `${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}{"user_content":"more"}`,
      { timeoutMs: 5_000, label: "the answers" },
    );
    expect(text).toMatch(/^HTTP\/1.1 (200|400) /);
    expect(upstream.requests.length).toBeLessThanOrEqual(1);
    expect(text.match(/"error":"bad_request"/g)).toHaveLength(1);
  });

  test("exactly MAX_BODY_BYTES are taken, counted in bytes", async () => {
    const { url } = await startScene({ MAX_BODY_BYTES: "1024" });
    const build = (count: number) => JSON.stringify({ user_content: "я".repeat(count) });
    const room = (1_024 - build(0).length) / 2;
    await ask(url, build(Math.floor(room)));
    expect((await askInVain(url, build(Math.ceil(room) + 1))).code).toBe(413);
  });

  test.each([
    "application/json",
    "application/json; charset=utf-8",
    'Application/JSON;charset="UTF-8"',
    "application/json; version=1",
    "application/vnd.api+json",
    "application/json; charset=ISO-8859-1",
    "application/json; charset=us-ascii",
    "application/json;charset=gbk",
    "application/json; charset=utf-16",
    'application/json; charset="latin1"; version=1',
    "application/json;",
    "application/json; charset=",
  ])("the content type %s is taken", async (type) => {
    const { url } = await startScene();
    await ask(url, JSON.stringify(question), { headers: { "content-type": type } });
  });

  test.each([
    "",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonx",
    "text/json",
  ])("the content type '%s' is a 415", async (type) => {
    const { url, upstream } = await startScene();
    const headers = { "content-type": type };
    const refused = await askInVain(url, JSON.stringify(question), { headers });
    expect(refused).toMatchObject({ code: 415, data: { error: "content_type_unsupported" } });
    expect(refused.data.response).toContain("application/json");
    expect(upstream.requests).toHaveLength(0);
  });

  test("a compressed body is a 415", async () => {
    const { url } = await startScene();
    const headers = { "content-type": "application/json", "content-encoding": "gzip" };
    const refused = await askInVain(url, "{}", { headers });
    expect(refused).toMatchObject({ code: 415, data: { error: "content_encoding_unsupported" } });
    expect(refused.data.response).toContain("Content-Encoding");
  });

  test.each([
    ["latin1", Buffer.from('{"user_content":"é"}', "latin1"), "iso-8859-1"],
    [
      "Windows-1251",
      Buffer.concat([Buffer.from('{"user_content":"'), Buffer.of(0xef, 0xf0, 0x22, 0x7d)]),
      "windows-1251",
    ],
    ["UTF-16", Buffer.from('{"user_content":"e"}', "utf16le"), "utf-16"],
    ["UTF-16, big end first", Buffer.from('{"user_content":"e"}', "utf16le").swap16(), "utf-16be"],
    [
      "GBK",
      Buffer.concat([Buffer.from('{"user_content":"'), Buffer.of(0xc4, 0xe3, 0x22, 0x7d)]),
      "gbk",
    ],
  ])("bytes in %s are not UTF-8, whatever the header says", async (_name, bytes, charset) => {
    const { url } = await startScene();
    const headers = { "content-type": `application/json; charset=${charset}` };
    const refused = await askInVain(url, bytes, { headers });
    expect(refused).toMatchObject({ code: 400, data: { error: "body_not_utf8" } });
  });

  test("what is not JSON is shown by its place, never by its text", async () => {
    const { url } = await startScene();
    const body = '{\n  "user_content": "secret",\n  \u201cparent_id": 1}';
    const refused = await askInVain(url, body);
    expect(refused.data).toMatchObject({ error: "body_not_json", line: 3, column: 3 });
    expect(refused.data.response).toBe("The request body is not valid JSON: see line 3, column 3.");
    expect(JSON.stringify(refused)).not.toContain("parent_id");
  });

  const json = { "content-type": "application/json" };
  const deep = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
  const bodies: [string, string | Uint8Array, string][] = [
    ["nothing", "", "body_not_json"],
    ["half an object", '{"user_content":"hi"', "body_not_json"],
    ["single quotes", "{'user_content':'hi'}", "body_not_json"],
    ["a comment", '{/**/"user_content":"hi"}', "body_not_json"],
    ["a comma too many", '{"user_content":"hi",}', "body_not_json"],
    ["a bare line break in a text", '{"user_content":"a\nb"}', "body_not_json"],
    ["a number that is none", '{"user_content":"hi","max_tokens":NaN}', "body_not_json"],
    ["two byte order marks", '\ufeff\ufeff{"user_content":"hi"}', "body_not_json"],
    ["two values", '{"user_content":"a"}{"user_content":"b"}', "body_not_json"],
    ["a form", "user_content=hi", "body_not_json"],
    ["a list", "[]", "body_not_object"],
    ["null", "null", "body_not_object"],
    ["a text", '"hi"', "body_not_object"],
    ["a number", "1", "body_not_object"],
    ["a broken character", Uint8Array.of(0x22, 0xc3, 0x28, 0x22), "body_not_utf8"],
    ["a surrogate in UTF-8", Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22), "body_not_utf8"],
    ["an overlong slash", Uint8Array.of(0x22, 0xc0, 0xaf, 0x22), "body_not_utf8"],
    ["UTF-16", Buffer.from('\ufeff{"user_content":"hi"}', "utf16le"), "body_not_utf8"],
    ["65 levels", `{"a":${deep(64)}}`, "body_too_deep"],
    ["a hundred thousand levels", deep(100_000), "body_too_deep"],
    ["levels that never close", "[".repeat(900_000), "body_too_deep"],
    ["objects in objects", '{"a":'.repeat(70), "body_too_deep"],
  ];
  test.each(bodies)("%s is a 400", async (_name, body, error) => {
    const { url, upstream } = await startScene();
    const refused = await askInVain(url, body, { headers: json });
    expect(refused).toMatchObject({ code: 400, data: { error } });
    expect(upstream.requests).toHaveLength(0);
  });

  test("64 levels are taken, and brackets in texts are not levels", async () => {
    const { url } = await startScene();
    await ask(url, `{"user_content":"hi","extra":${deep(63)}}`);
    await ask(url, { user_content: `"${"[{".repeat(500)}` });
  });

  test("a number may be written in any way that JSON has", async () => {
    const { url, upstream } = await startScene();
    await ask(url, '{"user_content":"hi","max_tokens":1e2}');
    expect(upstream.requests[0]?.json).toMatchObject({ max_tokens: 100 });
  });

  test("a million entries are told apart from a deep nest", async () => {
    const { url } = await startScene({ MAX_BODY_BYTES: "10000000" });
    const refused = await askInVain(
      url,
      `{"user_content":"hi","continuous":[${"1,".repeat(999_999)}1]}`,
    );
    expect(refused.data).toMatchObject({ error: "field_too_many", field: "continuous" });
  });
});

describe.concurrent("what cannot be read as a request", () => {
  const cases: [string, string, number][] = [
    ["noise", "hello?\r\n\r\n", 400],
    [
      "two lengths",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      400,
    ],
    [
      "a length and chunks",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
    ],
    ["no Host", "GET /healthz HTTP/1.1\r\n\r\n", 400],
    ["a Host that is none", "GET /healthz HTTP/1.1\r\nHost: a b@c/\r\n\r\n", 400],
    ["a target that is none", "GET \\\\x HTTP/1.1\r\nHost: x\r\n\r\n", 400],
    ["headers without end", `GET / HTTP/1.1\r\nHost: x\r\nA: ${"a".repeat(20_000)}\r\n\r\n`, 431],
  ];
  test.each(cases)(
    "%s is answered with an envelope that can be traced",
    async (_name, bytes, code) => {
      const { parley } = await startScene({ LANG: "zh_CN" });
      const text = await rawExchange(parley.port, bytes, { timeoutMs: 5_000, label: "the answer" });
      expect(text).toMatch(new RegExp(`^HTTP/1.1 ${code} `));
      const [head = "", body = ""] = text.split("\r\n\r\n");
      expect(failure.parse(JSON.parse(body))).toMatchObject({
        code,
        msg: "失败",
        data: { error: "bad_request" },
      });
      expect(head).toMatch(/\r\nx-request-id: [0-9a-f-]{36}(\r\n|$)/i);
      await ask(parley.url, question);
    },
  );

  test("an old client of HTTP/1.0 needs no Host", async () => {
    const { parley } = await startScene();
    const text = await rawExchange(parley.port, "GET /healthz HTTP/1.0\r\n\r\n", {
      timeoutMs: 5_000,
      label: "the answer",
    });
    expect(text).toMatch(/^HTTP\/1.1 200 /);
  });
});

/** In chunks of 1,000 bytes. A server that has refused need not take the rest. */
function sendChunked(url: string, body: string): Promise<{ status: number; json: unknown }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method: "POST",
      agent: false,
      headers: { "content-type": "application/json", "transfer-encoding": "chunked" },
    });
    sent.once("error", reject);
    sent.once("response", async (response) => {
      sent.off("error", reject);
      sent.on("error", () => undefined);
      const text = (await response.setEncoding("utf8").toArray()).join("");
      resolve({ status: response.statusCode ?? 0, json: JSON.parse(text) });
    });
    for (let at = 0; at < body.length; at += 1_000) sent.write(body.slice(at, at + 1_000));
    sent.end();
  });
}

test("every question of a kept-alive connection is answered, also behind a refused one", async () => {
  const { parley } = await startScene();
  const build = (body: string) =>
    `POST ${new URL(parley.url).pathname} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const bytes = [build('{"user_content":"one"}'), build("{"), build('{"user_content":"two"}')];
  const text = await rawExchange(parley.port, bytes.join(""), {
    timeoutMs: 5_000,
    label: "three answers",
  });
  expect(text.match(/HTTP\/1.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 400", "HTTP/1.1 200"]);
  expect(text.indexOf("echo: one")).toBeLessThan(text.indexOf("echo: two"));
});
