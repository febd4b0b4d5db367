import { hash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import type { RedisTarget } from "../config/redis-url.ts";
import type { Config } from "../config/settings.ts";
import type { Clock } from "../core/ports.ts";
import { createSharedAmounts } from "../limits/shared/amounts.ts";
import { openStore, StoreMistake, type WatchedStore } from "../limits/shared/availability.ts";
import { type Beat, createBeat } from "../limits/shared/beat.ts";
import { createSharedBreakers } from "../limits/shared/breakers.ts";
import { connect } from "../limits/shared/connection.ts";
import { createSharedCooldowns } from "../limits/shared/cooldowns.ts";
import { createSharedIdempotency } from "../limits/shared/idempotency.ts";
import { RENEW_MS } from "../limits/shared/lease-book.ts";
import { createSharedLeases } from "../limits/shared/leases.ts";
import { createSharedLimiter, createSharedTokenLimiter } from "../limits/shared/limiter.ts";
import { otherProtocol } from "../limits/shared/other-protocol.ts";
import { createKey } from "../limits/shared/store.ts";
import { createTranslate, defaultLanguage } from "../locales.ts";
import type { Log } from "../log.ts";
import { createStoreFigures, type StoreFigures } from "../metrics/store-figures.ts";
import { SettingMistake } from "./failures.ts";
import { addressLimits, type LimitStores } from "./limits.ts";

export interface SharedLimitsNeeds {
  readonly clock: Clock;
  readonly log: Log;
  /** Of this installation. */
  readonly secret: string;
  readonly target: RedisTarget;
  /** On this database: for as long as the store has told nothing. */
  readonly instancesAlive: () => number;
  /** Decides while the store is away. */
  readonly memory: LimitStores;
}

/** Puts the store that all instances share before the memory of this one. Throws SettingMistake. */
export async function composeSharedLimits(
  config: Config,
  needs: SharedLimitsNeeds,
): Promise<LimitStores> {
  const { memory, clock, secret } = needs;
  const figures = createStoreFigures();
  const copyId = randomUUID();
  const key = createKey(`parley:${installationIn(secret)}:`);
  const beat = createBeat({ copyId, key });
  const store = await openShared(config, needs, { beat, key, figures });
  const refuses = config.LIMITS_WITHOUT_REDIS === "refuse";
  const counts = { store, clock, refusesAlone: refuses };
  const leases = createSharedLeases({ store, copyId, clock });
  const renewal = setInterval(() => void leases.renew(), RENEW_MS);
  return {
    ...memory,
    limiter: createSharedLimiter(addressLimits(config), counts),
    tokenLimiter: createSharedTokenLimiter(counts),
    tokenMinutes: createSharedAmounts(counts),
    tokenCalls: leases.openCalls("token-open"),
    concurrency: leases.limiter("streams", config.STREAM_LIMIT),
    connections: leases.limiter("connections", config.WS_CONNECTIONS),
    cooldowns: createSharedCooldowns({ store, beat, clock }),
    breakers: createSharedBreakers({ store, copyId, beat, clock }),
    upstreamCalls: leases.openCalls("upstreams"),
    idempotency: createSharedIdempotency({ store, clock, secret }),
    shared: {
      isUp: () => !store.isAway(),
      instances: () => store.copies(),
      refuses,
      figures,
      async close() {
        clearInterval(renewal);
        await store.close();
      },
    },
  };
}

interface Watched {
  readonly beat: Beat;
  readonly key: WatchedStore["key"];
  readonly figures: StoreFigures;
}

async function openShared(
  config: Config,
  { clock, log, target, instancesAlive }: SharedLimitsNeeds,
  { beat, key, figures }: Watched,
): Promise<WatchedStore> {
  const text = createTranslate();
  const { username, password, db, ...where } = target;
  const ca = config.REDIS_CA_FILE === "" ? null : readFileSync(config.REDIS_CA_FILE, "utf8");
  const address = { target: where, username, password, db, ca };
  const otherwiseCopies = () => Math.max(config.INSTANCES, instancesAlive());
  const instances = () => beat.copies() ?? otherwiseCopies();
  const opening = openStore({
    connect: (onLost) => connect(address, onLost),
    otherProtocol: () => otherProtocol(address),
    beat,
    key,
    clock,
    otherwiseCopies,
    onAway: ({ kind, words }) => {
      const params = { instances: instances() };
      const message = text(defaultLanguage(config.LANG), "warning.limits_divided", params);
      log.warn(message, { warning: "limits_divided", cause: kind, reason: words, ...params });
    },
    onBack: (awayMs) => log.info("limits are shared", { after_ms: Math.round(awayMs) }),
    onDecision: figures.decision,
  });
  return opening.catch((error: unknown) => {
    if (!(error instanceof StoreMistake)) throw error;
    const name = config.REDIS_URL === null ? "REDIS_HOST" : "REDIS_URL";
    const params = { reason: error.message };
    throw new SettingMistake({ name, key: `redis_${error.kind}`, params });
  });
}

/** Tells installations apart that use one store, and says nothing of the secret. */
function installationIn(secret: string): string {
  return hash("sha256", `shared store\n${secret}`).slice(0, 12);
}
