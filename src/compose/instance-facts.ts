import { randomUUID } from "node:crypto";
import packageJson from "../../package.json" with { type: "json" };
import { safetySettings } from "../admin/doctor-local.ts";
import type { InstanceFacts } from "../admin/doctor-routes.ts";
import { folderSeen, noFolder } from "../admin/doctor-storage.ts";
import type { Config, SettingName } from "../config/settings.ts";
import { storageOptions } from "../config/storage.ts";
import type { StorageSeen } from "../doctor/local.ts";
import type { InstanceFactsRow } from "../storage/ledger/instance-facts.ts";
import type { Storage } from "../storage/open.ts";
import type { LimitStores } from "./limits.ts";

/** Settings in which copies may differ. */
const OWN: ReadonlySet<SettingName> = new Set(["PORT", "HOST", "DATA_DIR", "LANG", "LOG_LEVEL"]);

interface FactNeeds {
  readonly storage: Pick<
    Storage,
    "clock" | "instances" | "kind" | "ping" | "problem" | "sharedFacts"
  >;
  readonly limits: Pick<LimitStores, "shared">;
  readonly digestKey: (text: string) => string;
}

/** What `parley doctor` compares over all copies. */
export function instanceFacts(config: Config, needs: FactNeeds): InstanceFacts {
  const { storage, limits, digestKey } = needs;
  const { version } = packageJson;
  const settings = digestKey(settingsText(config));
  storage.sharedFacts.share({ version, settings });
  return {
    instance: randomUUID(),
    version,
    settings,
    inside: async () => ({
      storage: storageSeen(config, storage),
      copies: await copiesSeen({ version, settings }, needs),
      settings: safetySettings(config),
    }),
    instances: storage.instances,
    sharesLimits: limits.shared !== null,
    areLimitsUp: () => limits.shared === null || limits.shared.isUp(),
    pingDatabase: storage.ping,
  };
}

function settingsText(config: Config): string {
  const entries = Object.entries(config).filter(([name]) => !OWN.has(name as SettingName)); // or `given`
  return JSON.stringify(entries, (_name, value: unknown) => {
    if (value instanceof Set) return [...value].filter((name) => !OWN.has(name as SettingName));
    return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;
  });
}

function storageSeen(config: Config, { kind, problem, clock }: FactNeeds["storage"]): StorageSeen {
  const { sqliteFile } = storageOptions(config, clock, () => undefined);
  const folder = kind === "sqlite" ? folderSeen(sqliteFile, clock.wallMs()) : noFolder;
  return { kind, problem: problem()?.words ?? null, ...folder };
}

/** This copy, and what the others have told: they have the same database, so one of them asks it. */
async function copiesSeen(own: InstanceFactsRow, { storage, limits }: FactNeeds) {
  const { clock, instances, sharedFacts } = storage;
  const startedMs = clock.monotonicMs();
  const told = await sharedFacts.read().catch(() => null);
  const same = {
    alive: instances(),
    sharesLimits: limits.shared !== null,
    limitsUp: limits.shared === null || limits.shared.isUp(),
    databaseMs: told === null ? null : Math.round(clock.monotonicMs() - startedMs),
  };
  // the own row may not have been written yet
  const all = told === null || told.length === 0 ? [own] : told;
  return all.map((one) => ({ ...one, ...same }));
}
