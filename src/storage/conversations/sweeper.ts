/**
 * Deletes what has expired, some at a time and never twice at once. Nothing depends on it but the
 * size of the database: what has expired is not found, swept or not. Returns the function that
 * ends it.
 */
export function startSweeper(
  sweep: () => Promise<unknown>,
  everyMs: number,
  onError: (error: Error) => void,
): () => Promise<void> {
  let running: Promise<void> | null = null;
  const timer = setInterval(() => {
    running ??= sweep()
      .then(() => undefined)
      .catch((error: unknown) => onError(error instanceof Error ? error : new Error(String(error))))
      .finally(() => {
        running = null;
      });
  }, everyMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}
