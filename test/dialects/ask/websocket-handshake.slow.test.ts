import { once } from "node:events";
import { createConnection } from "node:net";
import { describe, expect, test } from "vitest";
import { silent } from "../../support/faults.ts";
import { postJson, rawExchange } from "../../support/http.ts";
import { until } from "../../support/process.ts";
import { startScene } from "../../support/scene.ts";
import { answer } from "../../support/upstream.ts";
import { connect, connectInVain, readText } from "../../support/websocket.ts";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const HANDSHAKE = [
  "Host: x",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  `Sec-WebSocket-Key: ${KEY}`,
];

/** A handshake on the wire, with these lines in place of those of the same name. */
function handshake(path: string, ...lines: readonly string[]): string {
  const names = new Set(lines.map((line) => line.split(":")[0]));
  const kept = HANDSHAKE.filter((line) => !names.has(line.split(":")[0] ?? ""));
  const sent = lines.filter((line) => !line.endsWith(":"));
  return `GET ${path} HTTP/1.1\r\n${[...kept, ...sent].join("\r\n")}\r\n\r\n`;
}

/** Waits for the end of the connection, or long enough for all of an answer to have come. */
async function exchange(port: number, bytes: string, idleMs = 4_000) {
  const text = await rawExchange(port, bytes, { timeoutMs: 9_000, label: "raw", idleMs });
  const [head = "", body = ""] = text.split("\r\n\r\n");
  const json: unknown = body === "" ? undefined : JSON.parse(body);
  return { status: Number(head.split(" ")[1]), head: head.toLowerCase(), json };
}

/** A place is free again soon after its connection is gone. */
const canConnect = (url: string) =>
  until(
    () =>
      connect(url).then(
        () => true,
        () => false,
      ),
    { label: "a place", timeoutMs: 5_000 },
  );

describe.concurrent("origins", () => {
  const origins: [string | null, string, boolean][] = [
    [null, "", true],
    ["http://HOST", "", true],
    ["https://HOST:8443", "", true],
    ["https://evil.example", "", false],
    ["http://HOST.evil.example", "", false],
    ["null", "", false],
    ["null", "*", true],
    ["https://evil.example", "*", true],
    ["https://chat.example.org", "https://chat.example.org", true],
    ["https://Chat.Example.org", "https://other.example, https://chat.example.org/", true],
    ["https://chat.example.org:444", "https://chat.example.org", false],
    ["https://chat.example.org", "https://chat.example.org:443", true],
    ["https://xn--mnchen-3ya.example", "https://München.example", true],
    ["app://Obsidian.md", "app://obsidian.md/", true],
    ["app://obsidian.md", "capacitor://localhost", false],
    ["http://chat.example.org", "https://chat.example.org", false],
    ["null", "https://chat.example.org, https://null.example", false],
    ["not a url", "", false],
    ["file://", "", false],
    ["", "", false],
  ];

  test.each(origins)("%j with WS_ORIGINS=%j: %j", async (origin, listed, allowed) => {
    const { parley } = await startScene({ WS_ORIGINS: listed });
    const spelled = origin?.replace("HOST", "127.0.0.1");
    const headers = spelled === undefined ? {} : { origin: spelled };
    if (allowed) {
      await connect(`${parley.origin}/ask`, { headers });
      return;
    }
    const refused = await connectInVain(`${parley.origin}/ask`, { headers });
    expect(refused.status).toBe(403);
    expect(refused.json).toEqual({
      response: expect.stringMatching(/origin/),
      detail: "origin_forbidden",
    });
  });

  test("hosts are compared as names and as IPv6 addresses", async () => {
    const { parley } = await startScene();
    const ask = (host: string, origin: string) =>
      exchange(parley.port, handshake("/ask", `Host: ${host}`, `Origin: ${origin}`), 300);
    expect((await ask("Chat.Example.org:5000", "https://chat.example.org")).status).toBe(101);
    expect((await ask("[::1]:5000", "http://[::1]")).status).toBe(101);
    expect((await ask("[::1]:5000", "http://[::2]")).status).toBe(403);
    expect((await ask("a@b", "http://a")).status).toBe(403);
  });
});

