import { createAdmin } from "../admin/operations.ts";
import { createAdminDialect } from "../admin/routes.ts";
import { createUpstreamPorts } from "../admin/upstream-ports.ts";
import type { BreakerState } from "../admin/upstream-views.ts";
import type { Config } from "../config/settings.ts";
import type { StatusWarning } from "../dialects/status/routes.ts";
import type { Dialect } from "../http/dialect.ts";
import type { Translate } from "../locales.ts";
import type { Storage } from "../storage/open.ts";
import type { Calls } from "./calls.ts";
import { instanceFacts } from "./instance-facts.ts";
import type { LimitStores } from "./limits.ts";
import type { Operator } from "./operator.ts";
import type { LiveRouting } from "./routing.ts";

export interface AdminNeeds {
  readonly storage: Storage;
  readonly translate: Translate;
  readonly operator: Operator;
  readonly calls: Pick<Calls, "counts">;
  readonly warnings: () => readonly StatusWarning[];
  readonly live: Pick<LiveRouting, "store" | "restsMs">;
  readonly limits: Pick<LimitStores, "shared">;
  readonly digestKey: (text: string) => string;
}

/** The operator's API. */
export function composeAdmin(config: Config, needs: AdminNeeds): Dialect {
  const { storage, live, translate } = needs;
  const { access: operator, sessions } = needs.operator;
  const facts = instanceFacts(config, needs);
  const { tokens, groups, prices, ledger, reports, clock } = storage;
  const { store: routing } = live;
  const canSeal = config.SECRET_KEY.length > 0;
  const upstreams = {
    ...createUpstreamPorts(() => config, clock),
    stateOf: (name: string) => breakerState(live.restsMs(name)),
  };
  const callCounts = needs.calls.counts;
  const stores = { tokens, groups, prices, ledger, routing, reports, callCounts };
  const { warnings } = needs;
  const admin = createAdmin({ ...stores, upstreams, warnings, clock, canSeal });
  const { MAX_BODY_BYTES: maxBodyBytes } = config;
  return createAdminDialect({ admin, facts, clock, operator, sessions, maxBodyBytes, translate });
}

function breakerState(restsMs: number): BreakerState {
  return { state: restsMs > 0 ? "open" : "closed", retryAfterMs: restsMs };
}
