import { expect, test } from "vitest";
import type { Token } from "../../../src/core/accounts/accounts.ts";
import { noLimits, noSpending, type Spending } from "../../../src/core/accounts/quota.ts";
import { createQuotaWatch } from "../../../src/core/accounts/quota-watch.ts";
import type { Alert } from "../../../src/core/alerts.ts";

const noon = Date.UTC(2026, 10, 21, 12);

function start(limits = { ...noLimits, tokens: 1_000 }) {
  const told: Alert[] = [];
  let used: Spending = noSpending;
  let reserved: Spending = noSpending;
  let nowMs = noon;
  const watch = createQuotaWatch({
    ledger: {
      used: async () => ({ day: used, month: noSpending }),
      reserved: async () => ({ day: reserved, month: noSpending }),
    },
    clock: { wallMs: () => nowMs },
    alert: (alert) => told.push(alert),
  });
  const quotas = { day: limits, month: noLimits };
  // cast: a watch needs no more of it
  const token = { id: "a", name: "Ann", quotas, group: null } as unknown as Token;
  return {
    watch,
    token,
    /** The marks that are told once so much is used, so much of it only reserved. */
    async at(tokens: number, open = 0) {
      used = { ...noSpending, tokens };
      reserved = { ...noSpending, tokens: open };
      watch.spent(token);
      told.splice(0);
      await watch.look();
      return told.map((alert) => ("percent" in alert ? alert.percent : null));
    },
    nextDay: () => {
      nowMs += 86_400_000;
    },
    told,
  };
}

test("a mark is told once a period, a jump over several by the highest", async () => {
  const { at, nextDay } = start();
  expect([await at(499), await at(500), await at(799)]).toEqual([[], [50], []]);
  expect([await at(1_000), await at(1_200), await at(600)]).toEqual([[100], [], []]);
  nextDay();
  expect([await at(850), await at(900)]).toEqual([[80], []]);
});

test("what open calls hold is not used yet", async () => {
  const { at } = start();
  expect([await at(1_000, 501), await at(1_000, 500)]).toEqual([[], [50]]);
});

test("a quota that is nearly used up and refuses calls is used up", async () => {
  const { at, watch, token } = start();
  const refusedBy = {
    kind: "tokens",
    period: "day",
    limit: 1_000n,
    used: 1n,
    resetsAt: 0,
  } as const;
  watch.refused(token, { group: null, refusedBy });
  expect(await at(700)).toEqual([50]);
  expect(await at(990)).toEqual([80]);
  watch.refused(token, { group: null, refusedBy: { ...refusedBy, kind: "requests" } });
  expect(await at(990)).toEqual([]);
  watch.refused(token, { group: null, refusedBy });
  expect(await at(990)).toEqual([100]);
});

test("nothing is read of a holder that had no call", async () => {
  const { watch, told } = start();
  await watch.look();
  expect(told).toEqual([]);
});
