/** Limits kept by another machine: on every transport, their ports give promises. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTick } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { afterAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { composeAlerts } from "../../src/compose/alerts.ts";
import { composeCalls } from "../../src/compose/calls.ts";
import { composeDialogue } from "../../src/compose/conversations.ts";
import { composeDialects, modelRules } from "../../src/compose/dialects.ts";
import { composeLimits, type LimitStores } from "../../src/compose/limits.ts";
import { composeOperator } from "../../src/compose/operator.ts";
import { composePipeline } from "../../src/compose/pipeline.ts";
import { composeRouting } from "../../src/compose/routing.ts";
import { composeStorage, createKeyDigest } from "../../src/compose/storage.ts";
import { composeTransports } from "../../src/compose/transports.ts";
import { readConfig } from "../../src/config/read.ts";
import type { Config } from "../../src/config/settings.ts";
import { createRunningTurns } from "../../src/core/conversations/running-turns.ts";
import { createTreeDialogue } from "../../src/dialects/ask/questions.ts";
import { createEnvelopeErrors } from "../../src/dialects/envelope/routes.ts";
import { listen } from "../../src/http/server.ts";
import { createTranslate } from "../../src/locales.ts";
import { createLog } from "../../src/log.ts";
import { createGrpcClient } from "../support/grpc.ts";
import { openStream, postJson } from "../support/http.ts";
import { until } from "../support/process.ts";
import { OPERATOR_KEY } from "../support/scene.ts";
import { startUpstream } from "../support/upstream.ts";
import { connect, connectInVain, readText } from "../support/websocket.ts";

interface Link {
  /** Resolves when the other machine responds. */
  ready(): Promise<unknown>;
  /** Decisions that have arrived. */
  decisions: number;
}

function remote(memory: LimitStores, link: Link): LimitStores {
  const { limiter, tokenLimiter, concurrency, connections, allConnections } = memory;
  const { tokenMinutes, tokenCalls } = memory;
  const later = async <T>(decide: () => T): Promise<Awaited<T>> => {
    await link.ready();
    link.decisions += 1;
    return await decide();
  };
  return {
    ...memory,
    limiter: {
      take: (bucket) => later(() => limiter.take(bucket)),
      peek: (bucket) => later(() => limiter.peek(bucket)),
      release: (bucket, entry) => later(() => limiter.release(bucket, entry)),
    },
    tokenLimiter: {
      take: (token) => later(() => tokenLimiter.take(token)),
      peek: (token) => later(() => tokenLimiter.peek(token)),
      release: (token, entry) => later(() => tokenLimiter.release(token, entry)),
    },
    tokenMinutes: {
      take: (...given) => later(() => tokenMinutes.take(...given)),
      peek: (...given) => later(() => tokenMinutes.peek(...given)),
      settle: (...given) => later(() => tokenMinutes.settle(...given)),
    },
    tokenCalls: {
      enter: (...given) => later(() => tokenCalls.enter(...given)),
      count: (holder) => later(() => tokenCalls.count(holder)),
    },
    concurrency: {
      enter: (bucket) => later(() => concurrency.enter(bucket)),
      count: (bucket) => later(() => concurrency.count(bucket)),
    },
    connections: {
      enter: (bucket) => later(() => connections.enter(bucket)),
      count: (bucket) => later(() => connections.count(bucket)),
    },
    allConnections: {
      take: (amount) => later(() => allConnections.take(amount)),
      give: (amount) => later(() => allConnections.give(amount)),
    },
  };
}

const closing: (() => Promise<void> | void)[] = [];
afterAll(async () => {
  for (const close of closing.toReversed()) await close();
});

async function start(env: Readonly<Record<string, string>> = {}) {
  const upstream = await startUpstream();
  const folder = mkdtempSync(join(tmpdir(), "parley-remote-"));
  const settings = { DATA_DIR: folder, OPENAI_URL: upstream.url, API_KEY: OPERATOR_KEY };
  const read = readConfig({ ...settings, GRPC_PORT: "9000", ...env }, () => "");
  if ("problems" in read) throw new Error(`wrong settings: ${JSON.stringify(read.problems)}`);
  const link: Link = { ready: () => nextTick(), decisions: 0 };
  const { close, ...composed } = await compose(read.config, link);
  closing.push(
    () => upstream.close(),
    () => rmSync(folder, { recursive: true, force: true }),
    close,
  );
  return { ...composed, upstream, link };
}

/** As compose() does it, but with remote limits. */
async function compose(config: Config, link: Link) {
  const clock = systemClock;
  const lines: string[] = [];
  const log = createLog("info", { write: (line: string) => void lines.push(line) });
  const translate = createTranslate();
  const writeError = createEnvelopeErrors(translate);
  const storage = await composeStorage(config, clock, log);
  const secret = await storage.installationSecret();
  const digestKey = createKeyDigest(secret);
  const limits = remote(composeLimits(config, clock), link);
  const alerts = composeAlerts(config, { log, storage, digestKey, translate });
  const needs = { clock, log, storage, limits, digestKey, alerts };
  const routing = await composeRouting(config, { ...needs, store: storage.routing });
  const calls = composeCalls(config, { ...needs, routing, translate });
  const brake = calls.brakes.admin;
  const operator = composeOperator(config, { ...needs, secret, brake, translate });
  const observe = calls.metrics.call;
  const pipeline = composePipeline(config, { ...needs, routing, observe });
  const dialogue = composeDialogue(config, {
    log,
    storage,
    running: createRunningTurns(),
    pipeline,
  });
  const { conversations } = storage;
  const questions = createTreeDialogue({
    conversations,
    dialogue,
    digestKey,
    rules: modelRules(config),
  });
  const rest = { clock, log, storage, limits, routing, calls, questions, translate, writeError };
  const dialects = composeDialects(config, { ...rest, operator, pipeline, dialogue, digestKey });
  const { server, listeners, webSocket } = await composeTransports(config, { ...rest, dialects });

  const origin = `http://127.0.0.1:${await listen(server, "127.0.0.1", 0)}`;
  const grpcPort = await listeners[0]?.listener.listen("127.0.0.1", 0);
  const grpc = createGrpcClient(`127.0.0.1:${grpcPort}`);
  const close = async () => {
    grpc.close();
    server.close();
    server.closeAllConnections();
    for (const { listener } of listeners) await listener.close();
    await webSocket.close();
    await dialogue.close();
    await pipeline.close();
    await storage.close();
  };
  const isLogged = (part: string) => lines.some((line) => line.includes(part));
  return { origin, grpc, openCalls: calls.openCalls, isLogged, close };
}

