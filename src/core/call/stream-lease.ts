import { ProxyError } from "../errors.ts";
import type { ConcurrencyLimiter, Lease } from "../ports.ts";
import type { Call } from "./call.ts";
import { refuseCall } from "./refuse-call.ts";
import type { SettleOptions } from "./settle.ts";

export interface StreamLeaseOptions extends SettleOptions {
  readonly concurrency: ConcurrencyLimiter;
  /** Open streams per bucket; named in the refusal. */
  readonly streamLimit: number;
}

/**
 * Runs `start` while holding a stream lease of the caller (null: none is needed). A lease that is
 * still to be granted travels beside admission: `start` gets a promise that rejects if it is refused.
 */
export async function withLease<T>(
  call: Call | null,
  model: string,
  options: StreamLeaseOptions,
  start: (leave: () => void, beside?: Promise<void>) => Promise<T>,
): Promise<T> {
  if (call === null) return start(() => undefined);
  const entering = options.concurrency.enter(call.principal.bucket);
  if (entering instanceof Promise) return besideLease(entering, options, start);
  if (!entering.entered) return refuseCall(call, model, true, streamsLimited(options), options);
  try {
    return await start(entering.leave);
  } catch (error) {
    entering.leave();
    throw error;
  }
}

async function besideLease<T>(
  entering: Promise<Lease>,
  options: StreamLeaseOptions,
  start: (leave: () => void, beside: Promise<void>) => Promise<T>,
): Promise<T> {
  const leave = async () => {
    const lease = await entering;
    if (lease.entered) lease.leave();
  };
  const granted = entering.then(({ entered }) => {
    if (!entered) throw streamsLimited(options);
  });
  // admission may fail without a look at it
  granted.catch(() => undefined);
  try {
    return await start(() => void leave(), granted);
  } catch (error) {
    await leave();
    throw error;
  }
}

/** When a stream will end is unknown: clients retry after a second. */
const RETRY_STREAM_MS = 1_000;

function streamsLimited({ streamLimit: limit }: StreamLeaseOptions): ProxyError {
  const about = { limit };
  return new ProxyError("streams_limited", {
    params: about,
    details: about,
    retryAfterMs: RETRY_STREAM_MS,
  });
}
