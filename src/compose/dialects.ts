import packageJson from "../../package.json" with { type: "json" };
import type { Config } from "../config/settings.ts";
import { createTokenState } from "../core/accounts/token-state.ts";
import type { Pipeline } from "../core/call/pipeline.ts";
import type { Dialogue } from "../core/conversations/turn.ts";
import { createAnthropic } from "../dialects/anthropic/routes.ts";
import type { TreeDialogue } from "../dialects/ask/questions.ts";
import { createAskTrees } from "../dialects/ask/routes.ts";
import { createChatAccess } from "../dialects/chats/access.ts";
import { createChats } from "../dialects/chats/routes.ts";
import { createCompletion } from "../dialects/completion/routes.ts";
import { createDocs } from "../dialects/docs/routes.ts";
import { envelopeErrors } from "../dialects/envelope/errors.ts";
import { createEnvelope } from "../dialects/envelope/routes.ts";
import { createCountFree } from "../dialects/openai/free-calls.ts";
import { createModelFilter } from "../dialects/openai/models.ts";
import { createOpenAI } from "../dialects/openai/routes.ts";
import { createStoredOwners } from "../dialects/openai/stored-owners.ts";
import {
  createStatus,
  type InstancesWarning,
  type StatusWarning,
} from "../dialects/status/routes.ts";
import { createFormRoom } from "../http/body/form-room.ts";
import type { ModelRules } from "../http/body/model-choice.ts";
import { isAnthropicClient } from "../http/call/anthropic-client.ts";
import { createIdempotent } from "../http/call/idempotency.ts";
import type { Dialect, WriteError } from "../http/dialect.ts";
import type { Translate } from "../locales.ts";
import type { Storage } from "../storage/open.ts";
import { composeAdmin } from "./admin.ts";
import type { Calls } from "./calls.ts";
import type { LimitStores } from "./limits.ts";
import type { Operator } from "./operator.ts";
import { composePages, sharesKey } from "./pages.ts";
import type { LiveRouting, UpstreamState } from "./routing.ts";

export interface DialectNeeds {
  readonly storage: Storage;
  readonly limits: LimitStores;
  readonly calls: Calls;
  readonly operator: Operator;
  readonly routing: LiveRouting;
  readonly pipeline: Pipeline;
  readonly dialogue: Dialogue;
  readonly questions: TreeDialogue;
  readonly digestKey: (key: string) => string;
  readonly translate: Translate;
  /** Answers the paths that no dialect owns. */
  readonly writeError: WriteError;
}

/** Every HTTP dialect, in the order in which paths are matched. */
export function composeDialects(config: Config, needs: DialectNeeds): Dialect[] {
  const { storage, pipeline, questions, translate, writeError } = needs;
  const { openCalls, identify, brakes } = needs.calls;
  const { MAX_BODY_BYTES: maxBodyBytes } = config;
  const rules = modelRules(config);

  const ask = createAskTrees({ maxBodyBytes, identify, openCalls, questions, rules, translate });
  const completion = createCompletion({
    maxBodyBytes,
    identify,
    openCalls,
    pipeline,
    rules,
    accessToken: config.ACCESS_TOKEN,
    tokens: storage.tokens,
    brake: brakes.callers,
    maxEventBytes: config.MAX_EVENT_BYTES,
    translate,
  });
  const envelope = createEnvelope({
    maxBodyBytes,
    identify,
    openCalls,
    route: config.ROUTE,
    limits: { ...rules, maxTokens: config.MAX_TOKENS },
    sharedKey: sharesKey(config),
    pipeline,
    translate,
  });
  // chats last: its paths hold a client's own name and would take those of others
  const before = [
    composeStatus(config, needs),
    ...composePages(config, needs),
    ...composeRelays(config, needs),
    composeAdmin(config, {
      ...needs,
      live: needs.routing,
      warnings: () => warningsIn(needs),
    }),
  ];
  const after = [ask, completion, envelope, composeChats(config, needs)];
  const docs = createDocs({
    version: packageJson.version,
    others: [...before, ...after],
    writeError,
    errors: envelopeErrors,
    visitors: config.SHARED_KEY !== "token",
  });
  return [...before, docs, ...after];
}

