/** Connections that are used again, and answers with heads that nobody asked for. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { describe, expect, test } from "vitest";
import { cert, keyPath } from "../support/certificate.ts";
import { closeAfterFile } from "../support/cleanup.ts";
import { startHttpProxy } from "../support/proxies.ts";
import { type Asking, createAsking, endOfComplete, endOfStream } from "./asking.ts";

const BODY =
  '{"id":"c","model":"m","choices":[{"message":{"content":"yes"},"finish_reason":"stop"}]}';
const GOOD = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`;
const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

/** What is done with a request: bytes in these pieces, or an end of the connection. */
type Act = readonly (string | "fin" | "reset")[];
/** By the number of the request on its connection, and of the connection; both from 0. */
type Script = (request: number, connection: number) => Act;

/** A server of bytes; `seen` has the connection of each request. */
async function startBytes(script: Script) {
  const seen: number[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    const connection = connections++;
    let requests = 0;
    let text = "";
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => {
      text += bytes.toString("latin1");
      const head = text.indexOf("\r\n\r\n");
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (head === -1 || text.length < head + 4 + length) return;
      text = "";
      seen.push(connection);
      void act(socket, script(requests++, connection));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // it listens on a port
  closeAfterFile({
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  });
  return { url: `http://127.0.0.1:${port}/v1`, seen };
}

async function act(socket: Socket, how: Act): Promise<void> {
  for (const piece of how) {
    if (piece === "fin") socket.end();
    else if (piece === "reset") socket.resetAndDestroy();
    else socket.write(piece);
    // so that each piece is a packet of its own
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function startAsking(script: Script, proxyUrl?: string) {
  const server = await startBytes(script);
  const asking = createAsking({ url: server.url, ...(proxyUrl !== undefined && { proxyUrl }) });
  return { ...server, asking: closeAfterFile(asking) };
}

const ends = ["fin", "reset"] as const;
const FAILED = /^upstream_unreachable/;
/** Each leaves a tick for its connection to be free again. */
const asks = [endOfComplete, endOfStream].map((ask) => async (asking: Asking) => {
  const ending = await ask(asking);
  await new Promise((resolve) => setImmediate(resolve));
  return ending;
});
const [complete] = asks;

describe.each(ends)("a used connection that ends (%s) before any byte of an answer", (end) => {
  test("is no failure: the request is sent once more on a new one", async () => {
    const { asking, seen } = await startAsking((request) => (request === 0 ? [GOOD] : [end]));
    for (const ask of [...asks, ...asks]) expect((await ask(asking)).said).toBe("answer");
    expect(seen).toEqual([0, 0, 1, 2, 2, 3]);
  });

  test("is the only try: what a new connection does is told", async () => {
    const { asking, seen } = await startAsking((request, connection) =>
      request === 0 && connection === 0 ? [GOOD] : [end],
    );
    expect((await complete?.(asking))?.said).toBe("answer");
    expect((await endOfComplete(asking)).said).toMatch(FAILED);
    expect(seen).toEqual([0, 0, 1]);
  });

  test("a new connection is not asked again", async () => {
    const { asking, seen } = await startAsking(() => [end]);
    for (const ask of asks) expect((await ask(asking)).said).toMatch(FAILED);
    expect(seen).toEqual([0, 1]);
  });

  test.each(["HTTP/1.1 2", CONTINUE, GOOD.slice(0, -5)])("after %j is a failure", async (part) => {
    const script: Script = (request) => (request === 0 ? [GOOD] : [part, end]);
    const { asking, seen } = await startAsking(script);
    expect((await complete?.(asking))?.said).toBe("answer");
    expect((await endOfComplete(asking)).said).toMatch(/^upstream_/);
    expect(seen).toEqual([0, 0]);
  });

  test("also behind a proxy", async () => {
    const proxy = closeAfterFile(await startHttpProxy());
    const script: Script = (request) => (request === 0 ? [GOOD] : [end]);
    const { asking, seen } = await startAsking(script, `http://127.0.0.1:${proxy.port}`);
    for (const ask of asks) expect((await ask(asking)).said).toBe("answer");
    expect(seen.length).toBeGreaterThanOrEqual(2);
  });
});

test.each([
  [
    "two lengths",
    GOOD.replace("content-length", `content-length: ${BODY.length}\r\ncontent-length`),
  ],
  ["no HTTP", "SSH-2.0-OpenSSH_9.9\r\n"],
  ["a head without an end", `HTTP/1.1 200 OK\r\nx: ${"x".repeat(200_000)}`],
])("an answer with %s is a bad answer, and asked for once", async (_, bytes) => {
  const { asking, seen } = await startAsking(() => [bytes]);
  expect((await endOfComplete(asking)).said).toBe("upstream_bad_answer");
  expect(seen).toEqual([0]);
});

test.each([false, true])(
  "over TLS, HTTP/1.1 is all that is offered (proxy: %s)",
  async (behindProxy) => {
    const offered: string[][] = [];
    const server = createTlsServer({
      cert,
      key: readFileSync(keyPath),
      ALPNCallback: ({ protocols }) => {
        offered.push(protocols);
        return protocols[0];
      },
    });
    server.on("tlsClientError", () => undefined);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo; // it listens on a port
    const proxy = closeAfterFile(await startHttpProxy());
    const proxyUrl = behindProxy ? { proxyUrl: `http://127.0.0.1:${proxy.port}` } : {};
    const asking = closeAfterFile(
      createAsking({ url: `https://localhost:${port}/v1`, ...proxyUrl }),
    );
    // nobody trusts its certificate
    expect((await endOfComplete(asking)).said).toBe("upstream_unreachable");
    expect(offered).toEqual([["http/1.1"]]);
    server.close();
  },
);

describe("a 100 Continue that nobody asked for is skipped", () => {
  test.each<[string, readonly string[]]>([
    ["before the answer", [`${CONTINUE}${GOOD}`]],
    ["twice", [CONTINUE, CONTINUE, GOOD]],
    ["in single bytes", [...CONTINUE, GOOD]],
    ["cut within the answer", [`${CONTINUE}HTTP`, GOOD.slice(4)]],
    ["with headers", ["HTTP/1.1 100 Continue\r\nserver: x\r\n\r\n", GOOD]],
    ["of an older version", ["HTTP/1.0 100 Continue\r\n\r\n", GOOD]],
    [
      "and another interim answer",
      [CONTINUE, "HTTP/1.1 103 Early Hints\r\nlink: </>\r\n\r\n", GOOD],
    ],
    ["an answer in single bytes", [...GOOD]],
  ])("%s", async (_, pieces) => {
    const { asking, seen } = await startAsking(() => pieces);
    for (const ask of [...asks, ...asks]) expect((await ask(asking)).said).toBe("answer");
    expect(seen).toEqual([0, 0, 0, 0]);
  });

  test("but not in the text of an answer, and not without an end", async () => {
    const body = BODY.replace("yes", CONTINUE.slice(0, -4));
    const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
    const quoting = await startAsking(() => [head, body.slice(0, 50), body.slice(50)]);
    expect(await endOfComplete(quoting.asking)).toMatchObject({ text: "HTTP/1.1 100 Continue" });
    const endless = await startAsking(() => ["HTTP/1.1 100 ", "x".repeat(100_000), "reset"]);
    expect((await endOfComplete(endless.asking)).said).toMatch(/^upstream_/);
  });
});

/** The body in two chunks. */
const chunkedAnswer = (extension: string, trailers: string, head = "") => {
  const chunks = [BODY.slice(0, 20), BODY.slice(20)].map(
    (part) => `${part.length.toString(16)}${extension}\r\n${part}\r\n`,
  );
  return `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${head}transfer-encoding: chunked\r\n\r\n${chunks.join("")}0\r\n${trailers}\r\n`;
};

test.each([
  ["extensions of its chunks", chunkedAnswer(';name="a;b"', "")],
  ["trailers", chunkedAnswer("", "x-checksum: 1\r\nx-time: 2\r\n", "trailer: x-checksum\r\n")],
  ["UTF-8 in a header", GOOD.replace("\r\n", "\r\nx-region: Zürich 你好\r\n")],
  ["HTTP/1.0 and no length", `HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n${BODY}`],
])("an answer with %s is read", async (what, bytes) => {
  const ends = what.startsWith("HTTP/1.0") ? (["fin"] as const) : [];
  const { asking } = await startAsking(() => [bytes, ...ends]);
  for (const ask of [...asks, ...asks]) expect((await ask(asking)).text).toBe("yes");
});
