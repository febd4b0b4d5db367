import { randomUUID } from "node:crypto";
import type { Server } from "node:http";
import { createApp } from "./app.ts";
import type { Config } from "./config/settings.ts";
import { createKeyRing } from "./core/key-ring.ts";
import { createPipeline, type Pipeline } from "./core/pipeline.ts";
import type { Clock } from "./core/ports.ts";
import { rateLimited } from "./core/rate-limited.ts";
import type { Dialect, Gate } from "./dialects/dialect.ts";
import { createAddressAlarm } from "./dialects/edge/address-alarm.ts";
import { createClientAddress } from "./dialects/edge/client-address.ts";
import { createIdentify } from "./dialects/edge/credentials.ts";
import type { AppEnv } from "./dialects/edge/facts.ts";
import { createOpenCalls, type OpenCalls } from "./dialects/edge/open-calls.ts";
import { createEnvelope, createEnvelopeErrors } from "./dialects/envelope/routes.ts";
import type { EnvelopeLimits } from "./dialects/envelope/wire.ts";
import { createStatus } from "./dialects/status/routes.ts";
import { createMemoryLimiter } from "./limits/memory.ts";
import { createLimitMiddleware } from "./limits/middleware.ts";
import { createOpenAnswers } from "./limits/open-answers.ts";
import { createTranslate, defaultLanguage } from "./locales.ts";
import { describeError, type Log } from "./log.ts";
import { createMetrics } from "./metrics/metrics.ts";
import { createHttpServer, createMetricsServer } from "./server.ts";
import { createOpenAIUpstream, type OpenAIUpstreamOptions } from "./upstream/openai.ts";
import { createTransport, type Transport, type TransportOptions } from "./upstream/transport.ts";

export interface Parley {
  readonly server: Server;
  /** Serves metrics alone, when they have a port of their own. */
  readonly metricsServer: Server | null;
  readonly openCalls: OpenCalls;
  close(): Promise<void>;
}

/** Chooses every adapter and connects them: the one place that knows them all. */
export function compose(config: Config, { clock, log }: { clock: Clock; log: Log }): Parley {
  const parts = createParts(config, clock, log);
  const { metrics, openCalls, translate, language } = parts;
  const transport = createTransport(transportOptions(config, clock));
  const pipeline = createPipeline({
    upstream: createOpenAIUpstream(upstreamOptions(config, transport)),
    keyRing: createKeyRing(config.API_KEY, clock),
    openAnswers: parts.openAnswers,
    streamLimit: config.STREAM_LIMIT,
    clock,
    retries: config.RETRIES,
    observe: metrics.call,
  });
  const app = createApp({
    dialects: createDialects(config, parts, pipeline),
    facts: {
      clock,
      newRequestId: randomUUID,
      defaultLanguage: language,
      resolveClient: createClientAddress(config.TRUSTED_PROXIES),
      alarm: parts.alarm,
      openCalls,
      onEnd: (end) => {
        metrics.request(end);
        log.request(end);
      },
    },
    gate: createGate(parts, clock),
    writeUnknown: parts.writeError,
    report: (requestId, error) => {
      log.error("unexpected error", { request_id: requestId, ...describeError(error.cause) });
    },
  });
  const { MAX_BODY_BYTES: maxBodyBytes, METRICS_PORT } = config;
  return {
    server: createHttpServer({ fetch: app.fetch, maxBodyBytes, unreadable }),
    metricsServer: METRICS_PORT === null ? null : createMetricsServer(metrics),
    openCalls,
    close: () => transport.close(),
  };

  /** Before a request could be read there is no client to ask for a language. */
  function unreadable(code: number): string {
    const data = { response: translate(language, "error.bad_request"), error: "bad_request" };
    return JSON.stringify({ code, msg: translate(language, "failed"), data });
  }
}

type Parts = ReturnType<typeof createParts>;

