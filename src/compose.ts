import type { Server } from "node:http";
import {
  createKeyDigest,
  createRequestIds,
  createUpstreamTransport,
  upstreamsOf,
  windowsOf,
} from "./adapters.ts";
import { createAdmin } from "./admin/operations.ts";
import { createAdminDialect } from "./admin/routes.ts";
import { createApp } from "./app.ts";
import type { Config } from "./config/settings.ts";
import { storageOptions } from "./config/storage.ts";
import { createAdmission } from "./core/admission.ts";
import { createKeyRing } from "./core/key-ring.ts";
import { createPatience } from "./core/patience.ts";
import { createPipeline, type Pipeline } from "./core/pipeline.ts";
import type { Clock } from "./core/ports.ts";
import type { Dialect } from "./dialects/dialect.ts";
import { createAddressAlarm } from "./dialects/edge/address-alarm.ts";
import { createClientAddress } from "./dialects/edge/client-address.ts";
import { createIdentify } from "./dialects/edge/credentials.ts";
import { createIdempotentAnswers } from "./dialects/edge/idempotency.ts";
import { createOpenCalls, type OpenCalls } from "./dialects/edge/open-calls.ts";
import { createEnvelope, createEnvelopeErrors } from "./dialects/envelope/routes.ts";
import type { EnvelopeLimits } from "./dialects/envelope/wire.ts";
import { createModelFilter } from "./dialects/openai/models.ts";
import { createOpenAI } from "./dialects/openai/routes.ts";
import { createStatus } from "./dialects/status/routes.ts";
import { createGate } from "./gate.ts";
import { createMemoryLimiter } from "./limits/memory.ts";
import { createOpenAnswers } from "./limits/open-answers.ts";
import { createTokenLimits } from "./limits/token-limits.ts";
import { createTranslate, defaultLanguage } from "./locales.ts";
import { describeError, type Log } from "./log.ts";
import { createMetrics } from "./metrics/metrics.ts";
import { createHttpServer, createMetricsServer } from "./server.ts";
import { openStorage, type Storage } from "./storage/open.ts";
import { startRetention } from "./storage/retention.ts";

export interface Parley {
  readonly server: Server;
  /** Serves metrics alone, when they have a port of their own. */
  readonly metricsServer: Server | null;
  readonly openCalls: OpenCalls;
  close(): Promise<void>;
}

