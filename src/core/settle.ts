import type { ProxyError } from "./errors.ts";
import type { ChatRequest, Completion } from "./messages.ts";
import type { Call } from "./pipeline.ts";
import type { CallObserver, CallRecord, Clock, Outcome } from "./ports.ts";

/** What is known when a call ends. */
export interface Ending {
  readonly completion?: Completion;
  readonly error?: ProxyError;
  readonly firstTokenAtMs?: number | undefined;
}

/** Writes the record of a call: the first time it is called, and never again. */
export type Settle = (outcome: Outcome, ending: Ending) => void;

export function createSettle(
  call: Call,
  request: ChatRequest,
  streamed: boolean,
  clock: Clock,
  observe: CallObserver,
): Settle {
  const startedMs = clock.monotonicMs();
  let settled = false;
  return function settle(outcome, { completion, error, firstTokenAtMs }) {
    if (settled) return;
    settled = true;
    const record: CallRecord = {
      requestId: call.requestId,
      dialect: call.dialect,
      bucket: call.principal.bucket,
      principal: call.principal.kind,
      model: request.model,
      answeredBy: completion?.model ?? null,
      usage: completion?.usage ?? null,
      outcome,
      error: error?.code ?? null,
      streamed,
      firstTokenMs: firstTokenAtMs === undefined ? null : firstTokenAtMs - startedMs,
      durationMs: clock.monotonicMs() - startedMs,
    };
    call.onRecord(record);
    observe(record);
  };
}