const ASK = "<|ask|>$new$new$hi";
const question = { prompt: "hi" };

describe.concurrent("limits that are remote", () => {
  test("admit and refuse requests on counted routes, and are shown by the others", async () => {
    const { origin, upstream } = await start({ MINUTE_LIMIT: "1" });
    const status = () => postJson(`${origin}/healthz`, undefined, { method: "GET" });
    expect((await status()).headers.ratelimit).toMatch(/^"minute";r=1/);
    expect((await postJson(origin, { user_content: "hi" })).status).toBe(200);
    const refused = await postJson(origin, { user_content: "hi" });
    expect([refused.status, refused.json]).toMatchObject([
      429,
      { data: { error: "rate_limited" } },
    ]);
    expect((await status()).status).toBe(200);
    expect((await status()).headers.ratelimit).toMatch(/^"minute";r=0/);
    const unknown = await postJson(`${origin}/nowhere/at/all`, undefined, { method: "PATCH" });
    expect([unknown.status, unknown.headers.ratelimit]).toMatchObject([404, /r=0/]);
    expect(upstream.requests).toHaveLength(1);
  });

  test("admit and refuse questions on a WebSocket, in their order", async () => {
    const { origin, upstream } = await start({ MINUTE_LIMIT: "2" });
    const text = await connect(`${origin}/ask`);
    for (let count = 0; count < 3; count += 1) text.send(ASK);
    expect((await readText(text)).text).toBe("echo: hi");
    expect((await readText(text)).text).toBe("echo: hi");
    expect(await text.next()).toMatch(/^<\|err\|>\$/);
    const json = await connect(`${origin}/ask`, { protocol: "parley.v1" });
    json.send({ type: "ask", id: "q", ...question });
    expect(await json.nextJson()).toMatchObject({ id: "q", code: "rate_limited", status: 429 });
    expect(upstream.requests).toHaveLength(2);
  });

  test("admit and refuse handshakes, and take back the place of a closed connection", async () => {
    const { origin } = await start({ WS_CONNECTIONS: "1" });
    const first = await connect(`${origin}/ask`);
    const refused = await connectInVain(`${origin}/ask`);
    expect([refused.status, refused.json]).toMatchObject([429, { detail: "connections_limited" }]);
    await first.close();
    const second = await connect(`${origin}/ask`);
    second.send(ASK);
    expect((await readText(second)).text).toBe("echo: hi");
  });

  test("admit and refuse calls over gRPC", async () => {
    const { grpc, upstream } = await start({ MINUTE_LIMIT: "1" });
    expect((await grpc.ask(question)).text).toBe("echo: hi");
    const refused = await grpc.askInVain(question);
    expect(refused.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(refused.trailers.get("error-code")).toEqual(["rate_limited"]);
    expect(upstream.requests).toHaveLength(1);
  });
});

describe.concurrent("a client that leaves before remote limits decide", () => {
  const hold = (link: Link) => {
    const decision = Promise.withResolvers<void>();
    let asked = 0;
    link.decisions = 0;
    link.ready = () => {
      asked += 1;
      return decision.promise;
    };
    return {
      isAsked: () => asked > 0,
      async decide() {
        decision.resolve();
        await until(() => link.decisions > 0, { label: "decided", timeoutMs: 5_000 });
        await nextTick();
      },
    };
  };
  const untilLeft = { label: "the server has seen it leave", timeoutMs: 5_000 };
  const untilAsked = { label: "the limits are asked", timeoutMs: 5_000 };

  test("leaves no call open over HTTP", async () => {
    const { origin, link, openCalls, upstream, isLogged } = await start();
    const held = hold(link);
    const leaving = new AbortController();
    const sent = openStream(origin, { user_content: "hi" }, { signal: leaving.signal });
    await until(held.isAsked, untilAsked);
    leaving.abort();
    await expect(sent).rejects.toThrow();
    await until(() => isLogged('"status":499'), untilLeft);
    await held.decide();
    expect(openCalls.count).toBe(0);
    expect(upstream.requests).toEqual([]);
  });

  test("leaves no call open on a WebSocket", async () => {
    const { origin, link, openCalls, upstream } = await start();
    const client = await connect(`${origin}/ask`);
    const held = hold(link);
    client.send(ASK);
    await until(held.isAsked, untilAsked);
    await client.close();
    await held.decide();
    expect(openCalls.count).toBe(0);
    expect(upstream.requests).toEqual([]);
  });

  test("leaves no call open over gRPC", async () => {
    const { grpc, link, openCalls, upstream, isLogged } = await start();
    const held = hold(link);
    const call = grpc.open(question);
    call.on("error", () => undefined);
    await until(held.isAsked, untilAsked);
    call.cancel();
    await until(() => isLogged('"status":499'), untilLeft);
    await held.decide();
    expect(openCalls.count).toBe(0);
    expect(upstream.requests).toEqual([]);
  });
});