/** What several others are made from. */
function createParts(config: Config, clock: Clock, log: Log) {
  const translate = createTranslate();
  const language = defaultLanguage(config.LANG);
  const openCalls = createOpenCalls();
  const alarm = createAddressAlarm({
    onAlarm: ({ code, peer, share, calls }) => {
      const params = { peer: peer ?? "", percent: Math.round(share * 100) };
      log.warn(translate(language, `warning.${code}`, params), { code, peer, share, calls });
    },
  });
  return {
    translate,
    language,
    alarm,
    openCalls,
    openAnswers: createOpenAnswers(config.STREAM_LIMIT),
    limiter: createMemoryLimiter({ limits: windowsOf(config), clock }),
    writeError: createEnvelopeErrors(translate),
    metrics: createMetrics({
      openCalls: () => openCalls.count,
      warnings: () => alarm.warnings().map(({ code }) => code),
      models: [...new Set([config.MODEL, ...config.ALLOWED_MODELS])],
    }),
  };
}

function createDialects(config: Config, parts: Parts, pipeline: Pipeline): Dialect[] {
  const { openCalls, limiter, openAnswers, alarm, metrics, writeError, translate } = parts;
  const status = createStatus({
    openCalls,
    limiter,
    openAnswers,
    streamLimit: config.STREAM_LIMIT,
    warnings: alarm.warnings,
    metrics,
    metricsAccess: metricsAccess(config),
    writeError,
  });
  const envelope = createEnvelope({
    route: config.ROUTE,
    limits: envelopeLimits(config),
    maxBodyBytes: config.MAX_BODY_BYTES,
    pipeline,
    identify: createIdentify(config.ALLOWED_IPS),
    openCalls,
    translate,
  });
  return [status, envelope];
}

function createGate({ limiter, metrics }: Parts, clock: Clock): Gate {
  return {
    count: (writeError) =>
      createLimitMiddleware<AppEnv>({
        limiter,
        bucketOf: (c) => c.get("facts").client.bucket,
        onDecision: (c, decision) => {
          c.get("facts").limits = decision;
          metrics.decision(decision);
        },
        refuse: (c, decision) => writeError(c, rateLimited(decision, clock)),
      }),
    peek(c) {
      const facts = c.get("facts");
      facts.limits = limiter.peek(facts.client.bucket);
    },
  };
}

function transportOptions(config: Config, clock: Clock): TransportOptions {
  return {
    baseUrl: config.OPENAI_URL,
    proxyUrl: config.OPENAI_PROXY,
    connectMs: config.UPSTREAM_CONNECT_SECONDS * 1_000,
    idleMs: config.UPSTREAM_IDLE_SECONDS * 1_000,
    totalMs: config.UPSTREAM_TOTAL_SECONDS * 1_000,
    clock,
  };
}

function upstreamOptions(config: Config, transport: Transport): OpenAIUpstreamOptions {
  return {
    transport,
    answerMs: config.UPSTREAM_ANSWER_SECONDS * 1_000,
    firstTokenMs: config.UPSTREAM_FIRST_TOKEN_SECONDS * 1_000,
    maxAnswerBytes: config.MAX_ANSWER_BYTES,
    maxEventBytes: config.MAX_EVENT_BYTES,
  };
}

function envelopeLimits(config: Config): EnvelopeLimits {
  return {
    model: config.MODEL,
    allowedModels: config.ALLOWED_MODELS,
    maxTokens: config.MAX_TOKENS,
    maxTokensLimit: config.MAX_TOKENS_LIMIT,
  };
}

function windowsOf(config: Config) {
  return {
    second: config.SECOND_LIMIT,
    minute: config.MINUTE_LIMIT,
    hour: config.HOUR_LIMIT,
    day: config.DAY_LIMIT,
  };
}

function metricsAccess({ METRICS_PORT, METRICS_TOKEN }: Config) {
  if (METRICS_TOKEN !== "") return { token: METRICS_TOKEN };
  return METRICS_PORT === null ? "loopback" : "closed";
}
