let isHeld = false;
let onLeave: ((url: string) => void) | null = null;

/** Something on the page is not saved: leaving asks first. */
export function hold(): void {
  isHeld = true;
}

export function release(): void {
  isHeld = false;
}

/**
 * Stops every way out of the place while something is held; `ask` is told where the reader wanted to go.
 * Where the page as a whole is left, the browser itself asks. Returns how to stop watching.
 */
export function watchLeaving(ask: (url: string) => void): () => void {
  onLeave = ask;
  return () => {
    if (onLeave === ask) onLeave = null;
  };
}

// from the start: listeners of a window are called in the order they came, and this must be the first
addEventListener("hashchange", (event) => {
  if (!isHeld || onLeave === null) return;
  event.stopImmediatePropagation();
  history.pushState(null, "", event.oldURL);
  onLeave(event.newURL);
});

addEventListener("beforeunload", (event) => {
  if (isHeld) event.preventDefault();
});
