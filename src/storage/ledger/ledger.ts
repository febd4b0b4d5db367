import type { Ledger } from "../../core/accounts/accounts.ts";
import { periodsAt } from "../../core/accounts/quota.ts";
import type { Clock } from "../../core/ports.ts";
import { useOf, useQuery } from "../accounts/quotas.ts";
import { createReserve } from "../accounts/reserve.ts";
import type { Database } from "../driver/database.ts";
import { createRecover } from "./recover.ts";
import { createReport } from "./report.ts";
import { createSettlement } from "./settle.ts";

export function createLedger(
  database: Database,
  clock: Clock,
  instanceId: string,
  staleMs: number,
): Ledger {
  const report = createReport(database);
  const use = useQuery(database.builder);
  return {
    ...report,
    reserve: createReserve(database, clock, instanceId),
    settle: createSettlement(database),
    recover: createRecover(database, clock, staleMs),
    used: async (tokenId) => {
      const [stored] = await database.driver.all(use({ tokenId }));
      return useOf(stored, periodsAt(clock.wallMs()));
    },
    week: (tokenId) => report.week(tokenId, clock.wallMs()),
  };
}