/** The dialects below /v1. Where both may be meant, the client's headers tell the language of errors. */
function composeRelays(config: Config, needs: DialectNeeds): Dialect[] {
  const { storage, limits, pipeline, routing, digestKey, translate } = needs;
  const { openCalls, identify } = needs.calls;
  const { prices, clock } = storage;
  const rules = modelRules(config);
  const common = {
    maxBodyBytes: config.MAX_BODY_BYTES,
    identify,
    openCalls,
    pipeline,
    formRoom: createFormRoom(config.MAX_UPLOAD_BYTES),
    countFree: createCountFree(limits.tokenLimiter, storage.clock),
    storedOwners: createStoredOwners(storage.storedObjects, digestKey),
    idempotent: createIdempotent(limits.idempotency, digestKey, maxCallMs(config)),
    modelFilter: createModelFilter({ prices, clock, routing }, rules),
    routing,
    rules,
    model: config.MODEL,
    translate,
  };
  const anthropic = createAnthropic(common);
  const openai = createOpenAI({
    ...common,
    maxUploadBytes: config.MAX_UPLOAD_BYTES,
    moderationModel: config.MODERATION_MODEL,
    visitorModels: visitorModels(config),
    ledger: storage.ledger,
    stateOf: createTokenState({ ...limits, ledger: storage.ledger, clock: storage.clock }),
  });
  const writeError: WriteError = (c, error) => {
    const isAnthropic = isAnthropicClient(c.env.incoming.headers);
    return (isAnthropic ? anthropic : openai).writeError(c, error);
  };
  return [anthropic, { ...openai, writeError }];
}

/** Where any model may be asked, visitors get no list: only the service has one, and it costs a request. */
function visitorModels({ API_KEY, SHARED_KEY, MODEL, ALLOWED_MODELS }: Config): readonly string[] {
  const isShared = API_KEY.length > 0 && SHARED_KEY === "all";
  return isShared && ALLOWED_MODELS.length > 0 ? [...new Set([MODEL, ...ALLOWED_MODELS])] : [];
}

function composeStatus(config: Config, needs: DialectNeeds): Dialect {
  const { storage, limits, routing, writeError } = needs;
  const { openCalls, metrics } = needs.calls;
  return createStatus({
    openCalls,
    limiter: limits.limiter,
    concurrency: limits.concurrency,
    streamLimit: config.STREAM_LIMIT,
    warnings: () => warningsIn(needs),
    degraded: () => [
      ...(limits.shared === null || limits.shared.isUp() ? [] : (["limits"] as const)),
      ...(routing.states().some(({ restsMs }) => restsMs > 0) ? (["upstreams"] as const) : []),
    ],
    upstreams: () => breakersOf(routing.states()),
    areLimitsUp: () => !limits.shared?.refuses || limits.shared.isUp(),
    pingDatabase: storage.ping,
    metrics,
    metricsAccess: metricsAccess(config),
    brake: needs.calls.brakes.metrics,
    writeError,
  });
}

function breakersOf(states: readonly UpstreamState[]) {
  if (states.length < 2) return null;
  const state = (restsMs: number) => (restsMs > 0 ? "open" : "closed");
  return Object.fromEntries(states.map(({ name, restsMs }) => [name, state(restsMs)] as const));
}

function composeChats(config: Config, needs: DialectNeeds): Dialect {
  const { storage, pipeline, dialogue, digestKey, translate } = needs;
  const { openCalls, identify } = needs.calls;
  return createChats({
    maxBodyBytes: config.MAX_BODY_BYTES,
    identify,
    openCalls,
    conversations: storage.conversations,
    dialogue,
    pipeline,
    access: createChatAccess({
      open: config.CHATS_ACCESS === "open",
      digestKey,
      accepted: storage.acceptedOwners,
      operator: needs.operator.access,
    }),
    rules: modelRules(config),
    maxMessages: config.MESSAGES_LENGTH,
    moderationModel: config.MODERATION_MODEL,
    translate,
  });
}

export function modelRules(config: Config): ModelRules {
  const { given } = config;
  return {
    model: config.MODEL,
    allowedModels: config.ALLOWED_MODELS,
    usualTokens: given.has("MAX_TOKENS") ? config.MAX_TOKENS : config.MAX_TOKENS_LIMIT,
    maxTokensLimit: config.MAX_TOKENS_LIMIT,
    maxTokensPassedOn: given.has("MAX_TOKENS_LIMIT") ? config.MAX_TOKENS_LIMIT : null,
  };
}

function metricsAccess({ METRICS_PORT, METRICS_TOKEN }: Config) {
  if (METRICS_TOKEN !== "") return { token: METRICS_TOKEN };
  return METRICS_PORT === null ? "loopback" : "closed";
}

function maxCallMs({ UPSTREAM_TOTAL_SECONDS: seconds }: Config): number {
  return seconds * 1_000;
}

function warningsIn(needs: DialectNeeds): readonly StatusWarning[] {
  return [...needs.calls.alarm.warnings(), ...apartWarnings(needs)];
}

/** Several instances of which each counts by itself. */
function apartWarnings({ storage, limits }: DialectNeeds): readonly InstancesWarning[] {
  const instances = storage.instances();
  return limits.shared === null && instances > 1 ? [{ code: "limits_apart", instances }] : [];
}
