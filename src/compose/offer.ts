import packageJson from "../../package.json" with { type: "json" };
import { createAdmin } from "../admin/operations.ts";
import { createAdminDialect } from "../admin/routes.ts";
import type { Config } from "../config/settings.ts";
import type { Pipeline } from "../core/call/pipeline.ts";
import type { Dialogue } from "../core/conversations/dialogue.ts";
import { type AskQuestions, createAskQuestions } from "../dialects/ask/questions.ts";
import { createAsk } from "../dialects/ask/routes.ts";
import { MAX_CONNECTIONS } from "../dialects/ask/websocket/connection-limit.ts";
import { type AskWebSocket, createAskWebSocket } from "../dialects/ask/websocket/endpoint.ts";
import { maxUnfinishedBytes } from "../dialects/ask/websocket/message-buffer-limit.ts";
import { createChatAccess } from "../dialects/chats/access.ts";
import { createChats } from "../dialects/chats/routes.ts";
import { createCompletion } from "../dialects/completion/routes.ts";
import { createDocs } from "../dialects/docs/routes.ts";
import { envelopeErrors } from "../dialects/envelope/errors.ts";
import { createEnvelope } from "../dialects/envelope/routes.ts";
import { createHome } from "../dialects/home/routes.ts";
import { createModelFilter } from "../dialects/openai/models.ts";
import { createOpenAI } from "../dialects/openai/routes.ts";
import { createStatus } from "../dialects/status/routes.ts";
import type { ModelRules } from "../http/body/model-choice.ts";
import { createIdempotentAnswers } from "../http/call/idempotency.ts";
import type { CallOptions } from "../http/call/json-call.ts";
import { createNonHttpCalls } from "../http/call/non-http-calls.ts";
import type { Dialect } from "../http/dialect.ts";
import type { ListenerAt } from "../http/listener.ts";
import { createConcurrencyLimiter } from "../limits/concurrency.ts";
import { createSemaphore } from "../limits/semaphore.ts";
import type { Parts } from "./parts.ts";

/** What answers questions, whatever the dialect. */
export interface Answering {
  readonly pipeline: Pipeline;
  readonly dialogue: Dialogue;
}

/** Every HTTP dialect, in the order in which their paths are looked at. */
export function createDialects(config: Config, parts: Parts, answering: Answering): Dialect[] {
  const { pipeline } = answering;
  const { openCalls, limiter, concurrency, alarm, metrics, writeError, translate } = parts;
  const { storage, clock, digestKey } = parts;
  const status = createStatus({
    openCalls,
    limiter,
    concurrency,
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
  const completion = completionDialect(config, parts, pipeline);
  const envelope = createEnvelope({
    ...shared,
    route: config.ROUTE,
    limits: { ...rules, maxTokens: config.MAX_TOKENS },
    pipeline,
    translate,
  });
  const home = createHome(writeError);
  const chats = chatsDialect(config, parts, answering);
  const before = [status, openai, ...adminDialects(config, parts)];
  const after = [ask, completion, home, envelope, chats];
  return [...before, docsOf(config, parts, [...before, ...after]), ...after];
}

function completionDialect(config: Config, parts: Parts, pipeline: Pipeline): Dialect {
  return createCompletion({
    ...callOptions(config, parts),
    pipeline,
    rules: modelRules(config),
    accessToken: config.ACCESS_TOKEN,
    tokens: parts.storage.tokens,
    maxEventBytes: config.MAX_EVENT_BYTES,
    translate: parts.translate,
  });
}

function chatsDialect(config: Config, parts: Parts, { pipeline, dialogue }: Answering): Dialect {
  const { storage, digestKey, translate } = parts;
  const { CHATS_ACCESS, ADMIN_TOKEN: adminToken, MESSAGES_LENGTH, MODERATION_MODEL } = config;
  return createChats({
    ...callOptions(config, parts),
    conversations: storage.conversations,
    dialogue,
    pipeline,
    access: createChatAccess({ open: CHATS_ACCESS === "open", adminToken, digestKey }),
    rules: modelRules(config),
    maxMessages: MESSAGES_LENGTH,
    moderationModel: MODERATION_MODEL,
    translate,
  });
}

/** Every port beside that of HTTP. What a port needs is loaded only where it is set. */
export async function createListeners(
  config: Config,
  parts: Parts,
  answering: Answering,
): Promise<ListenerAt[]> {
  const { GRPC_PORT: port } = config;
  if (port === null) return [];
  const { createGrpcListener } = await import("../dialects/ask/grpc/listener.ts");
  const { GRPC_TLS_CERT: certPath, GRPC_TLS_KEY: keyPath } = config;
  const listener = createGrpcListener({
    ...parts,
    maxBodyBytes: config.MAX_BODY_BYTES,
    desk: createNonHttpCalls({ ...parts, onDecision: parts.metrics.decision }),
    questions: askQuestions(parts, answering),
    rules: modelRules(config),
    tls: certPath === "" ? null : { certPath, keyPath },
  });
  return [{ listener, port }];
}

function docsOf(config: Config, { writeError }: Parts, others: readonly Dialect[]): Dialect {
  const { version } = packageJson;
  const visitors = config.SHARED_KEY !== "token";
  return createDocs({ version, others, writeError, errors: envelopeErrors, visitors });
}

/** The ask dialect over WebSocket; it serves nothing until a server hands it handshakes. */
export function createWebSocket(config: Config, parts: Parts, answering: Answering): AskWebSocket {
  const { MAX_BODY_BYTES: maxMessageBytes, WS_CONNECTIONS: connectionLimit } = config;
  return createAskWebSocket({
    ...parts,
    desk: createNonHttpCalls({ ...parts, onDecision: parts.metrics.decision }),
    questions: askQuestions(parts, answering),
    rules: modelRules(config),
    maxMessageBytes,
    unfinishedRoom: createSemaphore(maxUnfinishedBytes(maxMessageBytes)),
    origins: config.WS_ORIGINS,
    connectionLimit,
    connectionsOf: createConcurrencyLimiter(connectionLimit),
    connectionRoom: createSemaphore(MAX_CONNECTIONS),
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
