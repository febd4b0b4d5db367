import type { Config } from "../config/settings.ts";
import type { ProxyError } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import { createEnvelopeErrors } from "../dialects/envelope/routes.ts";
import { createAddressAlarm } from "../http/address/address-alarm.ts";
import { createClientAddress } from "../http/address/client-address.ts";
import { createIdentify } from "../http/call/credentials.ts";
import { createOpenCalls, maxHeldBytes } from "../http/call/open-calls.ts";
import type { RequestEnd } from "../http/call/request-context.ts";
import { createConcurrencyLimiter } from "../limits/concurrency.ts";
import { createMemoryLimiter } from "../limits/memory-limiter.ts";
import { createSemaphore } from "../limits/semaphore.ts";
import { createTranslate, defaultLanguage } from "../locales.ts";
import { describeError, type Log } from "../log.ts";
import { createMetrics } from "../metrics/metrics.ts";
import type { Storage } from "../storage/open.ts";
import { createKeyDigest, createRequestIds, windowsOf } from "./adapters.ts";

export interface PartsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly storage: Storage;
  readonly installationSecret: string;
}

/** What several others are made from, and what all transports share. */
export type Parts = ReturnType<typeof createParts>;

export function createParts(config: Config, options: PartsOptions) {
  const { clock, log, storage, installationSecret } = options;
  const translate = createTranslate();
  const language = defaultLanguage(config.LANG);
  const openCalls = createOpenCalls(createSemaphore(maxHeldBytes(config.MAX_BODY_BYTES)));
  const alarm = createAddressAlarm({
    onAlarm: ({ code, peer, share, calls }) => {
      const params = { peer: peer ?? "", percent: Math.round(share * 100) };
      log.warn(translate(language, `warning.${code}`, params), { code, peer, share, calls });
    },
  });
  const metrics = createMetrics({
    openCalls: () => openCalls.count,
    warnings: () => alarm.warnings().map(({ code }) => code),
    models: [...new Set([config.MODEL, ...config.ALLOWED_MODELS])],
  });
  return {
    storage,
    clock,
    log,
    digestKey: createKeyDigest(installationSecret),
    translate,
    language,
    alarm,
    openCalls,
    metrics,
    newRequestId: createRequestIds(),
    resolveClient: createClientAddress(config.TRUSTED_PROXIES),
    concurrency: createConcurrencyLimiter(config.STREAM_LIMIT),
    limiter: createMemoryLimiter({ limits: windowsOf(config), clock }),
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
