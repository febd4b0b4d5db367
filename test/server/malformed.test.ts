import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { stallMidStream } from "../support/faults.ts";
import { deadline, postJson, rawExchange } from "../support/http.ts";
import { startPair } from "../support/pair.ts";
import { type ParleyProcess, until } from "../support/process.ts";
import { answer, type ScriptedUpstream } from "../support/upstream.ts";

const WAIT_MS = 10_000;
const TEST_MS = 40_000;
const MAX_BODY_BYTES = 4_096;
/** Headers have ten seconds, looked at every second. */
const SLOWEST_HEADERS_MS = 11_200;
/** Other suites run beside this one. */
const SHARED_MACHINE_MS = 10_000;
const QUESTION = { user_content: "hello" };
const BODY = JSON.stringify(QUESTION);

let upstream: ScriptedUpstream;
let parley: ParleyProcess;
let socketsAtFirst = 0;
beforeAll(async () => {
  ({ upstream, parley } = await startPair({ MAX_BODY_BYTES: String(MAX_BODY_BYTES) }));
  await postJson(parley.url, QUESTION);
  socketsAtFirst = parley.openSockets(upstream.port);
}, TEST_MS);

/** What every test leaves behind: a process that answers, no socket, nothing unexpected in the log. */
afterEach(async () => {
  upstream.behave(answer);
  expect((await postJson(parley.url, QUESTION)).status).toBe(200);
  expect(parley.output.filter((line) => /unexpected error|unhandled|uncaught/.test(line))).toEqual(
    [],
  );
}, TEST_MS);

interface RawAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** Splits what came back into answers, all of which have to tell their length. */
function parseAnswers(text: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    const headEnd = rest.indexOf("\r\n\r\n");
    const [first = "", ...lines] = rest.subarray(0, headEnd).toString().split("\r\n");
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1]);
    if (headEnd === -1 || Number.isNaN(status)) throw new Error(`not an answer: ${first}`);
    const headers = new Map(
      lines.map((line) => {
        const at = line.indexOf(":");
        return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()] as const;
      }),
    );
    const length = Number(headers.get("content-length") ?? 0);
    const body = rest.subarray(headEnd + 4, headEnd + 4 + length).toString();
    answers.push({ status, headers, body });
    rest = rest.subarray(headEnd + 4 + length);
  }
  return answers;
}

async function exchange(
  bytes: string | Uint8Array,
  label: string,
  idleMs = 600,
): Promise<RawAnswer[]> {
  return parseAnswers(await rawExchange(parley.port, bytes, { timeoutMs: WAIT_MS, label, idleMs }));
}

function expectEnvelope({ status, headers, body }: RawAnswer): void {
  expect(headers.get("content-type")).toBe("application/json; charset=utf-8");
  expect(headers.get("x-request-id")).toMatch(/^[\w-]{8,}$/);
  expect(JSON.parse(body)).toMatchObject({
    code: status,
    msg: "failed",
    data: { response: expect.stringMatching(/./), error: expect.stringMatching(/^[a-z_]+$/) },
  });
}

/** Unlike once(), not interested in errors: a reset is an end like any other. */
const closeOf = (socket: Socket) =>
  new Promise<void>((resolve) => socket.once("close", () => resolve()));

