import type { Ledger } from "../../core/accounts/accounts.ts";
import { periodsAt } from "../../core/accounts/quota.ts";
import type { Clock } from "../../core/ports.ts";
import { useOf, useQuery } from "../accounts/quotas.ts";
import { createQuotaReserver } from "../accounts/reserve.ts";
import type { Database } from "../driver/database.ts";
import { createCrashRecovery } from "./recover.ts";
import { createLedgerReport } from "./report.ts";
import { createSettlement } from "./settle.ts";

export function createLedger(
  database: Database,
  clock: Clock,
  instanceId: string,
  staleMs: number,
): Ledger {
  const report = createLedgerReport(database);
  const use = useQuery(database.builder);
  return {
    ...report,
    reserve: createQuotaReserver(database, clock, instanceId),
    settle: createSettlement(database),
    recover: createCrashRecovery(database, clock, staleMs),
    used: async (tokenId) => {
      const [stored] = await database.driver.all(use({ tokenId }));
      return useOf(stored, periodsAt(clock.wallMs()));
    },
    week: (tokenId) => report.week(tokenId, clock.wallMs()),
  };
}
