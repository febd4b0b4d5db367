import type { Begin } from "./pending-questions.ts";

/** Ends a connection on which nothing is asked; frames that ask nothing don't count. */
export interface IdleTimer {
  /** Questions begun this way start the time again, when they begin and when they are over. */
  awakeWhile(begin: Begin): Begin;
  end(): void;
}

export function createIdleTimer(idleMs: number, onIdle: () => void): IdleTimer {
  const timer = setTimeout(onIdle, idleMs);
  timer.unref();
  let ended = false;
  const again = () => {
    // a timer that was cleared would run again
    if (!ended) timer.refresh();
  };
  return {
    awakeWhile: (begin) => (wish) => {
      const asked = begin(wish);
      if (wish.bytes === null) return asked;
      again();
      const end = (status: number) => {
        again();
        asked.end(status);
      };
      return { ...asked, end };
    },
    end() {
      ended = true;
      clearTimeout(timer);
    },
  };
}
