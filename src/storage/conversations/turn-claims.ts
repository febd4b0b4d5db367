import type { Conversations } from "../../core/conversations/conversations.ts";
import type { TurnClaims } from "../../core/conversations/dialogue.ts";
import type { Clock } from "../../core/ports.ts";

/** How long a crash keeps others out of the chats it was answering in. */
const LEASE_MS = 30_000;
/** Three tries within a lease. */
const RENEW_MS = 10_000;

interface Held {
  readonly owner: string;
  readonly conversationId: string;
  readonly claimId: string;
}

export interface TurnClaimsOptions {
  readonly conversations: Pick<Conversations, "claim" | "extend" | "release">;
  readonly clock: Clock;
  readonly onError: (error: Error) => void;
  readonly leaseMs?: number;
  readonly renewMs?: number;
}

/** Short claims that are renewed while their answers are under way. `end` stops the renewing. */
export function createTurnClaims(
  options: TurnClaimsOptions,
): TurnClaims & { end(): Promise<void> } {
  const { conversations, clock, onError, leaseMs = LEASE_MS, renewMs = RENEW_MS } = options;
  /** Open answers, which are bounded by those of the process. */
  const held = new Set<Held>();
  const renewAll = async () => {
    const until = clock.wallMs() + leaseMs;
    const renewals = await Promise.allSettled(
      [...held].map((one) =>
        conversations.extend(one.owner, one.conversationId, one.claimId, until),
      ),
    );
    // one that fails costs no other its lease; a database that is away is told once
    const failed = renewals.find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
  };
  let renewing: Promise<void> | null = null;
  const timer = setInterval(() => {
    renewing ??= renewAll()
      .catch((error: unknown) => onError(error instanceof Error ? error : new Error(String(error))))
      .finally(() => {
        renewing = null;
      });
  }, renewMs);
  timer.unref();
  return {
    async take(owner, conversationId, turn) {
      const untilMs = clock.wallMs() + leaseMs;
      const id = await conversations.claim(owner, conversationId, { ...turn, untilMs });
      const one: Held = { owner, conversationId, claimId: id };
      held.add(one);
      return {
        id,
        done: () => void held.delete(one),
        async release() {
          held.delete(one);
          await conversations.release(owner, conversationId, id);
        },
      };
    },
    async end() {
      clearInterval(timer);
      await renewing;
    },
  };
}
