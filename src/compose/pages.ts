import type { Config } from "../config/settings.ts";
import { createPages } from "../dialects/pages/routes.ts";
import type { Dialect } from "../http/dialect.ts";
import type { DialectNeeds } from "./dialects.ts";
import { addressLimits, type LimitStores } from "./limits.ts";

/** What people see of the server. */
export function composePages(config: Config, needs: DialectNeeds): readonly Dialect[] {
  const { storage, limits, routing, calls, translate, writeError } = needs;
  const sharedKey = sharesKey(config);
  return createPages({
    facts: {
      route: config.ROUTE,
      model: config.MODEL,
      models: config.ALLOWED_MODELS,
      maxTokens: config.MAX_TOKENS,
      maxTokensLimit: config.MAX_TOKENS_LIMIT,
      sharedKey,
      retentionDays: config.RETENTION_DAYS,
    },
    isDraining: () => calls.openCalls.retiring,
    isDatabaseUp: () => storage.problem() === null,
    limitsState: () => limitsState(limits),
    upstreams: () =>
      routing.states().map(({ name, restsMs }) => ({
        name: config.STATUS_UPSTREAMS === "names" ? name : null,
        state: restsMs > 0 ? "resting" : "up",
      })),
    lastDay: calls.counts.lastDay,
    isFailing: calls.recent.isFailing,
    limits: addressLimits(config),
    streams: config.STREAM_LIMIT,
    sharedKey,
    now: () => storage.clock.wallMs(),
    translate,
    writeError,
  });
}

/** Whether callers without a key or token may ask. */
export function sharesKey({ API_KEY, SHARED_KEY }: Config): boolean {
  return API_KEY.length > 0 && SHARED_KEY === "all";
}

function limitsState({ shared }: LimitStores) {
  if (shared === null || shared.isUp()) return "up";
  return shared.refuses ? "refusing" : "degraded";
}
