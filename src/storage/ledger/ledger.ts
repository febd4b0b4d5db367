import type { Ledger } from "../../core/accounts/accounts.ts";
import { periodsAt } from "../../core/accounts/quota.ts";
import type { Clock } from "../../core/ports.ts";
import { createDoubtful } from "../accounts/doubtful.ts";
import { useOf, useQuery } from "../accounts/quotas.ts";
import { createQuotaReserver } from "../accounts/reserve.ts";
import { createReserved } from "../accounts/reserved.ts";
import type { Database } from "../driver/database.ts";
import { createCrashRecovery } from "./recover.ts";
import { createLedgerReport } from "./report.ts";
import { createSettlement, type LostRow } from "./settle.ts";

export interface LedgerOptions {
  readonly instanceId: string;
  /** A process without a heartbeat for this long counts as dead. Milliseconds. */
  readonly staleMs: number;
  readonly onLost: (row: LostRow, error: unknown) => void;
}

export function createLedger(
  database: Database,
  clock: Clock,
  { instanceId, staleMs, onLost }: LedgerOptions,
): { readonly ledger: Ledger } & Pick<ReturnType<typeof createSettlement>, "close" | "giveUp"> {
  const report = createLedgerReport(database);
  const { settle, ...ends } = createSettlement(database, onLost);
  const use = useQuery(database.builder);
  const reserved = createReserved(database);
  const doubtful = createDoubtful(database);
  const recover = createCrashRecovery(database, clock, staleMs);
  const ledger: Ledger = {
    ...report,
    reserve: createQuotaReserver(database, clock, instanceId, doubtful),
    settle,
    recover: async () => {
      await doubtful.giveBack();
      return recover();
    },
    used: async (tokenId) => {
      const [stored] = await database.driver.all(use({ tokenId }));
      return useOf(stored, periodsAt(clock.wallMs()));
    },
    reserved: (tokenId) => reserved(tokenId, periodsAt(clock.wallMs())),
    week: (tokenId) => report.week(tokenId, clock.wallMs()),
  };
  return { ledger, ...ends };
}
