import type { Conversations } from "../../core/conversations/conversations.ts";
import type { TurnClaims } from "../../core/conversations/turn.ts";
import type { Clock } from "../../core/ports.ts";
import { runPeriodically } from "../periodic.ts";

/** How long a chat stays claimed after the process that answered in it has crashed. */
const LEASE_MS = 30_000;
/** Three tries per lease. */
const RENEW_MS = 10_000;

/** Owner, conversation and claim, as `extend` takes them. */
type Claim = readonly [string, string, string];

export interface TurnClaimsOptions {
  readonly conversations: Pick<Conversations, "claim" | "extend" | "release">;
  readonly clock: Clock;
  readonly onError: (error: Error) => void;
  readonly leaseMs?: number;
  readonly renewMs?: number;
}

/** Short claims, renewed while their answers are open. `end` stops renewing them. */
export function createTurnClaims(
  options: TurnClaimsOptions,
): TurnClaims & { end(): Promise<void> } {
  const { conversations, clock, onError, leaseMs = LEASE_MS, renewMs = RENEW_MS } = options;
  /** Bounded by the open answers of the process. */
  const claims = new Set<Claim>();
  const renewAll = async () => {
    const until = clock.wallMs() + leaseMs;
    const renewals = await Promise.allSettled(
      [...claims].map((claim) => conversations.extend(...claim, until)),
    );
    // A failure costs no other claim its lease, and is reported once.
    const failed = renewals.find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
  };
  return {
    async take(owner, conversationId, turn) {
      const untilMs = clock.wallMs() + leaseMs;
      const id = await conversations.claim(owner, conversationId, { ...turn, untilMs });
      const claim: Claim = [owner, conversationId, id];
      claims.add(claim);
      return {
        id,
        done: () => void claims.delete(claim),
        async release() {
          claims.delete(claim);
          await conversations.release(owner, conversationId, id);
        },
      };
    },
    end: runPeriodically(renewAll, renewMs, onError),
  };
}
