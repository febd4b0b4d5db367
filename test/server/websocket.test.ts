import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { stallMidStream } from "../support/faults.ts";
import { connectRaw, frame, OPCODE } from "../support/frames.ts";
import { deadline, postJson } from "../support/http.ts";
import { startPair } from "../support/pair.ts";
import { type ParleyProcess, startProcess, until } from "../support/process.ts";
import { answer, type ScriptedUpstream } from "../support/upstream.ts";
import { connect, readText } from "../support/websocket.ts";

const WAIT_MS = 10_000;
const TEST_MS = 40_000;
const MAX_BODY_BYTES = 8_192;
const ASK = "<|ask|>$new$new$";
const FLOODS = 50;
const FOREIGN_UPGRADES = 1_000;

let upstream: ScriptedUpstream;
let parley: ParleyProcess;
let socketsAtFirst = 0;
beforeAll(async () => {
  const env = { MAX_BODY_BYTES: String(MAX_BODY_BYTES), WS_CONNECTIONS: "0" };
  ({ upstream, parley } = await startPair(env));
  expect(await asked()).toBe("echo: still here");
  socketsAtFirst = parley.openSockets(upstream.port);
}, TEST_MS);

async function asked(): Promise<string> {
  const client = await connect(`${parley.url}/ask`);
  client.send(`${ASK}still here`);
  const { text } = await readText(client);
  await client.close();
  return text;
}

/** What every test leaves behind: a process that answers, no socket, nothing unexpected in the log. */
afterEach(async () => {
  upstream.behave(answer);
  expect(await asked()).toBe("echo: still here");
  await until(() => parley.openSockets(upstream.port) <= socketsAtFirst, {
    label: "all sockets are gone",
    timeoutMs: WAIT_MS,
  });
  expect(await parley.metric("parley_open_calls")).toBe(0);
  expect(parley.output.filter((line) => /unexpected error|unhandled|uncaught/.test(line))).toEqual(
    [],
  );
}, TEST_MS);

const { text, binary, continuation, close, ping, pong } = OPCODE;
const large = Buffer.alloc(MAX_BODY_BYTES, "x");

