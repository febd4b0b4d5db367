/** Files and batches pass for callers with a key of their own. */
import { once } from "node:events";
import { createConnection } from "node:net";
import OpenAI, { toFile } from "openai";
import { describe, expect, test } from "vitest";
import { postJson, rawExchange } from "../../support/http.ts";
import { OWN_KEY } from "../../support/scene.ts";
import type { Behaviour } from "../../support/upstream.ts";
import { bearer, errorOf, startTokenScene, tell, WAIT_MS } from "./support.ts";

const FILE = { id: "file-1", object: "file", filename: "a.jsonl", purpose: "batch", bytes: 4 };
const BATCH = { id: "batch_1", object: "batch", status: "validating", errors: null };
const batch = { input_file_id: "file-1", endpoint: "/v1/responses", completion_window: "24h" };

const everything = [
  ["POST", "/v1/files"],
  ["GET", "/v1/files"],
  ["GET", "/v1/files/file-1"],
  ["DELETE", "/v1/files/file-1"],
  ["GET", "/v1/files/file-1/content"],
  ["POST", "/v1/batches"],
  ["GET", "/v1/batches"],
  ["GET", "/v1/batches/batch_1"],
  ["POST", "/v1/batches/batch_1/cancel"],
] as const;

async function start(env: Readonly<Record<string, string>> = {}) {
  const scene = await startTokenScene(env);
  const { origin } = scene.parley;
  const own = { authorization: `Bearer ${OWN_KEY}` };
  const send = (method: string, path: string, body?: unknown, headers = {}) =>
    postJson(origin + path, body, { method, headers: { ...own, ...headers } });
  const client = new OpenAI({ baseURL: `${origin}/v1`, apiKey: OWN_KEY, maxRetries: 0 });
  return { ...scene, send, client };
}

/** A form with one file, as curl would send it. */
function formOf(content: string | Buffer) {
  const head = '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n';
  return {
    body: Buffer.concat([Buffer.from(head), Buffer.from(content), Buffer.from("\r\n--x--\r\n")]),
    headers: { "content-type": "multipart/form-data; boundary=x" },
  };
}

const sendFile = (content: string | Buffer): Behaviour => ({
  name: "file",
  run: ({ response }) => {
    response.writeHead(200, { "content-type": "text/html" });
    response.end(content);
  },
});

test.each(everything)("%s %s tells a token that it needs an own key", async (method, path) => {
  const { send, upstream, token } = await start();
  for (const credential of [token, ""]) {
    const reply = await send(method, path, undefined, {
      ...bearer(credential),
      "accept-language": "en",
    });
    const expected = credential === "" ? [401, "invalid_api_key"] : [403, "own_key_needed"];
    expect([reply.status, errorOf(reply).code]).toEqual(expected);
  }
  expect(upstream.requests).toEqual([]);
});

