import { randomBytes } from "node:crypto";
import type { Config } from "../config/settings.ts";
import { createUnpricedModels } from "../core/accounts/unpriced-models.ts";
import type { ProxyError } from "../core/errors.ts";
import type { CallObserver, Clock, LimitDecision } from "../core/ports.ts";
import { type AddressAlarm, createAddressAlarm } from "../http/address/address-alarm.ts";
import { createClientAddress } from "../http/address/client-address.ts";
import { type CallStarter, createCallStarter } from "../http/call/begin-call.ts";
import { createIdentify, type Identify } from "../http/call/credentials.ts";
import { createGuessBrakes, type GuessBrakes } from "../http/call/guess-brake.ts";
import { createOpenCalls, type OpenCalls } from "../http/call/open-calls.ts";
import type { Gate } from "../http/dialect.ts";
import { createGate } from "../http/gate.ts";
import { defaultLanguage, type Language, type Translate } from "../locales.ts";
import type { Log } from "../log.ts";
import { createMetrics, type Metrics } from "../metrics/metrics.ts";
import { createRecentCalls, type RecentCalls } from "../metrics/recent-calls.ts";
import type { Storage } from "../storage/open.ts";
import { composeCallCounts, type LiveCounts } from "./call-counts.ts";
import { createStorageAlarm, describeFailure } from "./failures.ts";
import type { LimitStores } from "./limits.ts";
import type { LiveRouting } from "./routing.ts";

export interface CallNeeds {
  readonly clock: Clock;
  readonly log: Log;
  readonly storage: Storage;
  readonly limits: LimitStores;
  readonly routing: Pick<LiveRouting, "states">;
  readonly translate: Translate;
}

/** How calls begin and end on every transport, and what is observed of them. */
export interface Calls {
  readonly calls: CallStarter;
  readonly gate: Gate;
  readonly openCalls: OpenCalls;
  readonly identify: Identify;
  readonly brakes: GuessBrakes;
  readonly alarm: AddressAlarm;
  readonly metrics: Metrics;
  readonly observe: CallObserver;
  /** Of this instance, for the public state. */
  readonly recent: Pick<RecentCalls, "isFailing">;
  /** Of all instances. */
  readonly counts: LiveCounts;
  /** Logs an unexpected error. */
  readonly report: (requestId: string, error: ProxyError) => void;
}

export function composeCalls(config: Config, needs: CallNeeds): Calls {
  const { clock, log, storage, limits, routing, translate } = needs;
  const openCalls = createOpenCalls(config.MAX_BODY_BYTES, limits.answers);
  const language = defaultLanguage(config.LANG);
  const alarm = createAddressAlarm({
    onAlarm: ({ code, peer, share, calls }) => {
      const params = { peer: peer ?? "", percent: Math.round(share * 100) };
      const facts = { warning: code, peer, share, calls };
      log.warn(translate(language, `warning.${code}`, params), facts);
    },
  });
  const metrics = createMetrics({
    openCalls: () => openCalls.count,
    droppedLogLines: log.dropped,
    isDatabaseUp: () => storage.problem() === null,
    sharedStore: limits.shared,
    upstreams: routing.states,
    warnings: () => alarm.warnings().map(({ code }) => code),
    models: [...new Set([config.MODEL, ...config.ALLOWED_MODELS])],
  });
  const recent = createRecentCalls(storage.clock);
  const counts = composeCallCounts(storage);
  const onDecision = (decision: LimitDecision): void => {
    metrics.decision(decision);
    counts.decision(decision);
  };
  const alarmStorage = createStorageAlarm(log, clock);
  const calls = createCallStarter({
    clock: storage.clock,
    newRequestId: createRequestIds(),
    defaultLanguage: language,
    resolveClient: createClientAddress(config.TRUSTED_PROXIES),
    alarm,
    openCalls,
    limiter: limits.limiter,
    onDecision,
    onEnd: (end) => {
      const { error } = end.context;
      if (error?.code === "storage_unavailable") alarmStorage(error.cause);
      metrics.request(end);
      log.request(end);
    },
  });
  const brakes = composeBrakes(needs, language);
  const identify = composeIdentify(config, storage, brakes);
  const report = createReport(log);
  // when a refused caller may come again is told in the time of all instances
  const gate = createGate(limits.limiter, onDecision, storage.clock);
  const observe = createObserve([metrics, recent, counts], needs, language);
  const observed = { alarm, metrics, observe, recent, counts };
  return { calls, gate, openCalls, identify, brakes, ...observed, report };
}

function composeBrakes({ clock, log, translate }: CallNeeds, language: Language): GuessBrakes {
  const warnAs = (warning: string) => (attempts: number, client: string) => {
    const params = { attempts, client };
    log.warn(translate(language, `warning.${warning}`, params), { warning, ...params });
  };
  return createGuessBrakes({
    clock,
    onGuessing: warnAs("wrong_tokens"),
    onOperatorGuess: warnAs("wrong_operator_token"),
  });
}

function createObserve(
  observers: readonly Pick<Metrics | RecentCalls | LiveCounts, "call">[],
  { clock, log, translate }: CallNeeds,
  language: Language,
): CallObserver {
  const noticeUnpriced = createUnpricedModels(clock, (models) => {
    const text = translate(language, "warning.models_not_priced", { models: models.join(", ") });
    log.warn(text, { warning: "models_not_priced", models });
  });
  return (record) => {
    for (const one of observers) one.call(record);
    noticeUnpriced(record);
  };
}

function composeIdentify(config: Config, storage: Storage, brakes: GuessBrakes): Identify {
  return createIdentify({
    allowed: config.ALLOWED_IPS,
    tokensOnly: config.SHARED_KEY === "token",
    takesAnthropicKeys: config.OPENAI_KIND === "anthropic",
    tokens: storage.tokens,
    brake: brakes.callers,
  });
}

function createReport(log: Log): Calls["report"] {
  return (requestId, error) => {
    log.error("unexpected error", { request_id: requestId, ...describeFailure(error.cause) });
  };
}

/** Unique over processes and restarts by 60 random bits, in a process by counting. */
function createRequestIds(): () => string {
  const own = randomBytes(8).toString("base64url").slice(0, 10).replace(/[-_]/g, "0");
  let count = 0;
  return () => {
    count += 1;
    return `req-${own}-${count.toString(36)}`;
  };
}
