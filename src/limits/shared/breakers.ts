import type { Breakers, Clock } from "../../core/ports.ts";
import { ask, countFailure, countSuccess, release } from "../breaker-rules.ts";
import { BEAT_TAG, type Beat } from "./beat.ts";
import {
  type BreakerView,
  createBreakerView,
  type KnownTarget,
  takeUntold,
} from "./breaker-view.ts";
import { PROBE, RELEASE_PROBE, REOPEN, REPORT } from "./breakers-script.ts";
import { STORE_TIME } from "./script-time.ts";
import { AWAY, type Reply, type RunNow, type SharedStore } from "./store.ts";

/** Targets in one script; the others wait for the next beat. */
const MAX_IN_SCRIPT = 100;

export interface SharedBreakersOptions {
  readonly store: SharedStore;
  readonly copyId: string;
  readonly beat: Pick<Beat, "bring">;
  readonly clock: Pick<Clock, "monotonicMs">;
  /** 0 to 1. */
  readonly random?: () => number;
}

/**
 * Breakers that all copies share. A failure is told at once; successes with it, else with the next
 * beat, unless the target has failed since its last one. So what breaks a row may be a second late.
 */
export function createSharedBreakers(options: SharedBreakersOptions): Breakers {
  const { store, beat, clock, random = Math.random } = options;
  const view = createBreakerView(store, clock);
  const { targets, targetOf, leftMs } = view;
  const teller = createTeller(options, view, random);

  beat.bring("breakers", {
    heard(words) {
      view.hearAll(words);
      void teller.tellSuccesses();
    },
  });
  store.onReturn(teller.tellOpen);

  const succeededClosed = async (id: string, target: KnownTarget) => {
    const breaksRow = target.row > 0;
    countSuccess(target, clock.monotonicMs(), false);
    target.untold += 1;
    if (!breaksRow) return;
    const ok = takeUntold(target);
    if (!(await teller.report([[id, ok, 0]]))) target.untold += ok;
  };

  return {
    state(id) {
      const target = targets.get(id);
      if (target === undefined || target.phase === "closed") return { state: "closed" };
      if (leftMs(target) > 0 || target.isAsking) return { state: "open" };
      return teller.probe(id, target);
    },
    remainingMs(id) {
      const target = targets.get(id);
      return target === undefined ? 0 : leftMs(target);
    },
    async succeeded(id, asProbe = false) {
      const target = targetOf(id);
      if (target.phase === "closed") return succeededClosed(id, target);
      if (!(asProbe && target.mine)) return;
      if (await teller.report([[id, 1, 0]])) target.mine = false;
      else countSuccess(target, clock.monotonicMs(), asProbe);
    },
    async failed(id, asProbe = false) {
      const target = targetOf(id);
      if (target.phase !== "closed" && !(asProbe && target.mine)) return;
      const ok = takeUntold(target);
      if (await teller.report([[id, ok, 1]])) {
        if (asProbe) target.mine = false;
        // for the time when this copy decides by itself
        if (target.phase === "closed") target.tally.add(clock.monotonicMs(), 0, 1);
        return;
      }
      countFailure(target, clock.monotonicMs(), random(), asProbe);
      target.untold += ok;
      target.byItself = target.phase === "open";
    },
    async released(id, wasAsked) {
      const target = targetOf(id);
      if (!target.mine) return;
      if (await teller.release(id, wasAsked)) target.mine = false;
      else release(target, clock.monotonicMs(), random(), wasAsked);
    },
  };
}

type Count = readonly [id: string, ok: number, failed: number];

/** What this copy says to the store. */
function createTeller(
  { store, copyId, clock }: SharedBreakersOptions,
  { targets, targetOf, leftMs, hear }: BreakerView,
  random: () => number,
) {
  const keys = [store.key("breakers", BEAT_TAG)];
  const report = async (counts: readonly Count[]): Promise<boolean> => {
    const reply = await store.run(REPORT, keys, [STORE_TIME, copyId, random(), ...counts.flat()]);
    if (reply !== AWAY) hear(reply);
    return reply !== AWAY;
  };
  return {
    /** False if the store was away. */
    report,
    async tellSuccesses(): Promise<void> {
      const untold = [...targets].filter(([, target]) => target.untold > 0).slice(0, MAX_IN_SCRIPT);
      if (untold.length === 0) return;
      const counts = untold.map(([id, target]): Count => [id, takeUntold(target), 0]);
      if (await report(counts)) return;
      for (const [id, ok] of counts) targetOf(id).untold += ok;
    },
    async tellOpen(runNow: RunNow): Promise<void> {
      const open = [...targets].filter(([, target]) => leftMs(target) > 0).slice(0, MAX_IN_SCRIPT);
      if (open.length === 0) return;
      const words = open.flatMap(([id, target]) => {
        return [id, target.level, Math.ceil(leftMs(target)), target.byItself ? 1 : 0];
      });
      await runNow(REOPEN, keys, [STORE_TIME, ...words]);
    },
    /** False if the store was away. */
    async release(id: string, wasAsked: boolean): Promise<boolean> {
      const words = [STORE_TIME, copyId, random(), id, wasAsked ? 1 : 0];
      const reply = await store.run(RELEASE_PROBE, keys, words);
      if (reply !== AWAY) hear(reply);
      return reply !== AWAY;
    },
    async probe(id: string, target: KnownTarget) {
      target.isAsking = true;
      const reply = await store.run(PROBE, keys, [STORE_TIME, copyId, random(), id]);
      target.isAsking = false;
      if (reply === AWAY) return { state: ask(target, clock.monotonicMs(), random()) };
      const [wins, words = null] = Array.isArray(reply) ? (reply as readonly Reply[]) : [];
      hear(words);
      // one that was lost may yet tell that the target works
      target.mine ||= wins === 1;
      if (wins === 1) return { state: "probe" } as const;
      return { state: target.phase === "closed" ? "closed" : "open" } as const;
    },
  };
}
