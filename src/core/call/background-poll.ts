import { type BackgroundCalls, FIRST_LOOK_MS, type KeptCall } from "../accounts/background.ts";
import { cost } from "../accounts/price.ts";
import type { Clock } from "../ports.ts";
import type { RelayAccount } from "../upstream-ports.ts";
import { type CallSignal, LightSignal } from "./call.ts";
import { NOTHING_SEEN, usedBy } from "./estimate.ts";
import type { ReasoningModels } from "./reasoning.ts";

/** Calls that one process asks about at the same time. */
const MAX_AT_ONCE = 8;
/** A call is asked about as long again as it has taken so far, within these bounds. */
const LAST_LOOK_MS = 60_000;

/** What the upstream says of an answer; null if it no longer knows it. Throws if it can't say. */
export type StateOf = (call: KeptCall, signal: CallSignal) => Promise<RelayAccount | null>;

export interface BackgroundPollOptions {
  readonly calls: BackgroundCalls;
  readonly stateOf: StateOf;
  readonly reasoning: ReasoningModels;
  readonly clock: Pick<Clock, "wallMs">;
  /** After this a call is settled by estimate. */
  readonly maxMs: number;
  /** The call is tried again. */
  readonly onError: (error: Error) => void;
}

export interface BackgroundPoll {
  /** Begins to ask about the calls that are due; resolves before the answers come. */
  look(): Promise<void>;
  /** Resolves when nothing is under way. */
  done(): Promise<unknown>;
  /** Gives up what is under way; another process asks again. */
  close(): Promise<unknown>;
}

/** Settles background answers once the upstream knows their usage. */
export function createBackgroundPoll(options: BackgroundPollOptions): BackgroundPoll {
  const { calls, stateOf, clock, maxMs, onError } = options;
  const signal = new LightSignal();
  const running = new Set<Promise<void>>();

  const ask = async (call: KeptCall) => {
    const account = await stateOf(call, signal).catch((error: Error) => {
      if (!signal.aborted) onError(error);
      return STILL_UNKNOWN;
    });
    const nowMs = clock.wallMs();
    const ageMs = nowMs - call.entry.at;
    if (signal.aborted) return;
    if (account?.pending && ageMs < maxMs) {
      const pause = Math.min(Math.max(ageMs, FIRST_LOOK_MS), LAST_LOOK_MS);
      await calls.postpone(call, nowMs + pause);
    } else await settle(call, account ?? STILL_UNKNOWN, options);
  };
  return {
    async look() {
      const free = MAX_AT_ONCE - running.size;
      if (free === 0 || signal.aborted) return;
      for (const call of await calls.claim(free)) {
        const work = ask(call)
          .catch(onError)
          .finally(() => running.delete(work));
        running.add(work);
      }
    },
    done: () => Promise.all(running),
    close() {
      signal.abort();
      return Promise.all(running);
    },
  };
}

const STILL_UNKNOWN: RelayAccount = { ...NOTHING_SEEN, pending: true };

/** By the usage that was reported, else by estimate: all that was reserved if nothing is known. */
async function settle(
  call: KeptCall,
  account: RelayAccount,
  { calls, reasoning }: BackgroundPollOptions,
): Promise<void> {
  const { entry, reserved } = call;
  const used = usedBy(entry.upstreamModel ?? entry.model, account, reserved, reasoning);
  const answeredBy = account.model ?? entry.answeredBy;
  await calls.settle(call, { ...entry, ...used, answeredBy, cost: cost(used.usage, entry.price) });
}
