import { abortReason, ProxyError } from "../../core/errors.ts";
import type { Clock, NamedCall } from "../../core/ports.ts";
import { ANSWER_LEASE_MS, type Begun, type NamedAnswer } from "./named-answers.ts";
import { AWAY, type Away } from "./store.ts";

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 500;
/** Names that one copy waits for at once: 2,000 looks a second. */
const MAX_WAITING = 1_000;

/** Resolves as soon as the call is no longer asked by another copy. */
export type Wait = (call: NamedCall, answer: NamedAnswer, owner: string) => Promise<Begun>;

/**
 * Waits for as long as the first call may take. Without the store it waits for the rest of a lease,
 * as nothing is known of the owner then.
 */
export function createWait(clock: Pick<Clock, "monotonicMs" | "sleep">): Wait {
  let waiting = 0;

  const look = async (call: NamedCall, answer: NamedAnswer, owner: string): Promise<Begun> => {
    let seen: Seen = { owner, atMs: clock.monotonicMs() };
    const endMs = seen.atMs + call.maxMs;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      await clock.sleep(pauseMs, call.signal);
      if (call.signal.aborted) throw abortReason(call.signal);
      const begun = await answer.begin({ waited: seen.owner });
      const nowMs = clock.monotonicMs();
      const next = judge(begun, seen, nowMs);
      if ("kind" in next) return next;
      if (nowMs >= endMs) throw new ProxyError("idempotency_in_progress");
      seen = next;
    }
  };

  return async (call, answer, owner) => {
    if (waiting >= MAX_WAITING) throw new ProxyError("idempotency_in_progress");
    waiting += 1;
    try {
      return await look(call, answer, owner);
    } finally {
      waiting -= 1;
    }
  };
}

/** Who asked when the store was last seen. */
interface Seen {
  readonly owner: string;
  readonly atMs: number;
}

function judge(begun: Begun | Away, seen: Seen, nowMs: number): Begun | Seen {
  if (begun === AWAY) return nowMs - seen.atMs < ANSWER_LEASE_MS ? seen : { kind: "lost" };
  return begun.kind === "asked" ? { owner: begun.owner, atMs: nowMs } : begun;
}
