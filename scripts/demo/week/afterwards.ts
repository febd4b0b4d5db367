/** What happened beside the calls of the week. */
import { randomUUID } from "node:crypto";
import type { Admin } from "../../../src/admin/operations.ts";
import { createAlerts } from "../../../src/alerts/alerts.ts";
import { formatMoney } from "../../../src/core/accounts/money.ts";
import type { Alert } from "../../../src/core/alerts.ts";
import type { Storage } from "../../../src/storage/open.ts";
import { AWAY } from "../models.ts";
import { groups } from "./people.ts";
import type { Secrets } from "./setting-up.ts";

/** Whose token is disabled. */
export const DISABLED = "Gast-Zugang";
/** What groups have used of their quotas. */
const USED_PERCENT = { support: 93n, development: 61n, research: 38n } as const;
const HALF_DOLLAR = 500_000_000_000n;

/** Sets the quotas of groups so that one of them is nearly used up. */
export async function boundGroups(admin: Admin, { groups: store, ledger }: Storage): Promise<void> {
  for (const [key, percent] of Object.entries(USED_PERCENT)) {
    const { name } = groups[key as keyof typeof groups]; // its keys are those of groups
    const group = await store.show(name);
    if (group === null) continue;
    const { month } = await ledger.used(group.id);
    const whole = (month.money * 100n) / percent;
    const limit = formatMoney((whole / HALF_DOLLAR + 1n) * HALF_DOLLAR);
    await admin.groups.update(name, { money_per_month: limit });
  }
}

/** Alerts that the operator was told. */
export async function tellAlerts(storage: Storage): Promise<void> {
  const failures: unknown[] = [];
  const { alert, work } = createAlerts({
    store: storage.alerts,
    deliver: null,
    clock: storage.clock,
    newId: () => `msg_${randomUUID()}`,
    onNew: () => undefined,
    onLost: () => failures.push(new Error("an alert was lost")),
    onError: (error) => failures.push(error),
  });
  for (const one of await alertsOf(storage)) alert(one);
  await work();
  if (failures.length > 0) throw new AggregateError(failures, "alerts were not kept");
}

async function alertsOf({ groups: store, ledger, clock }: Storage): Promise<readonly Alert[]> {
  const opened: Alert = {
    type: "upstream.open",
    upstream: AWAY,
    model: null,
    reason: "upstream_failed",
  };
  const group = await store.show(groups.support.name);
  if (group === null) return [opened];
  const { month } = await ledger.used(group.id);
  const limit = group.quotas.month.money ?? 0n;
  // in the first days of a month, little is used
  if (month.money * 100n < limit * 80n) return [opened];
  const now = new Date(clock.wallMs());
  const near: Alert = {
    type: "group.quota",
    group: { id: group.id, name: group.name },
    quota: "money",
    period: "month",
    percent: 80,
    limit: formatMoney(limit),
    used: formatMoney(month.money),
    resetsAt: Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1),
  };
  return [opened, near];
}

/** One token was found in public and is disabled; one has a new secret. */
export async function changeTokens(admin: Admin, secrets: Secrets): Promise<void> {
  const id = (name: string) => secrets.get(name)?.id ?? "";
  await admin.tokens.disable(id(DISABLED));
  await admin.tokens.rotate(id("ci-review"), { grace: "7d" });
}
