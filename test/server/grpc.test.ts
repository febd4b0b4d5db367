import { fileURLToPath } from "node:url";
import { credentials, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cert, certPath, keyPath } from "../support/certificate.ts";
import { freePort } from "../support/free-port.ts";
import { createGrpcClient, type GrpcClient } from "../support/grpc.ts";
import { deadline, postJson } from "../support/http.ts";
import { type Environment, launch, type ParleyProcess, startProcess } from "../support/process.ts";
import {
  type Behaviour,
  composeAnswer,
  goodHeaders,
  type ScriptedUpstream,
  startUpstream,
} from "../support/upstream.ts";

const WAIT_MS = 10_000;
const TEST_MS = 40_000;
const STREAMS = 50;
const question = { prompt: "one two three four five" };

let upstream: ScriptedUpstream;
let port: number;
const running = new Set<{ close(): Promise<void> | void }>();
beforeEach(async () => {
  upstream = await startUpstream();
  port = await freePort();
});
afterEach(async () => {
  for (const one of running) await one.close();
  running.clear();
  await upstream.close();
});

async function start(env: Environment = {}): Promise<ParleyProcess> {
  const settings = { OPENAI_URL: upstream.url, API_KEY: "sk-good", GRPC_PORT: String(port) };
  const parley = await startProcess({ ...settings, ...env });
  running.add(parley);
  return parley;
}

function clientOf(...args: Parameters<typeof createGrpcClient>): GrpcClient {
  const client = createGrpcClient(...args);
  running.add(client);
  return client;
}

/** Sends two events and the others once `go` has resolved. */
const heldUntil = (go: Promise<void>): Behaviour => ({
  name: "held",
  run: async ({ request, response, write }) => {
    const [first = "", second = "", ...rest] = composeAnswer(request).events;
    response.writeHead(200, goodHeaders(request, "text/event-stream"));
    await write(first + second);
    await go;
    response.end(rest.join(""));
  },
});

interface Reading {
  readonly texts: readonly string[];
  readonly ended: Promise<{
    readonly code: number;
    readonly metadata: { get(name: string): unknown };
  }>;
}

/** An answer whose first piece has arrived and whose others are read as they come. */
async function reading(client: GrpcClient): Promise<Reading> {
  const texts: string[] = [];
  const stream = client.open(question);
  const first = Promise.withResolvers<void>();
  stream.on("data", ({ response }) => {
    texts.push(response);
    first.resolve();
  });
  const ended = new Promise<Awaited<Reading["ended"]>>((resolve) => stream.on("status", resolve));
  stream.on("error", () => undefined);
  await deadline(first.promise, WAIT_MS, "the first piece");
  return { texts, ended };
}

