/** Writes a week of calls into a new database, by the code that writes real ones. */
import { createAdmin } from "../../../src/admin/operations.ts";
import { createUpstreamPorts } from "../../../src/admin/upstream-ports.ts";
import { systemClock } from "../../../src/clock.ts";
import type { Config } from "../../../src/config/settings.ts";
import { storageOptions } from "../../../src/config/storage.ts";
import type { Ledger, LedgerEntry, Token } from "../../../src/core/accounts/accounts.ts";
import { openStorage, type Storage } from "../../../src/storage/open.ts";
import type { DemoServices } from "../upstream/services.ts";
import { boundGroups, changeTokens, DISABLED, tellAlerts } from "./afterwards.ts";
import { callsOf } from "./calls.ts";
import { createChance } from "./chance.ts";
import { createCounters } from "./counters.ts";
import { createEntries } from "./entries.ts";
import { hoursBefore } from "./hours.ts";
import { type Secrets, setUp } from "./setting-up.ts";

const CALLS = 6_000;
const SEED = 2_026;
const DAY_MS = 86_400_000;
const SET_UP_BEFORE_MS = 40 * DAY_MS;
const CHANGED_BEFORE_MS = 2 * DAY_MS;

/** The secrets of the tokens, by the names of their holders. */
export async function seedWeek(
  config: Config,
  services: Pick<DemoServices, "anthropicUrl" | "brokenUrl">,
  endMs = Date.now(),
): Promise<Secrets> {
  let nowMs = endMs - SET_UP_BEFORE_MS;
  const clock = { ...systemClock, wallMs: () => nowMs };
  const fail = (error: unknown) => {
    throw error;
  };
  const options = storageOptions(config, clock, fail);
  const storage = await openStorage({ ...options, oneOff: true, mayCreate: true });
  try {
    const upstreams = createUpstreamPorts(() => config, systemClock);
    const admin = createAdmin({ ...storage, upstreams, canSeal: true });
    const secrets = await setUp(admin, services, (ms) => {
      nowMs += ms;
    });
    const chance = createChance(SEED);
    const counters = createCounters(storage, createChance(SEED));
    const write = await createWriter(storage, endMs, counters.count);
    let isChanged = false;
    for (const hour of hoursBefore(endMs, CALLS)) {
      nowMs = hour.to - 1;
      if (!isChanged && nowMs >= endMs - CHANGED_BEFORE_MS) {
        await changeTokens(admin, secrets);
        isChanged = true;
      }
      await write(callsOf(hour, chance));
      await counters.write();
    }
    nowMs = endMs;
    await boundGroups(admin, storage);
    await tellAlerts(storage);
    return secrets;
  } finally {
    await storage.close();
  }
}

/** Quotas are taken and settled as for a real call. */
async function createWriter(
  { tokens, ledger, prices, clock }: Storage,
  endMs: number,
  onEnd: (entry: LedgerEntry) => void,
) {
  const holders = new Map((await tokens.list()).map((token) => [token.name, token]));
  const entryOf = createEntries(prices);
  const settle: Ledger["settle"] = (entry, reservation) => {
    onEnd(entry);
    return ledger.settle(entry, reservation);
  };
  const writeOne = async (entry: LedgerEntry, token: Token | null): Promise<void> => {
    if (token === null || entry.outcome === "refused") return settle(entry, null);
    const used = { tokens: entry.usage?.totalTokens ?? 0, money: entry.cost ?? 0n };
    const result = await ledger.reserve({ ...entry, ...used, token });
    if (result.admitted) return settle(entry, result.reservation);
    const code = result.group === null ? "quota_exceeded" : "group_quota_exceeded";
    return settle(refusedFor(entry, code), null);
  };
  return async (calls: ReturnType<typeof callsOf>): Promise<void> => {
    const made = calls.map(async (call) => {
      const token = call.person === null ? null : (holders.get(call.person.name) ?? null);
      // its holder no longer gets anything, and leaves no row
      if (token !== null && !isValid(token, clock.wallMs(), endMs)) return;
      await writeOne(await entryOf(call, token), token);
    });
    await Promise.all(made);
  };
}

function isValid({ name, expiresAt }: Token, nowMs: number, endMs: number): boolean {
  const isDisabled = name === DISABLED && nowMs > endMs - CHANGED_BEFORE_MS;
  return !isDisabled && (expiresAt === null || expiresAt > nowMs);
}

function refusedFor(entry: LedgerEntry, error: NonNullable<LedgerEntry["error"]>): LedgerEntry {
  const nothing = { usage: null, cost: null, answeredBy: null, upstreamId: null, tries: 0 };
  const nobody = { upstream: null, upstreamModel: null, firstTokenMs: null, durationMs: 3 };
  return { ...entry, ...nothing, ...nobody, provenance: "unknown", outcome: "refused", error };
}
