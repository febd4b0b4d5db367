import type { Config } from "../config/settings.ts";
import { type BackgroundPoll, createBackgroundPoll } from "../core/call/background-poll.ts";
import { createBackgroundState } from "../core/call/background-state.ts";
import type { ReasoningModels } from "../core/call/reasoning.ts";
import type { Routing } from "../core/call/targets.ts";
import type { Log } from "../log.ts";
import type { Storage } from "../storage/open.ts";
import { runPeriodically } from "../storage/periodic.ts";
import { describeFailure } from "./failures.ts";
import type { LimitStores } from "./limits.ts";

export interface BackgroundNeeds {
  readonly log: Log;
  readonly storage: Pick<Storage, "background" | "tokens" | "clock">;
  readonly limits: Pick<LimitStores, "answers">;
  readonly routing: Pick<Routing, "planOf">;
  readonly reasoning: ReasoningModels;
}

/** How often the database is asked what is due: half as often as the first call may be. */
const LOOK_EVERY_MS = 1_000;
const HOUR_MS = 3_600_000;

/** Settles background answers until it is closed. */
export function composeBackground(
  config: Config,
  { log, storage, limits, routing, reasoning }: BackgroundNeeds,
): Pick<BackgroundPoll, "close"> {
  const onError = (error: Error) => log.warn("background answer", describeFailure(error));
  const poll = createBackgroundPoll({
    calls: storage.background,
    stateOf: createBackgroundState({
      routing,
      answers: limits.answers,
      upstreamKeyOf: storage.tokens.upstreamKey,
    }),
    reasoning,
    clock: storage.clock,
    maxMs: config.BACKGROUND_HOURS * HOUR_MS,
    onError,
  });
  // that the database is away is said by the heartbeat
  const stop = runPeriodically(poll.look, LOOK_EVERY_MS, () => undefined);
  return {
    async close() {
      await stop();
      await poll.close();
    },
  };
}
