import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../src/clock.ts";
import type { LedgerEntry, Token } from "../src/core/accounts/accounts.ts";
import { noLimits } from "../src/core/accounts/quota.ts";
import { ledgerEntryOf } from "../src/core/call/admission.ts";
import { openStorage, type Storage } from "../src/storage/open.ts";

/**
 * What a call pays for its ledger row, alone and at load: `node bench/storage.ts [postgres://…]`.
 * Prints microseconds a call, by the wall and by the processor of this process.
 */
const price = {
  model: "gpt-4o-mini",
  input: "0.15",
  cachedInput: "0.075",
  output: "0.6",
  since: 0,
};
const [, , databaseUrl = null] = process.argv;
const folder = mkdtempSync(join(tmpdir(), "parley-bench-"));
const sqliteFile = databaseUrl === null ? join(folder, "parley.sqlite") : null;
const storage = await openStorage({ databaseUrl, sqliteFile, clock: systemClock });
try {
  const calls = databaseUrl === null ? 64_000 : 6_400;
  const { token, secret } = await storage.tokens.create({
    name: "bench",
    quotas: { day: { ...noLimits, requests: 1_000_000_000 }, month: noLimits },
  });
  for (const parallel of [1, 16, 64]) {
    await measure(`settle, ${parallel} at once`, calls, parallel, () => settle(storage));
  }
  for (const parallel of [1, 16, 64]) {
    const work = () => reserveAndSettle(storage, token);
    await measure(`reserve and settle, ${parallel} at once`, calls / 4, parallel, work);
  }
  await measure("find a token, 16 at once", calls / 4, 16, () => storage.tokens.find(secret));
} finally {
  await storage.close();
  rmSync(folder, { recursive: true });
}

async function measure(
  title: string,
  calls: number,
  parallel: number,
  work: () => Promise<unknown>,
): Promise<void> {
  // The first tenth warms up.
  await repeat(calls / 10, parallel, work);
  const processor = process.cpuUsage();
  const started = performance.now();
  await repeat(calls, parallel, work);
  const wallUs = ((performance.now() - started) * 1_000) / calls;
  const { user, system } = process.cpuUsage(processor);
  const figures = `${wallUs.toFixed(1)} µs, processor ${((user + system) / calls).toFixed(1)} µs`;
  process.stdout.write(`${storage.kind}: ${title}: ${figures}\n`);
}

async function repeat(calls: number, parallel: number, work: () => Promise<unknown>) {
  for (let done = 0; done < calls; done += parallel) {
    await Promise.all(Array.from({ length: parallel }, work));
  }
}

function settle({ ledger }: Storage): Promise<void> {
  return ledger.settle(entry("visitor", null), null);
}

async function reserveAndSettle({ ledger }: Storage, token: Token): Promise<void> {
  const { requestId, at, dialect, model, onDisconnect } = entry("token", token.id);
  const estimate = { tokens: 1_000, money: 600_000_000n };
  const request = { requestId, at, dialect, model, onDisconnect, token, ...estimate };
  const result = await ledger.reserve(request);
  if (!result.admitted) throw new Error("the quota of the bench is too small");
  await ledger.settle(entry("token", token.id), result.reservation);
}

function entry(kind: "visitor" | "token", tokenId: string | null): LedgerEntry {
  const record = {
    requestId: "req_0123456789abcdef",
    dialect: "openai",
    bucket: "192.0.2.1",
    principal: kind,
    model: "gpt-4o-mini",
    answeredBy: "gpt-4o-mini-2024-07-18",
    usage: { promptTokens: 100, completionTokens: 50, totalTokens: 150, cachedTokens: 0 },
    provenance: "reported",
    upstreamId: "chatcmpl-0123456789abcdef",
    outcome: "completed",
    error: null,
    streamed: false,
    firstTokenMs: 120,
    durationMs: 800,
    upstream: null,
    upstreamModel: null,
    tries: 1,
  } as const;
  const payer = { kind, tokenId, keyDigest: null };
  return ledgerEntryOf(record, payer, price, Date.now(), "cancel");
}
