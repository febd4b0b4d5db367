import { createAdmin } from "../admin/operations.ts";
import { createAdminDialect } from "../admin/routes.ts";
import type { UpstreamPorts } from "../admin/upstream-operations.ts";
import { createUpstreamPorts } from "../admin/upstream-ports.ts";
import type { Config } from "../config/settings.ts";
import type { GuessBrake } from "../http/call/guess-brake.ts";
import type { Dialect } from "../http/dialect.ts";
import type { Translate } from "../locales.ts";
import type { Storage } from "../storage/open.ts";

export interface AdminNeeds {
  readonly storage: Storage;
  readonly translate: Translate;
  readonly brake: GuessBrake;
  /** Tells how the breaker of an upstream stands. */
  readonly breakerOf?: UpstreamPorts["stateOf"];
}

/** The operator's API; without ADMIN_TOKEN nothing exists under /admin. */
export function composeAdmin(config: Config, needs: AdminNeeds): Dialect[] {
  if (config.ADMIN_TOKEN === null) return [];
  const { storage, translate, brake, breakerOf } = needs;
  const { tokens, prices, ledger, routing, clock } = storage;
  const canSeal = config.SECRET_KEY.length > 0;
  const upstreams = { ...createUpstreamPorts(() => config, clock), stateOf: breakerOf };
  const admin = createAdmin({ tokens, prices, ledger, routing, upstreams, clock, canSeal });
  const { ADMIN_TOKEN: token, MAX_BODY_BYTES: maxBodyBytes } = config;
  return [createAdminDialect({ admin, token, brake, maxBodyBytes, translate })];
}
