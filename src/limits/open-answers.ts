import type { OpenAnswers } from "../core/ports.ts";

/** At most `limit` answers open at once in each bucket; 0 = counted, but without a bound. */
export function createOpenAnswers(limit: number): OpenAnswers {
  // Holds only buckets with an open answer, so it is no larger than the number of those.
  const open = new Map<string, number>();

  const leave = (bucket: string): void => {
    const left = (open.get(bucket) ?? 0) - 1;
    if (left > 0) open.set(bucket, left);
    else open.delete(bucket);
  };

  return {
    enter(bucket) {
      const count = open.get(bucket) ?? 0;
      if (limit > 0 && count >= limit) return null;
      open.set(bucket, count + 1);
      let inside = true;
      return () => {
        if (!inside) return;
        inside = false;
        leave(bucket);
      };
    },
    count: (bucket) => open.get(bucket) ?? 0,
  };
}