/** Chooses every adapter and connects them: the one place that knows them all. */
export async function compose(
  config: Config,
  { clock, log }: { clock: Clock; log: Log },
): Promise<Parley> {
  const storage = await openAccounts(config, clock, log);
  const parts = createParts(config, clock, log, storage);
  const { metrics, openCalls, translate, language } = parts;
  const transport = createUpstreamTransport(config, clock);
  const pipeline = createPipeline({
    ...upstreamsOf(config, transport),
    admission: createAdmission({
      ledger: storage.ledger,
      prices: storage.prices,
      clock,
      digestKey: parts.digestKey,
      countToken: createTokenLimits(clock),
      onDisconnect: config.ON_DISCONNECT.name,
    }),
    keyRing: createKeyRing(config.API_KEY, clock),
    openAnswers: parts.openAnswers,
    streamLimit: config.STREAM_LIMIT,
    clock,
    retries: config.RETRIES,
    patience: createPatience(config.ON_DISCONNECT.drainMs, clock),
    observe: metrics.call,
    onLost: (record, error) => {
      log.error("ledger row not written", { record, ...describeError(error) });
    },
  });
  const app = createApp({
    dialects: createDialects(config, parts, pipeline),
    facts: {
      clock,
      newRequestId: createRequestIds(),
      defaultLanguage: language,
      resolveClient: createClientAddress(config.TRUSTED_PROXIES),
      alarm: parts.alarm,
      openCalls,
      onEnd: (end) => {
        metrics.request(end);
        log.request(end);
      },
    },
    gate: createGate(parts.limiter, metrics.decision, clock),
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
    close: async () => {
      await pipeline.close();
      await transport.close();
      await storage.close();
    },
  };

  /** Before a request could be read there is no client to ask for a language. */
  function unreadable(code: number): string {
    const data = { response: translate(language, "error.bad_request"), error: "bad_request" };
    return JSON.stringify({ code, msg: translate(language, "failed"), data });
  }
}

/** Tokens, prices and the ledger, from which rows that are too old go by themselves. */
async function openAccounts(config: Config, clock: Clock, log: Log): Promise<Storage> {
  const onError = (error: unknown) => log.error("database", describeError(error));
  const storage = await openStorage(storageOptions(config, clock, onError));
  const stopRetention = startRetention({
    ledger: storage.ledger,
    clock,
    days: config.RETENTION_DAYS,
    onPurged: (rows) => log.info("old ledger rows deleted", { rows }),
    onError,
  });
  return {
    ...storage,
    close: async () => {
      await stopRetention();
      await storage.close();
    },
  };
}

type Parts = ReturnType<typeof createParts>;

/** What several others are made from. */
function createParts(config: Config, clock: Clock, log: Log, storage: Storage) {
  const translate = createTranslate();
  const language = defaultLanguage(config.LANG);
  const openCalls = createOpenCalls(config.MAX_BODY_BYTES);
  const alarm = createAddressAlarm({
    onAlarm: ({ code, peer, share, calls }) => {
      const params = { peer: peer ?? "", percent: Math.round(share * 100) };
      log.warn(translate(language, `warning.${code}`, params), { code, peer, share, calls });
    },
  });
  return {
    storage,
    clock,
    digestKey: createKeyDigest(config.SECRET_KEY[0] ?? null),
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
  const { storage, clock, digestKey } = parts;
  const identify = createIdentify({
    allowed: config.ALLOWED_IPS,
    tokensOnly: config.SHARED_KEY === "token",
    tokens: storage.tokens,
  });
  const status = createStatus({
    openCalls,
    limiter,
    openAnswers,
    streamLimit: config.STREAM_LIMIT,
    warnings: alarm.warnings,
    pingDatabase: storage.ping,
    metrics,
    metricsAccess: metricsAccess(config),
    writeError,
  });
  const envelope = createEnvelope({
    route: config.ROUTE,
    limits: envelopeLimits(config),
    maxBodyBytes: config.MAX_BODY_BYTES,
    pipeline,
    identify,
    openCalls,
    translate,
  });
  const openai = createOpenAI({
    maxBodyBytes: config.MAX_BODY_BYTES,
    pipeline,
    identify,
    openCalls,
    idempotent: createIdempotentAnswers(clock, digestKey),
    modelFilter: createModelFilter(storage.prices, clock),
    ledger: storage.ledger,
    translate,
  });
  return [status, openai, ...adminDialects(config, parts), envelope];
}

/** Without ADMIN_TOKEN there is nothing under /admin. */
function adminDialects(config: Config, { storage, clock, translate }: Parts): Dialect[] {
  if (config.ADMIN_TOKEN === null) return [];
  const { tokens, prices, ledger } = storage;
  const canSeal = config.SECRET_KEY.length > 0;
  const admin = createAdmin({ tokens, prices, ledger, clock, canSeal });
  const { ADMIN_TOKEN: token, MAX_BODY_BYTES: maxBodyBytes } = config;
  return [createAdminDialect({ admin, token, maxBodyBytes, translate })];
}

function envelopeLimits(config: Config): EnvelopeLimits {
  return {
    model: config.MODEL,
    allowedModels: config.ALLOWED_MODELS,
    maxTokens: config.MAX_TOKENS,
    maxTokensLimit: config.MAX_TOKENS_LIMIT,
  };
}

function metricsAccess({ METRICS_PORT, METRICS_TOKEN }: Config) {
  if (METRICS_TOKEN !== "") return { token: METRICS_TOKEN };
  return METRICS_PORT === null ? "loopback" : "closed";
}
