/** A stream is drawn this often: more would cost the reader's battery. */
const DRAW_EACH_MS = 60;
/** Of the time that drawing takes: the page stays free for its reader. */
const MIN_REST = 3;

/** Calls `draw` for what arrives, less often the longer it takes. A hidden tab draws nothing. */
export function paced(draw: () => void) {
  let isWaiting = false;
  let isWanted = false;
  let hasEnded = false;
  const start = () => {
    isWaiting = true;
    isWanted = false;
    const began = performance.now();
    draw();
    // a task after the frame runs when the frame is on the screen
    requestAnimationFrame(() =>
      setTimeout(() => {
        const took = performance.now() - began;
        setTimeout(next, Math.max(DRAW_EACH_MS, took * MIN_REST) - took);
      }),
    );
  };
  const next = () => {
    isWaiting = false;
    if (isWanted && !hasEnded) start();
  };
  return {
    want: () => {
      isWanted = true;
      if (!isWaiting && !hasEnded) start();
    },
    end: () => {
      hasEnded = true;
    },
  };
}
