/** What a client or the system takes away: streams reset at once, and no descriptors left. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:http2";
import { createConnection, type Socket } from "node:net";
import { expect, test } from "vitest";
import { closeAfterFile } from "../support/cleanup.ts";
import { freePort } from "../support/free-port.ts";
import { createGrpcClient } from "../support/grpc.ts";
import { openAsk, openSession } from "../support/grpc-raw.ts";
import { postJson } from "../support/http.ts";
import { startPair } from "../support/pair.ts";
import { type ParleyProcess, until } from "../support/process.ts";

const TEST_MS = 60_000;
const RESETS = Number(process.env.FUZZ_REQUESTS ?? 5_000);
const AT_A_TIME = 50;
const GROWTH_BYTES = 30 * 1_048_576;
const QUESTION = { user_content: "still there?" };

const answers = async ({ url }: ParleyProcess) => {
  const reply = await postJson(url, QUESTION).catch(() => null);
  return reply?.status === 200;
};
const complaints = ({ output }: ParleyProcess) =>
  output.filter((line) => /unexpected error|unhandled|uncaught/.test(line));

test(
  `${RESETS} gRPC calls that are reset at once leave nothing behind, and others are answered`,
  async () => {
    const port = await freePort();
    const { parley } = await startPair({ GRPC_PORT: String(port) }, { withCollector: true });
    const client = closeAfterFile(createGrpcClient(`127.0.0.1:${port}`));
    await client.ask({ prompt: "hi" });
    const before = await parley.liveBytes();
    let session = await openSession(port);
    for (let sent = 0; sent < RESETS; sent += AT_A_TIME) {
      // a server may close a connection that does this
      if (session.closed || session.destroyed) session = await openSession(port);
      const streams = Array.from({ length: AT_A_TIME }, () => openAsk(session));
      const closed = streams.map((stream) => new Promise((done) => stream.once("close", done)));
      for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
      await Promise.all(closed);
    }
    expect((await client.ask({ prompt: "still there?" })).text).toBe("echo: still there?");
    session.destroy();
    const open = () => parley.metric("parley_open_calls");
    await until(async () => (await open()) === 0, { label: "no open call", timeoutMs: 10_000 });
    expect((await parley.liveBytes()) - before).toBeLessThan(GROWTH_BYTES);
    expect(complaints(parley)).toEqual([]);
  },
  TEST_MS + 10 * RESETS,
);

test("a process without descriptors lives on, and answers once it has some again", {
  tags: "prlimit",
  timeout: TEST_MS,
}, async () => {
  const { parley } = await startPair();
  expect(await answers(parley)).toBe(true);
  execFileSync("prlimit", ["--pid", String(parley.pid), "--nofile=60:60"]);
  const sockets: Socket[] = [];
  for (let count = 0; count < 100; count += 1) {
    const socket = createConnection({ port: parley.port, host: "127.0.0.1" });
    socket.on("error", () => undefined);
    sockets.push(socket);
  }
  await Promise.all(sockets.map((socket) => once(socket, "connect").catch(() => undefined)));
  for (const socket of sockets) socket.destroy();
  await until(() => answers(parley), { label: "answers again", timeoutMs: 20_000 });
  expect(complaints(parley)).toEqual([]);
});