async function connect(): Promise<Socket> {
  const socket = createConnection({ port: parley.port, host: "127.0.0.1" });
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

const post = (headers: string, body = BODY) => `POST / HTTP/1.1\r\n${headers}\r\n\r\n${body}`;
const JSON_HEAD = "Host: x\r\nContent-Type: application/json";
const SIZED_HEAD = `${JSON_HEAD}\r\nContent-Length: ${BODY.length}`;
const chunked = (...chunks: string[]) =>
  chunks.map((one) => `${one.length.toString(16)}\r\n${one}\r\n`).join("");

describe.concurrent("a request that is", () => {
  test.each<[string, string | Uint8Array, number]>([
    ["garbage", Buffer.from(Array.from({ length: 999 }, (_, at) => (at * 197 + 128) % 256)), 400],
    ["a TLS hello", Buffer.from("16030100c8010000c40303", "hex"), 400],
    ["the HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
    ["HTTP/9.9", "GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n", 400],
    ["without a Host", `POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n`, 400],
    ["with a Host that is none", post(SIZED_HEAD.replace("Host: x", "Host: a b")), 400],
    ["with a user in its Host", post(SIZED_HEAD.replace("Host: x", "Host: a@b")), 400],
    ["with a path in its Host", post(SIZED_HEAD.replace("Host: x", "Host: a/b?c#d")), 400],
    ["with a broken IPv6 Host", post(SIZED_HEAD.replace("Host: x", "Host: [::1")), 400],
    ["for * with OPTIONS", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400],
    ["for a path without a slash", "GET healthz HTTP/1.1\r\nHost: x\r\n\r\n", 400],
    [
      "in an absolute form of another scheme",
      "GET ftp://x/healthz HTTP/1.1\r\nHost: x\r\n\r\n",
      400,
    ],
    ["TRACE", "TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", 405],
    ["of an unknown method", "BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 400],
    ["with 20 KB of headers", post(`${SIZED_HEAD}\r\nX-Long: ${"a".repeat(20_000)}`), 431],
    ["with 3,000 headers", post(`${SIZED_HEAD}${"\r\nX-A: b".repeat(3_000)}`), 431],
    ["with a URL of 20 KB", `GET /${"a".repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
    [
      "with a length and chunked",
      post(`${SIZED_HEAD}\r\nTransfer-Encoding: chunked`, `0\r\n\r\n${post(SIZED_HEAD)}`),
      400,
    ],
    [
      "with chunked and a length",
      post(`${JSON_HEAD}\r\nTransfer-Encoding: chunked\r\nContent-Length: 4`, "0\r\n\r\n"),
      400,
    ],
    ["with two lengths", post(`${SIZED_HEAD}\r\nContent-Length: 5`), 400],
    ["with a list of lengths", post(`${JSON_HEAD}\r\nContent-Length: 5, 5`), 400],
    ["with a negative length", post(`${JSON_HEAD}\r\nContent-Length: -5`), 400],
    ["with a length in hex", post(`${JSON_HEAD}\r\nContent-Length: 0x10`), 400],
    [
      "with a length beyond 64 bits",
      post(`${JSON_HEAD}\r\nContent-Length: ${"9".repeat(30)}`),
      400,
    ],
    [
      "with an encoding it can't have",
      post(`${JSON_HEAD}\r\nTransfer-Encoding: chunked, gzip`),
      400,
    ],
    ["with an obscured chunked", post(`${JSON_HEAD}\r\nTransfer-Encoding: xchunked`), 400],
    ["with a blank before a colon", post(`${JSON_HEAD}\r\nContent-Length : 5`), 400],
    ["with folded lines", post(`${SIZED_HEAD}\r\nX-A: b\r\n c`), 400],
    ["with a NUL in a header", post(`${SIZED_HEAD}\r\nX-A: b\0c`), 400],
    ["with a bare CR in a header", post(`${SIZED_HEAD}\r\nX-A: b\rX-B: c`), 400],
    [
      "with a chunk size that is none",
      post(`${JSON_HEAD}\r\nTransfer-Encoding: chunked`, `zz\r\n${BODY}`),
      400,
    ],
    [
      "with a chunk longer than said",
      post(`${JSON_HEAD}\r\nTransfer-Encoding: chunked`, `3\r\n${BODY}\r\n0\r\n\r\n`),
      400,
    ],
    ["shorter than its length", post(`${JSON_HEAD}\r\nContent-Length: 5`), 400],
    ["too large by its length", post(`${JSON_HEAD}\r\nContent-Length: 99999999`, "{"), 413],
    [
      "too large in chunks",
      post(
        `${JSON_HEAD}\r\nTransfer-Encoding: chunked`,
        chunked(
          ..."a"
            .repeat(9)
            .split("")
            .map((a) => a.repeat(1_000)),
        ),
      ),
      413,
    ],
    ["compressed", post(`${SIZED_HEAD}\r\nContent-Encoding: gzip`), 415],
    ["of no type", post(`Host: x\r\nContent-Length: ${BODY.length}`), 415],
  ])(
    "%s is refused in an envelope",
    async (label, bytes, status) => {
      const [first, ...others] = await exchange(bytes, label);
      if (first === undefined) throw new Error("no answer");
      expect(first.status).toBe(status);
      expectEnvelope(first);
      // whatever follows is refused, too: nothing smuggled in is answered well
      expect(others.map((one) => one.status).filter((one) => one < 400)).toEqual([]);
    },
    TEST_MS,
  );

  test.each<[string, string, number]>([
    ["in absolute form", `POST http://x/ HTTP/1.1\r\n${SIZED_HEAD}\r\n\r\n${BODY}`, 200],
    ["HTTP/1.0", `POST / HTTP/1.0\r\n${SIZED_HEAD}\r\n\r\n${BODY}`, 200],
    ["HTTP/1.0 without a Host", "GET /healthz HTTP/1.0\r\n\r\n", 200],
    [
      "chunked",
      post(`${JSON_HEAD}\r\nTransfer-Encoding: chunked`, `${chunked(BODY)}0\r\n\r\n`),
      200,
    ],
    [
      "chunked with trailers",
      post(`${JSON_HEAD}\r\nTransfer-Encoding: chunked`, `${chunked(BODY)}0\r\nX-T: 1\r\n\r\n`),
      200,
    ],
    ["led by empty lines", `\r\n\r\n${post(SIZED_HEAD)}`, 200],
    ["HTTP/0.9", "GET /healthz\r\n\r\n", 200],
    ["with two Hosts, of which none decides anything", post(`Host: a\r\n${SIZED_HEAD}`), 200],
    ["expecting a wonder", post(`${SIZED_HEAD}\r\nExpect: a-wonder`), 200],
    ["OPTIONS", "OPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n", 204],
  ])(
    "%s is answered",
    async (label, bytes, status) => {
      const answers = await exchange(bytes, label);
      expect(answers.map((one) => one.status)).toEqual([status]);
    },
    TEST_MS,
  );

  test(
    "CONNECT is closed without an answer",
    async () => {
      expect(await exchange("CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n", "CONNECT")).toEqual(
        [],
      );
    },
    TEST_MS,
  );

  test.each([
    ["a body shorter than its length", post(`${JSON_HEAD}\r\nContent-Length: 999`)],
    ["a body cut inside a chunk", post(`${JSON_HEAD}\r\nTransfer-Encoding: chunked`, "ff\r\n{")],
    ["a head cut short", "POST / HTTP/1.1\r\nHos"],
    ["nothing", ""],
  ])(
    "ended with %s is closed at once",
    async (_, bytes) => {
      const socket = await connect();
      const closed = closeOf(socket);
      const parts: Buffer[] = [];
      socket.on("data", (part: Buffer) => parts.push(part));
      socket.end(bytes);
      await deadline(closed, WAIT_MS, "the connection is closed");
      const answers = parseAnswers(Buffer.concat(parts).toString());
      for (const one of answers) expectEnvelope(one);
      expect(answers.map(({ status }) => status).filter((status) => status !== 400)).toEqual([]);
    },
    TEST_MS,
  );

  test(
    "too large for Expect: 100-continue is refused before its body is sent",
    async () => {
      const head = `${JSON_HEAD}\r\nExpect: 100-continue\r\nContent-Length: 99999999`;
      const text = await rawExchange(parley.port, post(head, ""), {
        timeoutMs: WAIT_MS,
        label: "413",
        idleMs: 500,
      });
      const [first, ...others] = parseAnswers(text);
      expect([first?.status, others]).toEqual([413, []]);
      expect(first?.headers.get("connection")).toBe("close");
    },
    TEST_MS,
  );

  test(
    "right for Expect: 100-continue is asked for its body",
    async () => {
      const socket = await connect();
      const parts: string[] = [];
      socket.write(post(`${SIZED_HEAD}\r\nExpect: 100-continue`, ""));
      const [interim] = await deadline(once(socket, "data"), WAIT_MS, "100");
      expect(String(interim)).toBe("HTTP/1.1 100 Continue\r\n\r\n");
      socket.on("data", (part) => parts.push(String(part)));
      socket.write(BODY);
      await deadline(once(socket, "data"), WAIT_MS, "200");
      expect(parts.join("")).toMatch(/^HTTP\/1\.1 200 /);
      socket.destroy();
    },
    TEST_MS,
  );

  test(
    "refused for its size is read on for half a second only: long enough to hear why",
    async () => {
      const socket = await connect();
      const closed = closeOf(socket);
      let received = "";
      socket.on("data", (part) => {
        received += part;
      });
      const length = 40_000_000_000;
      const startedMs = performance.now();
      socket.write(post(`${JSON_HEAD}\r\nContent-Length: ${length}`, ""));
      const block = Buffer.alloc(65_536, 32);
      let sent = 0;
      const pump = () => {
        do sent += block.length;
        while (!socket.destroyed && socket.write(block));
      };
      socket.on("drain", pump);
      pump();
      await deadline(closed, WAIT_MS, "the connection is closed");
      const tookMs = performance.now() - startedMs;
      expect(received).toMatch(/^HTTP\/1\.1 413 /);
      process.stdout.write(
        `413: closed after ${tookMs.toFixed(0)} ms and ${(sent / 1_048_576).toFixed(0)} MB\n`,
      );
      expect(tookMs).toBeLessThan(2_500);
      expect(parley.residentBytes()).toBeLessThan(400 * 1_048_576);
    },
    TEST_MS,
  );
});

describe.concurrent("one after the other on a connection", () => {
  test(
    "500 pipelined requests are answered in their order",
    async () => {
      const bytes = Array.from({ length: 500 }, (_, at) => {
        const body = JSON.stringify({ user_content: `call ${at}.` });
        return at % 2 === 0
          ? post(`${JSON_HEAD}\r\nContent-Length: ${body.length}`, body)
          : `GET /nowhere/${at} HTTP/1.1\r\nHost: x\r\n\r\n`;
      }).join("");
      const answers = await exchange(bytes, "500 answers", 2_000);
      expect(answers).toHaveLength(500);
      answers.forEach(({ status, body }, at) => {
        if (at % 2 === 1) expect(status).toBe(404);
        else expect(JSON.parse(body).data.response).toBe(`echo: call ${at}.`);
      });
    },
    TEST_MS,
  );

  test(
    "garbage behind a request leaves the answer whole",
    async () => {
      const [first, second, ...others] = await exchange(
        `${post(SIZED_HEAD)}\0\0garbage\r\n\r\n`,
        "both",
      );
      // the connection may end before the call is answered, but an answer is one or none
      for (const one of [first, second]) if (one?.status === 400) expectEnvelope(one);
      expect([200, 400, undefined]).toContain(first?.status);
      expect(others).toEqual([]);
    },
    TEST_MS,
  );

  test(
    "200 upgrades that nobody offers are answered as HTTP and leave no socket",
    async () => {
      const sockets = await Promise.all(
        Array.from({ length: 200 }, async (_, at) => {
          const socket = await connect();
          const kind = at % 2 === 0 ? "h2c" : "websocket";
          const more =
            "Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA";
          const upgrade = `${more}\r\nUpgrade: ${kind}`;
          const got = once(socket, "data");
          socket.write(
            at % 4 < 2
              ? `GET /healthz HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n\r\n`
              : post(`${SIZED_HEAD}\r\n${upgrade}`),
          );
          const [part] = await deadline(got, WAIT_MS, `upgrade ${at} is answered`);
          expect(String(part)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
          return socket;
        }),
      );
      for (const socket of sockets) socket.destroy();
    },
    TEST_MS,
  );

  test(
    "headers that take too long are answered 408 within 11.2 s",
    async () => {
      const beginnings = ["", "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: "];
      await Promise.all(
        beginnings.map(async (beginning) => {
          const socket = await connect();
          const startedMs = performance.now();
          let received = "";
          socket.on("data", (part) => {
            received += part;
          });
          const closed = closeOf(socket);
          socket.write(beginning);
          const drip = setInterval(() => beginning !== "" && socket.write("a"), 500);
          await deadline(closed, SLOWEST_HEADERS_MS + WAIT_MS, "slow headers are closed");
          clearInterval(drip);
          const tookMs = performance.now() - startedMs;
          process.stdout.write(
            `slow headers (${beginning.length} bytes): ${tookMs.toFixed(0)} ms\n`,
          );
          expect(tookMs).toBeGreaterThan(9_500);
          expect(tookMs).toBeLessThan(SLOWEST_HEADERS_MS + SHARED_MACHINE_MS);
          for (const one of parseAnswers(received)) {
            expect(one.status).toBe(408);
            expectEnvelope(one);
          }
        }),
      );
    },
    TEST_MS,
  );
});

test(
  "garbage behind a stream that runs is not written into it",
  async () => {
    upstream.behave(stallMidStream);
    const socket = await connect();
    const parts: string[] = [];
    socket.on("data", (part) => parts.push(String(part)));
    const body = JSON.stringify({ ...QUESTION, stream: true });
    const started = new Promise<void>((resolve) => {
      socket.on("data", () => parts.join("").includes('"delta"') && resolve());
    });
    socket.write(post(`${JSON_HEAD}\r\nContent-Length: ${body.length}`, body));
    await deadline(started, WAIT_MS, "the stream begins");
    const closed = closeOf(socket);
    socket.write("\0\0garbage\r\n\r\n");
    await deadline(closed, WAIT_MS, "the connection is closed");
    expect(parts.join("").match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200"]);
    await upstream.waitFor(() => upstream.open() === 0, {
      label: "closed upstream",
      timeoutMs: WAIT_MS,
    });
  },
  TEST_MS,
);

test(
  "after all that no socket is left",
  async () => {
    await until(() => parley.openSockets(upstream.port) <= socketsAtFirst, {
      label: `back to ${socketsAtFirst} sockets`,
      timeoutMs: WAIT_MS,
    });
    expect(await parley.metric("parley_open_calls")).toBe(0);
  },
  TEST_MS,
);