describe("listening", { timeout: TEST_MS }, () => {
  test("on every address serves IPv4 and IPv6", async () => {
    const parley = await start({ HOST: "::" });
    expect(await parley.waitForLog(/"listening beside"/)).toContain(`"name":"grpc","port":${port}`);
    for (const target of [`127.0.0.1:${port}`, `[::1]:${port}`]) {
      expect((await clientOf(target).ask({ prompt: "x" })).text).toBe("echo: x");
    }
    await parley.waitForLog(/"ask grpc".*"client":"127\.0\.0\.1"/);
    await parley.waitForLog(/"ask grpc".*"client":"::/);
  });

  test("with TLS serves those who trust the certificate", async () => {
    await start({ GRPC_TLS_CERT: certPath, GRPC_TLS_KEY: keyPath });
    const trusting = credentials.createSsl(cert);
    expect((await clientOf(`localhost:${port}`, trusting).ask({ prompt: "x" })).text).toBe(
      "echo: x",
    );
    const others = clientOf(`localhost:${port}`, credentials.createSsl());
    expect((await others.askInVain({ prompt: "x" })).code).toBe(status.UNAVAILABLE);
  });

  test("is not there without GRPC_PORT", async () => {
    const parley = await start({ GRPC_PORT: "" });
    expect((await clientOf(`127.0.0.1:${port}`).askInVain({ prompt: "x" })).code).toBe(
      status.UNAVAILABLE,
    );
    expect(parley.output.join("\n")).not.toContain("listening beside");
  });

  test("on a port that is taken ends the start and says so", async () => {
    await start();
    const second = launch({ OPENAI_URL: upstream.url, GRPC_PORT: String(port) });
    running.add(second);
    expect(await deadline(second.exit, WAIT_MS, "the process ends")).toBe(1);
    expect(second.output.join("\n")).toContain("cannot listen");
    expect(second.output.join("\n")).toContain("EADDRINUSE");
  });

  const unusable: [string, Environment, RegExp][] = [
    [
      "is not there",
      { GRPC_TLS_CERT: "/nowhere/grpc.crt" },
      /GRPC_TLS_CERT: names a file that cannot be read/,
    ],
    ["is no key", { GRPC_TLS_KEY: certPath }, /GRPC_TLS_KEY: names a file that has no usable key/],
    [
      "is no certificate",
      { GRPC_TLS_CERT: keyPath },
      /GRPC_TLS_CERT: names a file that has no usable certificate/,
    ],
    ["is not set", { GRPC_TLS_KEY: "" }, /GRPC_TLS_CERT: works only together with GRPC_TLS_KEY/],
  ];
  test.each(unusable)(
    "with a file that %s ends the start and says which",
    async (_what, env, text) => {
      const tls = { GRPC_TLS_CERT: certPath, GRPC_TLS_KEY: keyPath };
      const started = launch({ GRPC_PORT: String(port), ...tls, ...env });
      running.add(started);
      expect(await deadline(started.exit, WAIT_MS, "the process ends")).toBe(78);
      expect(started.stderr()).toMatch(text);
      expect(started.stderr()).not.toContain("nowhere");
    },
  );

  test("says so in the operator's language", async () => {
    // this file is no certificate
    const tls = { GRPC_TLS_CERT: fileURLToPath(import.meta.url), GRPC_TLS_KEY: keyPath };
    const started = launch({ GRPC_PORT: String(port), LANG: "zh_CN.UTF-8", ...tls });
    running.add(started);
    await deadline(started.exit, WAIT_MS, "the process ends");
    expect(started.stderr()).toContain("GRPC_TLS_CERT: 所指的文件中没有可用的 PEM 格式证书");
  });
});

describe("SIGTERM", { timeout: TEST_MS }, () => {
  test(`lets ${STREAMS} answers end, and turns new ones away meanwhile`, async () => {
    const parley = await start({ SHUTDOWN_SECONDS: "30" });
    const client = clientOf(`127.0.0.1:${port}`);
    const go = Promise.withResolvers<void>();
    upstream.behave(heldUntil(go.promise));
    const streams = await Promise.all(Array.from({ length: STREAMS }, () => reading(client)));
    parley.signal("SIGTERM");
    await parley.waitForLog(/"draining"/);
    const refused = await client.askInVain(question);
    expect(refused.code).toBe(status.UNAVAILABLE);
    expect(refused.trailers.get("error-code")).toEqual(["draining"]);
    const stranger = await clientOf(`127.0.0.1:${port}`).askInVain(question);
    expect(stranger.trailers.get("error-code")).toEqual(["draining"]);
    go.resolve();
    for (const { texts, ended } of streams) {
      expect((await deadline(ended, WAIT_MS, "an end")).code).toBe(status.OK);
      expect(texts.slice(0, -1).join("")).toBe(`echo: ${question.prompt}`);
    }
    expect(await deadline(parley.exit, WAIT_MS, "the process ends")).toBe(0);
    expect(parley.output.join("\n")).toMatch(/"cut":0.*"drained"/);
    expect(upstream.closedEarly.count).toBe(0);
  });

  test("cuts what is still open when the time is up, and tells those who wait", async () => {
    const parley = await start({ SHUTDOWN_SECONDS: "1" });
    upstream.behave(heldUntil(new Promise(() => {})));
    const { ended } = await reading(clientOf(`127.0.0.1:${port}`));
    parley.signal("SIGTERM");
    const end = await deadline(ended, WAIT_MS, "an end");
    expect(end.code).toBe(status.UNAVAILABLE);
    expect(end.metadata.get("error-code")).toEqual(["draining"]);
    expect(await deadline(parley.exit, WAIT_MS, "the process ends")).toBe(0);
    expect(parley.output.join("\n")).toMatch(/"cut":1.*"drained"/);
    expect(parley.output.join("\n")).not.toMatch(/unexpected error|unhandled/);
  });

  test("with connections that ask nothing ends at once", async () => {
    const parley = await start({ SHUTDOWN_SECONDS: "30" });
    await clientOf(`127.0.0.1:${port}`).ask(question);
    const sinceMs = performance.now();
    parley.signal("SIGTERM");
    expect(await deadline(parley.exit, WAIT_MS, "the process ends")).toBe(0);
    expect(performance.now() - sinceMs).toBeLessThan(parley.startMs);
  });
});

test(
  "the ledger of a process has the calls of gRPC",
  async () => {
    const parley = await start({ MINUTE_LIMIT: "2" });
    const client = clientOf(`127.0.0.1:${port}`);
    await client.ask(question);
    expect((await postJson(parley.url, { user_content: "x" })).status).toBe(200);
    expect((await client.askInVain(question)).code).toBe(status.RESOURCE_EXHAUSTED);
    expect(await parley.metric("parley_limit_decisions_total")).toBe(3);
  },
  TEST_MS,
);
