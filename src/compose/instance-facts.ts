import { randomUUID } from "node:crypto";
import packageJson from "../../package.json" with { type: "json" };
import type { InstanceFacts } from "../admin/doctor-routes.ts";
import type { Config, SettingName } from "../config/settings.ts";
import type { Storage } from "../storage/open.ts";
import type { LimitStores } from "./limits.ts";

/** Settings in which copies may differ. */
const OWN: ReadonlySet<SettingName> = new Set(["PORT", "HOST", "DATA_DIR", "LANG", "LOG_LEVEL"]);

interface FactNeeds {
  readonly storage: Pick<Storage, "instances" | "ping">;
  readonly limits: Pick<LimitStores, "shared">;
  readonly digestKey: (text: string) => string;
}

/** What `parley doctor` compares over all copies. */
export function instanceFacts(config: Config, needs: FactNeeds): InstanceFacts {
  const { storage, limits, digestKey } = needs;
  return {
    instance: randomUUID(),
    version: packageJson.version,
    settings: digestKey(settingsText(config)),
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
