let isHeld = false;
type Go = () => void;

let onLeave: ((go: Go) => void) | null = null;

/** Something on the page is not saved: leaving asks first. */
export function hold(): void {
  isHeld = true;
}

export function release(): void {
  isHeld = false;
}

/**
 * Stops every way out of the place while something is held; `ask` is told how to go on.
 * Where the page as a whole is left, the browser itself asks. Returns how to stop watching.
 */
export function watchLeaving(ask: (go: Go) => void): () => void {
  onLeave = ask;
  return () => {
    if (onLeave === ask) onLeave = null;
  };
}

/** Goes there, unless the reader is to be asked first. */
export function leaveBy(go: Go): void {
  if (isHeld && onLeave !== null) onLeave(go);
  else go();
}

// from the start: listeners of a window are called in the order they came, and this must be the first
addEventListener("hashchange", (event) => {
  if (!isHeld || onLeave === null) return;
  event.stopImmediatePropagation();
  history.pushState(null, "", event.oldURL);
  const { newURL } = event;
  onLeave(() => {
    location.href = newURL;
  });
});

addEventListener("beforeunload", (event) => {
  if (isHeld) event.preventDefault();
});
