import type { AlertStore, DueAlert } from "../core/alerts.ts";
import type { Post } from "./post.ts";

/** Waits between tries, 20 % more or less: a receiver that is away for a day misses nothing. */
const WAITS_MS: readonly number[] = [
  ...[5_000, 30_000, 120_000, 600_000, 1_800_000],
  ...[3_600_000, 7_200_000, 14_400_000, 28_800_000, 57_600_000],
];
const JITTER = 0.2;
/** Webhooks that one process sends at once. */
const MAX_AT_ONCE = 4;

export interface DeliveryOptions {
  readonly store: AlertStore;
  readonly post: Post;
  readonly wallMs: () => number;
  readonly random: () => number;
  /** Called when the last try has failed. */
  readonly onGivenUp: (alert: Pick<DueAlert, "id" | "tries">, reason: unknown) => void;
}

/** Sends what is due. One run at a time; a failed one is tried again later, by any instance. */
export function createDelivery({ store, post, wallMs, random, onGivenUp }: DeliveryOptions) {
  const deliver = async (alert: DueAlert): Promise<void> => {
    const reason = await sent(post, alert);
    if (reason === null) return store.postpone(alert, null);
    const wait = WAITS_MS[alert.tries];
    if (wait === undefined) onGivenUp(alert, reason);
    const jitter = 1 - JITTER + 2 * JITTER * random();
    return store.postpone(alert, wait === undefined ? null : wallMs() + wait * jitter);
  };
  return async function run(): Promise<void> {
    for (;;) {
      const due = await store.claim(MAX_AT_ONCE);
      await Promise.all(due.map(deliver));
      if (due.length < MAX_AT_ONCE) return;
    }
  };
}

/** Null if it was taken, else why not. */
async function sent(post: Post, { id, body }: DueAlert): Promise<unknown> {
  try {
    const status = await post.send(id, body);
    return status >= 200 && status < 300 ? null : { status };
  } catch (error) {
    return error;
  }
}
