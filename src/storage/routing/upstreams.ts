import { fieldError } from "../../core/common-errors.ts";
import { ProxyError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import { MAX_UPSTREAMS } from "../../core/routing/bounds.ts";
import type { RoutingStore } from "../../core/routing/routing.ts";
import type { SecretBox } from "../accounts/secret-box.ts";
import { upstreamFacts } from "../changes/facts.ts";
import { type NewChange, recordChanges } from "../changes/record.ts";
import type { Database } from "../driver/database.ts";
import { isStorable, query, type Transaction } from "../driver/driver.ts";
import type { Builder } from "../driver/queries.ts";
import { allRoutes, namedUpstreams } from "./routes.ts";
import {
  type StoredUpstream,
  settingColumns,
  settingsOf,
  shownColumns,
  shownUpstream,
  upstreamColumns,
} from "./upstream-row.ts";
import { changedSecrets, sealSecrets } from "./upstream-secrets.ts";
import type { createVersion } from "./version.ts";

/** Upstreams beside the one of the settings. */
export function createUpstreams(
  { driver, builder }: Database,
  clock: Pick<Clock, "wallMs">,
  box: SecretBox,
  version: ReturnType<typeof createVersion>,
): Pick<RoutingStore, "upstreams" | "addUpstream" | "changeUpstream" | "removeUpstream"> {
  return {
    upstreams: async () => (await driver.run(() => allUpstreams(builder))).map(shownUpstream),
    async addUpstream(chosen) {
      const { name } = chosen;
      const row: StoredUpstream = {
        ...settingColumns(chosen),
        ...shownColumns(chosen),
        secrets: sealSecrets(box, name, chosen),
        created_at: clock.wallMs(),
      };
      await driver.transaction(function* (): Transaction<void> {
        yield* version.raise();
        const names = (yield* allUpstreams(builder)).map((one) => one.name);
        if (names.includes(name)) throw fieldError("upstream_name_taken", "name", { name });
        if (names.length >= MAX_UPSTREAMS) {
          throw new ProxyError("routing_full", { params: { max: MAX_UPSTREAMS } });
        }
        yield* query(builder.insertInto("upstreams").values(row).compile());
        yield* recordChanges(builder, clock.wallMs(), [upstreamChange("add", null, row)]);
      });
      return shownUpstream(row);
    },
    async changeUpstream(name, changes) {
      if (!isStorable(name)) return null;
      return driver.transaction(function* () {
        yield* version.raise();
        const [row] = yield* query(byName(builder, name).compile());
        if (row === undefined) return null;
        const set = changedColumns(box, row, changes);
        const update = builder.updateTable("upstreams").set(set).where("name", "=", name);
        yield* query(update.compile());
        const changed = upstreamChange("update", row, { ...row, ...set });
        yield* recordChanges(builder, clock.wallMs(), [changed]);
        return shownUpstream({ ...row, ...set });
      });
    },
    async removeUpstream(name) {
      if (!isStorable(name)) return false;
      const remove = builder.deleteFrom("upstreams").where("name", "=", name).returningAll();
      return driver.transaction(function* () {
        yield* version.raise();
        const user = (yield* allRoutes(builder)).find((route) => namedUpstreams(route).has(name));
        const params = { name, model: user?.model ?? "" };
        if (user !== undefined) throw new ProxyError("upstream_in_use", { params });
        const [row] = yield* query(remove.compile());
        if (row === undefined) return false;
        yield* recordChanges(builder, clock.wallMs(), [upstreamChange("remove", row, null)]);
        return true;
      });
    },
  };
}

/** That a secret changed is said without it. */
function upstreamChange(
  action: "add" | "update" | "remove",
  before: StoredUpstream | null,
  after: StoredUpstream | null,
): NewChange {
  const facts = (row: StoredUpstream | null) => row && upstreamFacts(shownUpstream(row));
  const isSealedAnew = before !== null && after !== null && before.secrets !== after.secrets;
  return {
    ...{ kind: "upstream", subject: (after ?? before)?.name ?? "", action },
    before: facts(before),
    after: after && { ...facts(after), ...(isSealedAnew && { secrets: "changed" }) },
  };
}

function byName(builder: Builder, name: string) {
  return builder.selectFrom("upstreams").select(upstreamColumns).where("name", "=", name);
}

/** By name, which databases would sort in orders of their own. */
export function* allUpstreams(builder: Builder): Transaction<readonly StoredUpstream[]> {
  const rows = yield* query(builder.selectFrom("upstreams").select(upstreamColumns).compile());
  return rows.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function changedColumns(
  box: SecretBox,
  row: StoredUpstream,
  changes: Parameters<RoutingStore["changeUpstream"]>[1],
): Partial<StoredUpstream> {
  const { keys, headers, proxyUrl, ...settings } = changes;
  const columns = settingColumns({ ...settingsOf(row), ...settings });
  if (keys === undefined && headers === undefined && proxyUrl === undefined) return columns;
  const secrets = changedSecrets(box, row, changes);
  const sealed = sealSecrets(box, row.name, secrets);
  return { ...columns, ...shownColumns(secrets), secrets: sealed };
}
