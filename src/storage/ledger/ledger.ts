import type { Ledger } from "../../core/accounts/accounts.ts";
import { periodsAt } from "../../core/accounts/quota.ts";
import type { Clock } from "../../core/ports.ts";
import { createQuotaUse, useOf } from "../accounts/quota-use.ts";
import { createReserve } from "../accounts/reserve.ts";
import type { Driver } from "../driver/driver.ts";
import type { Builder } from "../driver/queries.ts";
import type { Writes } from "../driver/writes.ts";
import { createRecover } from "./recover.ts";
import { createReport } from "./report.ts";
import { createSettle } from "./settle.ts";

export interface LedgerParts {
  readonly driver: Driver;
  readonly builder: Builder;
  readonly writes: Writes;
  readonly clock: Clock;
  readonly newId: (wallMs: number) => string;
  readonly owner: string;
  readonly staleMs: number;
  readonly maxCallMs: number;
}

export function createLedger(parts: LedgerParts): Ledger {
  const { driver, builder, clock } = parts;
  const report = createReport(driver, builder);
  const use = createQuotaUse(builder);
  return {
    reserve: createReserve(parts),
    settle: createSettle(parts),
    recover: createRecover(parts),
    used: async (tokenId) => {
      const [stored] = await driver.all(use.read({ tokenId }));
      return useOf(stored, periodsAt(clock.wallMs()));
    },
    rows: report.rows,
    sums: report.sums,
    week: (tokenId) => report.week(tokenId, clock.wallMs()),
    export: report.export,
    purge: report.purge,
  };
}
