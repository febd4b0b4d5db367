let isHeld = false;

/** Something on the page is not saved: leaving asks first. */
export function hold(): void {
  isHeld = true;
}

export function release(): void {
  isHeld = false;
}

/**
 * Stops every way out of the page while something is held. `onLeave` is told where the reader wanted to
 * go; the browser itself asks where the page as a whole is left.
 */
export function watchLeaving(onLeave: (url: string) => void): () => void {
  const onHash = (event: HashChangeEvent) => {
    if (!isHeld || event.oldURL === event.newURL) return;
    event.stopImmediatePropagation();
    history.pushState(null, "", event.oldURL);
    onLeave(event.newURL);
  };
  const onUnload = (event: BeforeUnloadEvent) => {
    if (isHeld) event.preventDefault();
  };
  // captured: nobody else has followed the new fragment yet
  addEventListener("hashchange", onHash, true);
  addEventListener("beforeunload", onUnload);
  return () => {
    removeEventListener("hashchange", onHash, true);
    removeEventListener("beforeunload", onUnload);
  };
}
