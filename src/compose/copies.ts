/** Longer than a restart, in which the next instance begins before the last one has ended. */
const LASTING_MS = 60_000;

/**
 * Tells, once, that several instances have been alive for a while: `warn` gets their number. Returns
 * what is to be called with each new number.
 */
export function createCopiesWarning(
  warn: (instances: number) => void,
  lastingMs = LASTING_MS,
): (alive: number) => void {
  let alive = 1;
  let isTold = false;
  let timer: NodeJS.Timeout | null = null;
  return (now) => {
    alive = now;
    if (alive <= 1) {
      clearTimeout(timer ?? undefined);
      timer = null;
      return;
    }
    if (isTold || timer !== null) return;
    timer = setTimeout(() => {
      isTold = true;
      warn(alive);
    }, lastingMs).unref();
  };
}
