import { createKeyDigest, createRequestIds, windowsOf } from "./adapters.ts";
import type { Config } from "./config/settings.ts";
import type { ProxyError } from "./core/errors.ts";
import type { Clock } from "./core/ports.ts";
import { type AddressWarning, createAddressAlarm } from "./dialects/edge/address-alarm.ts";
import { createClientAddress } from "./dialects/edge/client-address.ts";
import { createIdentify } from "./dialects/edge/credentials.ts";
import type { RequestEnd } from "./dialects/edge/facts.ts";
import { createAnswerTable } from "./dialects/edge/idempotency.ts";
import { createOpenCalls, maxHeldBytes } from "./dialects/edge/open-calls.ts";
import { createEnvelopeErrors } from "./dialects/envelope/routes.ts";
import { createBudget } from "./limits/budget.ts";
import { createMemoryLimiter } from "./limits/memory.ts";
import { createOpenAnswers } from "./limits/open-answers.ts";
import { createTranslate, defaultLanguage } from "./locales.ts";
import { describeError, type Log } from "./log.ts";
import { createMetrics } from "./metrics/metrics.ts";
import type { Storage } from "./storage/open.ts";
import type { Seat } from "./workers/seat.ts";

export interface PartsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly storage: Storage;
  readonly installationSecret: string;
  readonly seat: Seat;
}

/** What several others are made from, and what all transports share. */
export type Parts = ReturnType<typeof createParts>;

export function createParts(config: Config, options: PartsOptions) {
  const { clock, log, storage, installationSecret, seat } = options;
  const { cells } = seat;
  const translate = createTranslate();
  const language = defaultLanguage(config.LANG);
  const openCalls = createOpenCalls(
    createBudget(maxHeldBytes(config.MAX_BODY_BYTES), cells, "bodies"),
  );
  /** How many workers have each of the two warnings: the first tells of it. */
  const warned = cells.ints("address-warnings", 2);
  const placeOf = (code: AddressWarning["code"]) => (code === "shared_peer" ? 0 : 1);
  const alarm = createAddressAlarm({
    onCleared: (code) => void Atomics.sub(warned, placeOf(code), 1),
    onAlarm: ({ code, peer, share, calls }) => {
      if (Atomics.add(warned, placeOf(code), 1) > 0) return;
      const params = { peer: peer ?? "", percent: Math.round(share * 100) };
      log.warn(translate(language, `warning.${code}`, params), { code, peer, share, calls });
    },
  });
  const ownMetrics = createMetrics({
    openCalls: () => openCalls.count,
    warnings: () => alarm.warnings().map(({ code }) => code),
    models: [...new Set([config.MODEL, ...config.ALLOWED_MODELS])],
  });
  const metrics = { ...ownMetrics, render: seat.metrics(ownMetrics) };
  return {
    storage,
    clock,
    log,
    cells,
    answerTable: seat.answers(createAnswerTable(clock)),
    digestKey: createKeyDigest(installationSecret),
    translate,
    language,
    alarm,
    openCalls,
    metrics,
    newRequestId: createRequestIds(),
    resolveClient: createClientAddress(config.TRUSTED_PROXIES),
    openAnswers: createOpenAnswers(config.STREAM_LIMIT, cells),
    limiter: createMemoryLimiter({ limits: windowsOf(config), clock, cells }),
    writeError: createEnvelopeErrors(translate),
    identify: createIdentify({
      allowed: config.ALLOWED_IPS,
      tokensOnly: config.SHARED_KEY === "token",
      tokens: storage.tokens,
    }),
    /** Is told of errors nobody foresaw. */
    report: (requestId: string, error: ProxyError) => {
      log.error("unexpected error", { request_id: requestId, ...describeError(error.cause) });
    },
    onEnd: (end: RequestEnd) => {
      metrics.request(end);
      log.request(end);
    },
  };
}