describe("with an own key", () => {
  test("the official client uploads, and the form reaches the service as it is", async () => {
    const { client, upstream, rows } = await start();
    upstream.behave(tell(FILE));
    const file = await toFile(Buffer.from('{"a":"ü"}\n'), "a.jsonl");
    expect(await client.files.create({ file, purpose: "batch" })).toMatchObject(FILE);
    const [asked] = upstream.requests;
    expect([asked?.method, asked?.path]).toEqual(["POST", "/v1/files"]);
    expect(asked?.headers.authorization).toBe(`Bearer ${OWN_KEY}`);
    expect(asked?.headers["content-type"]).toMatch(/^multipart\/form-data; ?boundary=/);
    expect(asked?.bodyText).toContain('{"a":"ü"}\n');
    expect(rows()).toEqual([]);
  });

  test("the others pass, too", async () => {
    const { send, client, upstream } = await start();
    upstream.behave(tell(FILE));
    expect(await client.files.retrieve("file-1")).toMatchObject(FILE);
    expect((await send("DELETE", "/v1/files/file-1")).json).toEqual(FILE);
    upstream.behave(tell({ object: "list", data: [FILE], has_more: false }));
    const listed = await client.files.list({ purpose: "batch", limit: 2, after: "a&b" });
    expect(listed.data).toMatchObject([FILE]);
    upstream.behave(tell(BATCH));
    expect((await send("POST", "/v1/batches", batch)).json).toEqual(BATCH);
    expect((await send("GET", "/v1/batches/batch_1?include=x")).json).toEqual(BATCH);
    expect((await send("POST", "/v1/batches/batch_1/cancel")).json).toEqual(BATCH);
    expect(upstream.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "GET /v1/files/file-1",
      "DELETE /v1/files/file-1",
      expect.stringMatching(/^GET \/v1\/files\?/),
      "POST /v1/batches",
      "GET /v1/batches/batch_1",
      "POST /v1/batches/batch_1/cancel",
    ]);
    const query = new URLSearchParams(upstream.requests[2]?.path.split("?")[1]);
    expect(Object.fromEntries(query)).toEqual({ purpose: "batch", limit: "2", after: "a&b" });
    expect(upstream.requests[3]?.json).toEqual(batch);
  });

  test("a file passes byte for byte, of any size, and is no page", async () => {
    const { client, send, upstream } = await start({ MAX_ANSWER_BYTES: "2048" });
    const bytes = Buffer.alloc(3_000_000, "\xff\x00<html>", "latin1");
    upstream.behave(sendFile(bytes));
    const response = await client.files.content("file-1");
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
    expect(response.headers.get("content-type")).toBe("application/octet-stream");
    upstream.behave(sendFile(""));
    expect((await send("GET", "/v1/files/file-1/content")).text).toBe("");
  });

  test("an upload that is too large is refused, announced or not", async () => {
    const { send, upstream } = await start({ MAX_UPLOAD_BYTES: "2048" });
    upstream.behave(tell(FILE));
    const large = formOf(Buffer.alloc(100_000, "a"));
    for (const extra of [{}, { "content-length": [], "transfer-encoding": "chunked" }]) {
      const reply = await send("POST", "/v1/files", large.body, { ...large.headers, ...extra });
      expect([reply.status, errorOf(reply).code]).toEqual([413, "body_too_large"]);
      expect(errorOf(reply).message).toContain("2048");
    }
    expect(upstream.requests).toEqual([]);
    const small = formOf("a".repeat(1_000));
    const extra = { "content-length": [], "transfer-encoding": "chunked" };
    const reply = await send("POST", "/v1/files", small.body, { ...small.headers, ...extra });
    expect([reply.status, upstream.requests[0]?.bodyText]).toEqual([200, String(small.body)]);
  });

  test("a client that waits for its leave to send a large form gets it at once", async () => {
    const { parley } = await start({ MAX_BODY_BYTES: "1024", MAX_UPLOAD_BYTES: "2048" });
    const head = (length: number) =>
      `POST /v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${OWN_KEY}\r\nContent-Length: ${length}\r\n` +
      "Content-Type: multipart/form-data; boundary=x\r\nExpect: 100-continue\r\n\r\n";
    const options = { timeoutMs: WAIT_MS, label: "leave to send" };
    expect(await rawExchange(parley.port, head(2_000), options)).toMatch(/^HTTP\/1\.1 100 /);
    expect(await rawExchange(parley.port, head(2_049), options)).toMatch(/^HTTP\/1\.1 413 /);
  });

  test("what is no form is refused", async () => {
    const { send, upstream } = await start();
    const reply = await send("POST", "/v1/files", { file: "x" });
    expect([reply.status, errorOf(reply).code]).toEqual([415, "content_type_unsupported"]);
    expect(errorOf(reply).message).toContain("multipart/form-data");
    expect(upstream.requests).toEqual([]);
  });

  test("an upload is sent once, whatever happens", async () => {
    const { send, upstream } = await start({ RETRIES: "2" });
    let calls = 0;
    upstream.behave(() => {
      calls += 1;
      return { name: "reset", run: ({ cut }) => cut("reset") };
    });
    const { body, headers } = formOf("abc");
    const reply = await send("POST", "/v1/files", body, headers);
    expect([reply.status, calls]).toEqual([502, 1]);
  });

  test("the service's refusal keeps its status and its words", async () => {
    const { send, upstream } = await start();
    upstream.behave({
      name: "refuse",
      run: ({ response }) => {
        response.writeHead(409, { "content-type": "application/json" });
        response.end('{"error":{"message":"taken","type":"invalid_request_error"}}');
      },
    });
    const { body, headers } = formOf("abc");
    for (const reply of [
      await send("POST", "/v1/files", body, headers),
      await send("GET", "/v1/files/file-1/content"),
    ]) {
      expect([reply.status, Object(reply.json).error.message]).toEqual([409, "taken"]);
    }
  });

  test("a client that leaves in the middle of its upload ends the request upstream", async () => {
    const { parley, upstream, send } = await start();
    const socket = createConnection({ port: parley.port, host: "127.0.0.1" });
    await once(socket, "connect");
    socket.write(
      `POST /v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${OWN_KEY}\r\nContent-Length: 9999\r\n` +
        "Content-Type: multipart/form-data; boundary=x\r\n\r\nbeginning",
    );
    // the upstream tells of whole requests alone, so others ask until this one has begun
    while (upstream.open() === 0) await send("GET", "/v1/models");
    const whole = upstream.requests.length;
    socket.destroy();
    const ended = () => upstream.closedEarly.count === 1;
    await upstream.waitFor(ended, { label: "ended", timeoutMs: WAIT_MS });
    expect(JSON.parse(await parley.logged('"status":499'))).toMatchObject({
      route: "openai POST /v1/files",
    });
    expect(upstream.requests).toHaveLength(whole);
  });

  test.each(["%2e%2e", "a%2F..%2Fb"])("%s is no id", async (id) => {
    const { send, upstream } = await start();
    const reply = await send("GET", `/v1/files/${id}`);
    expect([reply.status, errorOf(reply).code]).toEqual([404, "not_found"]);
    expect(upstream.requests).toEqual([]);
  });
});
