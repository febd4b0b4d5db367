import type { Clock } from "../../core/ports.ts";
import type { RoutingStore, RoutingTable } from "../../core/routing/routing.ts";
import type { SecretBox } from "../accounts/secret-box.ts";
import type { Database } from "../driver/database.ts";
import type { Transaction } from "../driver/driver.ts";
import { allRoutes, createRoutes } from "./routes.ts";
import { settingsOf } from "./upstream-row.ts";
import { openSecrets, sealSecrets } from "./upstream-secrets.ts";
import { allUpstreams, createUpstreams } from "./upstreams.ts";
import { createVersion } from "./version.ts";

/** Upstreams and routes that the operator keeps in the database. */
export function createRouting(
  database: Database,
  clock: Pick<Clock, "wallMs">,
  box: SecretBox,
): RoutingStore {
  const { driver } = database;
  const version = createVersion(database);
  return {
    version: () => driver.run(() => version.read()),
    read: () => driver.run(() => readAll(database, box, version)),
    ...createUpstreams(database, clock, box, version),
    ...createRoutes(database, clock, version),
    reseal: () => resealSecrets(database, box),
  };
}

function* readAll(
  { builder }: Database,
  box: SecretBox,
  version: ReturnType<typeof createVersion>,
): Transaction<RoutingTable> {
  // First: what is read may then be newer than its number, which makes the process read again.
  const number = yield* version.read();
  const rows = yield* allUpstreams(builder);
  const routes = yield* allRoutes(builder);
  const opened = rows.map((row) => ({ settings: settingsOf(row), secrets: openSecrets(box, row) }));
  return {
    version: number,
    upstreams: opened.flatMap(({ settings, secrets }) =>
      secrets === null ? [] : [{ ...settings, ...secrets }],
    ),
    unreadable: opened.flatMap(({ settings, secrets }) =>
      secrets === null ? [settings.name] : [],
    ),
    routes,
  };
}

/** Changes each upstream on its own, so that all stay readable if this stops halfway. */
async function resealSecrets({ driver, builder }: Database, box: SecretBox) {
  const unreadable: string[] = [];
  let upstreams = 0;
  for (const row of await driver.run(() => allUpstreams(builder))) {
    const { name, secrets } = row;
    if (secrets === null || box.isCurrent(secrets)) continue;
    const opened = openSecrets(box, row);
    if (opened === null) {
      unreadable.push(name);
      continue;
    }
    const sealed = sealSecrets(box, name, opened);
    const update = builder.updateTable("upstreams").set({ secrets: sealed });
    // one that somebody has changed meanwhile has the newest key already
    await driver.all(update.where("name", "=", name).where("secrets", "=", secrets).compile());
    upstreams += 1;
  }
  return { upstreams, unreadable };
}