describe("a connection is closed with the right code for", () => {
  const cases: [string, number | null, readonly Uint8Array[]][] = [
    ["an unknown opcode", 1002, [frame(0x3, "x")]],
    ["an unknown control opcode", 1002, [frame(0xb, "x")]],
    ["a frame without its mask", 1002, [frame(text, `${ASK}hi`, { masked: false })]],
    ["reserved bits", 1002, [frame(text, `${ASK}hi`, { reserved: 4 })]],
    ["the second reserved bit", 1002, [frame(text, `${ASK}hi`, { reserved: 2 })]],
    ["a continuation of nothing", 1002, [frame(continuation, "x")]],
    ["a text within a text", 1002, [frame(text, "a", { fin: false }), frame(text, "b")]],
    ["a control frame in pieces", 1002, [frame(ping, "x", { fin: false })]],
    ["a control frame that is too long", 1002, [frame(ping, "x".repeat(126))]],
    ["a close without a whole code", 1002, [frame(close, "x")]],
    ["a close with a code that is none", 1002, [frame(close, Uint8Array.of(3, 237))]],
    ["a close with a reason that is no text", 1007, [frame(close, Uint8Array.of(3, 232, 0xff))]],
    ["a length beyond all numbers", 1009, [frame(text, "", { length: 1n << 62n, lengthBytes: 8 })]],
    ["a message that is too large", 1009, [frame(text, Buffer.concat([large, large]))]],
    ["the promise of one", 1009, [frame(text, "", { length: MAX_BODY_BYTES + 1 })]],
    [
      "pieces that are too large together",
      1009,
      [frame(text, large, { fin: false }), frame(continuation, "x")],
    ],
    ["bytes that are no text", 1007, [frame(text, Uint8Array.of(0xc3, 0x28))]],
    ["half a character", 1007, [frame(text, Uint8Array.of(0xe5, 0xa4))]],
    ["a binary message", 1003, [frame(binary, `${ASK}hi`)]],
    ["what is not WebSocket at all", 1002, [Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n")]],
    ["a goodbye", 1000, [frame(close, Uint8Array.of(3, 232))]],
  ];

  test.each(cases)("%s", async (_what, code, frames) => {
    const { socket, gone } = await connectRaw(parley.port);
    socket.write(Buffer.concat(frames));
    expect(await gone()).toBe(code);
  });

  test.each(cases)("%s, with a question open, which is stopped", async (_what, code, frames) => {
    upstream.behave(stallMidStream);
    const { count } = upstream.closedEarly;
    const { socket, gone } = await connectRaw(parley.port);
    socket.write(frame(text, `${ASK}one two three`));
    await upstream.waitFor(() => upstream.open() === 1, { label: "asked", timeoutMs: WAIT_MS });
    socket.write(Buffer.concat(frames));
    expect(await gone()).toBe(code);
    await upstream.waitFor(() => upstream.closedEarly.count === count + 1, {
      label: "closed upstream",
      timeoutMs: WAIT_MS,
    });
  });
});

test("messages in pieces, with a ping between, are read as one", async () => {
  const { socket, texts, gone } = await connectRaw(parley.port);
  const whole = Buffer.from(`${ASK}天空`);
  socket.write(frame(text, whole.subarray(0, 5), { fin: false }));
  socket.write(frame(ping, "now"));
  socket.write(frame(continuation, "", { fin: false }));
  socket.write(frame(continuation, whole.subarray(5, -1), { fin: false }));
  socket.write(frame(continuation, whole.subarray(-1)));
  await until(() => texts.some((one) => one.startsWith("<|end|>$")), {
    label: "the end",
    timeoutMs: WAIT_MS,
  });
  expect(texts.slice(0, -1).join("")).toBe("echo: 天空");
  socket.destroy();
  await gone();
});

test("a message of the largest size is taken", async () => {
  const client = await connect(`${parley.url}/ask`);
  const prompt = "x".repeat(MAX_BODY_BYTES - ASK.length);
  client.send(ASK + prompt);
  expect((await readText(client)).text).toBe(`echo: ${prompt}`);
  await client.close();
});

const floods: [string, Buffer][] = [
  ["pings", frame(ping)],
  ["pongs", frame(pong)],
  ["empty texts", frame(text)],
  ["texts out of form", frame(text, "hi")],
];

test.each(floods)(
  "floods of %s are cut with 1008",
  async (_what, one) => {
    const flood = Buffer.concat(Array<Buffer>(1_000).fill(one));
    const codes = await Promise.all(
      Array.from({ length: FLOODS }, async () => {
        const { socket, gone } = await connectRaw(parley.port, [], { answersClose: true });
        socket.write(flood);
        return await gone();
      }),
    );
    expect(codes).toEqual(Array(FLOODS).fill(1008));
  },
  TEST_MS,
);

test(
  "a flood of frames in JSON is cut, too",
  async () => {
    const { socket, texts, gone } = await connectRaw(parley.port, [
      "Sec-WebSocket-Protocol: parley.v1",
    ]);
    socket.write(Buffer.concat(Array<Buffer>(1_000).fill(frame(text, '{"type":"cancel"}'))));
    expect(await gone()).toBe(1008);
    expect(texts.length).toBeLessThanOrEqual(120);
  },
  TEST_MS,
);

test(
  "pieces without an end are cut before they fill the memory",
  async () => {
    const before = parley.residentBytes();
    const codes = await Promise.all(
      Array.from({ length: FLOODS }, async () => {
        const { socket, gone } = await connectRaw(parley.port);
        socket.write(frame(text, "", { fin: false }));
        const empty = Buffer.concat(
          Array<Buffer>(20_000).fill(frame(continuation, "", { fin: false })),
        );
        socket.write(empty);
        return await gone();
      }),
    );
    // 1008 is what `ws` says of too many pieces
    for (const code of codes) expect(code).toBe(1008);
    expect(parley.residentBytes() - before).toBeLessThan(150 * 1_048_576);
  },
  TEST_MS,
);

test(
  "connections dropped anywhere in a frame leave nothing behind",
  async () => {
    const whole = Buffer.concat([frame(text, `${ASK}hi`), frame(ping), frame(text, "x")]);
    for (let cut = 0; cut <= whole.length; cut += 1) {
      const { socket, gone } = await connectRaw(parley.port);
      socket.write(whole.subarray(0, cut));
      if (cut % 2 === 0) socket.resetAndDestroy();
      else socket.destroy();
      await gone();
    }
  },
  TEST_MS,
);

test(
  `${FOREIGN_UPGRADES} upgrades to other protocols are answered and leave no socket`,
  async () => {
    const protocols = ["h2c", "h2c, websocket", "TLS/1.0", "foo", "websocket2"];
    const left: Socket[] = [];
    for (let round = 0; round < FOREIGN_UPGRADES / 50; round += 1) {
      const sockets = await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          const socket = createConnection({ port: parley.port, host: "127.0.0.1" });
          socket.on("error", () => undefined);
          const protocol = protocols[index % protocols.length];
          const path = index % 2 === 0 ? "/healthz" : "/ask";
          socket.write(
            `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n` +
              `Upgrade: ${protocol}\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n`,
          );
          const [reply] = await deadline(once(socket, "data"), WAIT_MS, `answer to ${protocol}`);
          expect(String(reply)).toMatch(index % 2 === 0 ? /^HTTP\/1\.1 200 / : /^HTTP\/1\.1 426 /);
          return socket;
        }),
      );
      for (const socket of sockets) socket.destroy();
      left.push(...sockets);
    }
    expect(left).toHaveLength(FOREIGN_UPGRADES);
    await until(() => parley.openSockets(upstream.port) <= socketsAtFirst, {
      label: "no socket is left",
      timeoutMs: WAIT_MS,
    });
  },
  TEST_MS,
);

test("handshakes that are refused leave no socket, also where the client stays", async () => {
  const sockets = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const socket = createConnection({
        port: parley.port,
        host: "127.0.0.1",
        allowHalfOpen: true,
      });
      socket.on("error", () => undefined);
      socket.write(
        "GET /ask HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
      );
      const [reply] = await deadline(once(socket, "data"), WAIT_MS, "the refusal");
      expect(String(reply)).toMatch(/^HTTP\/1\.1 426 /);
      return socket;
    }),
  );
  await until(() => parley.openSockets(upstream.port) <= socketsAtFirst, {
    label: "no socket is left",
    timeoutMs: WAIT_MS,
  });
  for (const socket of sockets) socket.destroy();
});

test("a start without WebSocket does not load its package", async () => {
  const other = await startProcess(
    {
      OPENAI_URL: upstream.url,
      API_KEY: "sk-good",
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(TELLS_WS)}`,
    },
    // a bundle has no packages to be seen
    { script: fileURLToPath(new URL("../../src/main.ts", import.meta.url)) },
  );
  try {
    expect((await postJson(`${other.url}/ask/new`, { prompt: "hi" })).status).toBe(200);
    expect(other.output.join("\n")).not.toContain("loads ws");
    await connect(`${other.url}/ask`);
    await other.waitForLog(/loads ws/);
  } finally {
    await other.close();
  }
});

const TELLS_WS = `import { registerHooks } from "node:module";
registerHooks({
  resolve(name, context, next) {
    if (name === "ws") process.stderr.write("loads ws\\n");
    return next(name, context);
  },
});`;