describe.concurrent("a handshake", () => {
  test.each([
    ["another version", "Sec-WebSocket-Version: 8", 426, "upgrade_needed"],
    ["a later version", "Sec-WebSocket-Version: 14", 426, "upgrade_needed"],
    ["no version", "Sec-WebSocket-Version:", 426, "upgrade_needed"],
    ["no key", "Sec-WebSocket-Key:", 400, "bad_request"],
    ["a short key", "Sec-WebSocket-Key: abc", 400, "bad_request"],
    ["subprotocols out of form", "Sec-WebSocket-Protocol: a,,b", 400, "bad_request"],
    ["a body", "Content-Length: 5", 426, "upgrade_needed"],
    ["a body in chunks", "Transfer-Encoding: chunked", 426, "upgrade_needed"],
  ])("with %s is refused in words and the socket closed", async (_what, line, status, detail) => {
    const { parley } = await startScene();
    const body = line.startsWith("Content-Length") ? "hello" : "";
    const end = line.startsWith("Transfer") ? "0\r\n\r\n" : "";
    const reply = await exchange(
      parley.port,
      handshake("/ask", line, "Accept-Language: zh-CN") + body + end,
    );
    expect(reply.status).toBe(status);
    expect(reply.json).toEqual({
      response: expect.stringMatching(/\p{Script=Han}/u),
      detail,
    });
    expect(reply.head).toMatch(/\r\nx-request-id: \S{8,}/);
    expect(reply.head).toContain("\r\nconnection: close");
    expect(reply.head).toContain("\r\ncontent-language: zh-cn");
    if (/Version/.test(line)) expect(reply.head).toContain("\r\nsec-websocket-version: 13");
    const logged = await parley.logged(`"status":${status}`);
    expect(logged).toContain('"route":"ask GET /ask"');
  });

  test("that offers compression gets none", async () => {
    const { parley } = await startScene();
    const offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits";
    const { status, head } = await exchange(parley.port, handshake("/ask", offer), 500);
    expect(status).toBe(101);
    expect(head).not.toContain("extensions");
  });

  test("on another path is a request for what is not there", async () => {
    const { parley } = await startScene();
    for (const path of ["/nowhere", "/ask/", "/asks", "/askew?x"]) {
      const reply = await exchange(parley.port, handshake(path));
      expect(reply.status, path).toBe(404);
      expect(reply.json).toMatchObject({ data: { error: "not_found" } });
      expect(reply.head).toContain("connection: close");
    }
    expect((await exchange(parley.port, handshake("/healthz"))).status).toBe(200);
  });

  test("behind an unfinished request on its connection stays a request", async () => {
    const go = Promise.withResolvers<void>();
    const { parley, upstream } = await startScene();
    upstream.behave({
      name: "held",
      run: async (exchange) => {
        await go.promise;
        await answer.run(exchange);
      },
    });
    const body = JSON.stringify({ prompt: "hi" });
    const head = `POST /ask/new HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`;
    const request = `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
    const answers = rawExchange(parley.port, request + request + handshake("/ask"), {
      timeoutMs: 9_000,
      label: "three answers",
      idleMs: 4_000,
    });
    await upstream.waitFor(() => upstream.open() === 2, { label: "asked", timeoutMs: 5_000 });
    go.resolve();
    const statuses = [...(await answers).matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, code]) => code);
    expect(statuses).toEqual(["200", "200", "426"]);
    expect(parley.parley.openCalls.count).toBe(0);
  });

  test("after a finished request on its connection is one", async () => {
    const { parley } = await startScene();
    const socket = createConnection({ port: parley.port, host: "127.0.0.1" });
    socket.write("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(socket, "data");
    socket.write(handshake("/ask"));
    const [reply] = await once(socket, "data");
    expect(String(reply)).toMatch(/^HTTP\/1.1 101 /);
    socket.destroy();
  });

  test("with frames right behind it loses none", async () => {
    const { parley } = await startScene();
    const frame = maskedText("<|ask|>$new$new$quick");
    const bytes = Buffer.concat([Buffer.from(handshake("/ask")), frame]);
    const options = { timeoutMs: 9_000, label: "raw", idleMs: 2_000 };
    const text = await rawExchange(parley.port, bytes, options);
    expect(text).toContain("<|end|>$");
  });

  test("of a client that is gone before it is over leaves nothing", async () => {
    const { parley } = await startScene({ WS_CONNECTIONS: "1" });
    for (let count = 0; count < 20; count += 1) {
      const socket = createConnection({ port: parley.port, host: "127.0.0.1" });
      await once(socket, "connect");
      socket.write(handshake("/ask"));
      if (count % 2 === 0) socket.resetAndDestroy();
      else socket.destroy();
      await once(socket, "close");
    }
    await canConnect(`${parley.origin}/ask`);
  });
});

describe.concurrent("connections", () => {
  test("of one address are limited, on both ports together, and come back", async () => {
    const { parley } = await startScene({ WS_CONNECTIONS: "2", WS_PORT: "9001" });
    const url = `${parley.origin}/ask`;
    const oldUrl = `http://127.0.0.1:${parley.ports.websocket}/`;
    const first = await connect(url);
    await connect(oldUrl);
    for (const one of [url, oldUrl]) {
      const refused = await connectInVain(one, { headers: { "accept-language": "ru" } });
      expect(refused.status).toBe(429);
      expect(refused.json).toEqual({
        response: expect.stringMatching(/\p{Script=Cyrillic}.*2/u),
        detail: "connections_limited",
        limit: 2,
      });
      expect(refused.headers["retry-after"]).toBe("1");
    }
    await connect(url, { localAddress: "127.0.0.2" });
    await first.close();
    await canConnect(url);
  });

  test("are told apart behind a proxy that is trusted, and noticed behind one that is not", async () => {
    const forwarded = (address: string) => ({ headers: { "x-forwarded-for": address } });
    const trusting = await startScene({ WS_CONNECTIONS: "1", TRUSTED_PROXIES: "loopback" });
    const url = `${trusting.parley.origin}/ask`;
    await connect(url, forwarded("192.0.2.1"));
    await connect(url, forwarded("192.0.2.2"));
    expect((await connectInVain(url, forwarded("192.0.2.1"))).status).toBe(429);

    const { parley } = await startScene({ WS_CONNECTIONS: "0" });
    for (let count = 0; count < 20; count += 1) {
      await connect(`${parley.origin}/ask`, forwarded(`192.0.2.${count}`));
    }
    expect(await parley.logged("shared_peer")).toContain("127.0.0.1");
  });

  test("are refused while Parley is about to stop, and idle ones closed at once", async () => {
    const { parley } = await startScene();
    const idle = await connect(`${parley.origin}/ask`);
    void parley.parley.openCalls.drain();
    parley.parley.drain();
    expect(await idle.closed()).toMatchObject({ code: 1012 });
    const refused = await connectInVain(`${parley.origin}/ask`);
    expect(refused.status).toBe(503);
    expect(refused.json).toMatchObject({ detail: "draining" });
    expect(refused.headers["retry-after"]).toBe("5");
  });

  test("with a question end after its answer, and take no other while Parley stops", async () => {
    const { parley, upstream } = await startScene({}, { behaviour: silent });
    const client = await connect(`${parley.origin}/ask`);
    client.send("<|ask|>$new$new$hi");
    await upstream.waitFor(() => upstream.open() === 1, { label: "asked", timeoutMs: 5_000 });
    const idle = parley.parley.openCalls.drain();
    parley.parley.drain();
    client.send("<|ask|>$new$new$too late");
    client.ws.ping();
    await once(client.ws, "pong");
    parley.parley.openCalls.abortAll();
    const told = [(await readText(client)).end, (await readText(client)).end];
    expect(told).toEqual([
      expect.stringMatching(/^<\|err\|>\$.*stop/),
      expect.stringMatching(/^<\|err\|>\$.*stop/),
    ]);
    expect(await client.closed()).toMatchObject({ code: 1012 });
    await idle;
    expect(upstream.requests).toHaveLength(1);
  });

  test("carry the limits' headers when they are refused", async () => {
    const { parley } = await startScene({ MINUTE_LIMIT: "5" });
    const headers = { origin: "https://evil.example" };
    const refused = await connectInVain(`${parley.origin}/ask`, { headers });
    expect(refused.headers["ratelimit-policy"]).toBe('"minute";q=5;w=60');
    expect(refused.headers.ratelimit).toMatch(/r=5/);
    const plain = await postJson(`${parley.origin}/ask`, undefined, { method: "GET" });
    expect(plain.status).toBe(426);
  });
});

/** A masked text frame of less than 126 bytes. */
function maskedText(text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}
