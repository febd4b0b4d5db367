/** The value, or null if it has not come within so long. It may be waited for again. */
export function heard<T>(value: Promise<T>, silenceMs: number): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, silenceMs, null);
    timer.unref();
    value.finally(() => clearTimeout(timer)).then(resolve, reject);
  });
}
