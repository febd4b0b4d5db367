import { createAdmin } from "./admin/operations.ts";
import { createAdminDialect } from "./admin/routes.ts";
import type { Config } from "./config/settings.ts";
import type { Dialogue } from "./core/dialogue.ts";
import type { Pipeline } from "./core/pipeline.ts";
import { createAsk } from "./dialects/ask/http.ts";
import { type AskQuestions, createAskQuestions } from "./dialects/ask/questions.ts";
import { type AskWebSocket, createAskWebSocket } from "./dialects/ask/websocket.ts";
import type { Dialect } from "./dialects/dialect.ts";
import { createCallDesk } from "./dialects/edge/call-desk.ts";
import { createIdempotentAnswers } from "./dialects/edge/idempotency.ts";
import type { CallOptions } from "./dialects/edge/json-call.ts";
import type { ModelRules } from "./dialects/edge/model-choice.ts";
import { createEnvelope } from "./dialects/envelope/routes.ts";
import { createHome } from "./dialects/home/routes.ts";
import { createModelFilter } from "./dialects/openai/models.ts";
import { createOpenAI } from "./dialects/openai/routes.ts";
import { createStatus } from "./dialects/status/routes.ts";
import type { Parts } from "./parts.ts";

/** What answers questions, whatever the dialect. */
export interface Answering {
  readonly pipeline: Pipeline;
  readonly dialogue: Dialogue;
}

/** Every HTTP dialect, in the order in which their paths are looked at. */
export function createDialects(config: Config, parts: Parts, answering: Answering): Dialect[] {
  const { pipeline } = answering;
  const { openCalls, limiter, openAnswers, alarm, metrics, writeError, translate } = parts;
  const { storage, clock, digestKey } = parts;
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
  const shared = callOptions(config, parts);
  const openai = createOpenAI({
    ...shared,
    pipeline,
    idempotent: createIdempotentAnswers(clock, digestKey),
    modelFilter: createModelFilter(storage.prices, clock),
    ledger: storage.ledger,
    translate,
  });
  const rules = modelRules(config);
  const ask = createAsk({ ...shared, questions: askQuestions(parts, answering), rules, translate });
  const envelope = createEnvelope({
    ...shared,
    route: config.ROUTE,
    limits: { ...rules, maxTokens: config.MAX_TOKENS },
    pipeline,
    translate,
  });
  const home = createHome(writeError);
  return [status, openai, ...adminDialects(config, parts), ask, home, envelope];
}

/** The ask dialect over WebSocket; it serves nothing until a server hands it handshakes. */
export function createWebSocket(config: Config, parts: Parts, answering: Answering): AskWebSocket {
  return createAskWebSocket({
    ...parts,
    desk: createCallDesk({ ...parts, onDecision: parts.metrics.decision }),
    questions: askQuestions(parts, answering),
    rules: modelRules(config),
    maxMessageBytes: config.MAX_BODY_BYTES,
    origins: config.WS_ORIGINS,
    connectionLimit: config.WS_CONNECTIONS,
    idleMs: config.WS_IDLE_SECONDS * 1_000,
  });
}

function askQuestions(parts: Parts, { dialogue }: Answering): AskQuestions {
  const { storage, digestKey } = parts;
  return createAskQuestions({ conversations: storage.conversations, dialogue, digestKey });
}

function callOptions(config: Config, { identify, openCalls }: Parts): CallOptions {
  return { maxBodyBytes: config.MAX_BODY_BYTES, identify, openCalls };
}

function modelRules(config: Config): ModelRules {
  return {
    model: config.MODEL,
    allowedModels: config.ALLOWED_MODELS,
    maxTokensLimit: config.MAX_TOKENS_LIMIT,
  };
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

function metricsAccess({ METRICS_PORT, METRICS_TOKEN }: Config) {
  if (METRICS_TOKEN !== "") return { token: METRICS_TOKEN };
  return METRICS_PORT === null ? "loopback" : "closed";
}
