import { type Assumptions, ATTEMPT_US, BEAT_US, DECISION_US, MAX_STRIKES } from "./assumptions.ts";
import type { Events, Step } from "./events.ts";
import type { Worker } from "./machines.ts";

/** What all copies together have seen of their stores. */
export interface Decisions {
  shared: number;
  alone: number;
  /** How long shared ones took, in microseconds. */
  readonly tookUs: number[];
  timesAway: number;
}

/** A copy's view of one store: it decides, or the copy does while the store is late. */
export interface Deciding {
  /** Waits for a decision. */
  decide(): Step;
  /** A script that nobody waits for. */
  send(): void;
}

export function createDeciding(
  events: Events,
  store: Worker,
  assumed: Pick<Assumptions, "networkUs" | "scriptUs">,
  random: () => number,
  decisions: Decisions,
): Deciding {
  let isAway = false;
  let strikes = 0;
  const ask = createAsk(events, store, assumed);
  const attemptLater = () => {
    const again = () => ask(comeBack, attemptLater);
    events.after(ATTEMPT_US * (0.8 + 0.4 * random()), again);
  };
  const comeBack = () => {
    isAway = false;
    strikes = 0;
  };
  const strike = () => {
    if (isAway) return;
    strikes += 1;
    if (strikes < MAX_STRIKES) return;
    decisions.timesAway += 1;
    isAway = true;
    attemptLater();
  };
  const onTime = () => {
    strikes = 0;
  };
  const beat = () => {
    if (!isAway) ask(onTime, strike);
    events.after(BEAT_US, beat);
  };
  events.after(BEAT_US * random(), beat);

  return {
    decide: () => (done) => {
      const startedUs = events.now();
      const alone = () => {
        decisions.alone += 1;
        done();
      };
      if (isAway) return alone();
      ask(
        () => {
          onTime();
          decisions.shared += 1;
          decisions.tookUs.push(events.now() - startedUs);
          done();
        },
        () => {
          strike();
          alone();
        },
      );
    },
    send() {
      if (!isAway) ask(onTime, strike);
    },
  };
}

/** Sends a script: one of the two is called, once. */
function createAsk(
  events: Events,
  store: Worker,
  { networkUs, scriptUs }: Pick<Assumptions, "networkUs" | "scriptUs">,
) {
  return (onReply: () => void, onLate: () => void) => {
    let waits = true;
    const once = (then: () => void) => () => {
      if (waits) then();
      waits = false;
    };
    const reply = () => events.after(networkUs, once(onReply));
    events.after(networkUs, () => store.work(scriptUs)(reply));
    events.after(DECISION_US, once(onLate));
  };
}
