import type { ProxyError } from "../errors.ts";
import type { CallObserver, CallRecord, Clock, Outcome, WindowName } from "../ports.ts";
import type { RelayAccount } from "../upstream-ports.ts";
import type { Permit } from "./admission.ts";
import type { Attempts } from "./attempts.ts";
import type { Call } from "./call.ts";

/** What is known when a call ends. */
export interface Ending {
  /** What was seen of the answer. Left out: the upstream was not reached, or has refused. */
  readonly account?: RelayAccount | undefined;
  readonly error?: ProxyError | undefined;
  readonly firstTokenAtMs?: number | undefined;
}

/**
 * Ends a call. Only the first call writes the record; every call resolves when it is durable, or when
 * the database is away and the record waits. Never rejects: an answer that was paid for is sent.
 */
export type Settle = (outcome: Outcome, ending: Ending) => Promise<void>;

export interface SettleOptions {
  readonly clock: Clock;
  readonly observe: CallObserver;
  /** Called with a record that could not be written, so that it is not lost silently. */
  readonly onLost: (record: CallRecord, error: unknown) => void;
}

/** What was asked, and where. */
export interface AskedCall extends Pick<CallRecord, "model" | "streamed"> {
  readonly attempts: Attempts;
}

export function createSettle(
  call: Call,
  { model, streamed, attempts }: AskedCall,
  permit: Permit,
  { clock, observe, onLost }: SettleOptions,
): Settle {
  const startedMs = clock.monotonicMs();
  let settled: Promise<void> | null = null;
  const write = (outcome: Outcome, { account, error, firstTokenAtMs }: Ending): Promise<void> => {
    const { target } = attempts;
    const upstreamModel = target === null ? null : (target.model ?? model);
    const used = permit.used(account, upstreamModel);
    const record: CallRecord = {
      requestId: call.requestId,
      dialect: call.dialect,
      bucket: call.principal.bucket,
      principal: call.principal.kind,
      model,
      answeredBy: account?.model ?? null,
      upstream: target?.upstream ?? null,
      upstreamModel,
      tries: attempts.tries,
      usage: used.usage,
      units: used.units,
      provenance: used.provenance,
      upstreamId: account?.upstreamId ?? null,
      outcome,
      error: error?.code ?? null,
      refusedBy: windowOf(error),
      streamed,
      firstTokenMs: firstTokenAtMs === undefined ? null : firstTokenAtMs - startedMs,
      durationMs: clock.monotonicMs() - startedMs,
    };
    if (error?.answered !== undefined) call.onAnswered?.(error.answered);
    call.onRecord(record);
    observe(record);
    return permit.settle(record, account).catch((lost: unknown) => onLost(record, lost));
  };
  return function settle(outcome, ending) {
    settled ??= write(outcome, ending);
    return settled;
  };
}

function windowOf(error: ProxyError | undefined): WindowName | undefined {
  if (error?.code !== "rate_limited" || error.details.window === "") return undefined;
  return error.details.window as WindowName; // as rateLimited says
}
