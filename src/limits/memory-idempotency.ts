import { ProxyError, toProxyError } from "../core/errors.ts";
import { type MaybePromise, whenReady } from "../core/maybe-promise.ts";
import type { Clock, IdempotencyStore, NamedCall, StoredResponse } from "../core/ports.ts";
import { KeptResponses } from "./kept-responses.ts";

/** A response, and whether it is to be remembered here. Until that is decided, it is under way. */
export interface Found {
  readonly response: StoredResponse;
  readonly remember: MaybePromise<boolean>;
}

/** Finds the response to a call that is not in memory, or asks. */
export type Find = (call: NamedCall, ask: () => Promise<StoredResponse>) => Promise<Found>;

/** In memory only, and only for a while: a response is content, and content is never stored. */
export function createMemoryIdempotency(clock: Pick<Clock, "monotonicMs">): IdempotencyStore {
  return createRemembered(clock, async (_, ask) => ({ response: await ask(), remember: true }));
}

/** Calls of the same name join, and what is to be remembered stays in memory for a while. */
export function createRemembered(clock: Pick<Clock, "monotonicMs">, find: Find): IdempotencyStore {
  const responses = new KeptResponses(clock);

  const once: IdempotencyStore["once"] = async (call, ask) => {
    const known = responses.find(call.name);
    if (known === undefined) {
      const found = find(call, ask);
      const response = found.then((one) => one.response);
      const kept = responses.begin(call, response);
      found.then(
        ({ response: { bytes }, remember }) =>
          whenReady(remember, (here) => {
            if (here) responses.arrived(kept, bytes.length);
            else responses.forget(kept);
          }),
        () => responses.forget(kept),
      );
      return response;
    }
    if (known.fingerprint !== call.fingerprint) throw new ProxyError("idempotency_mismatch");
    return known.response.catch((thrown: unknown) => {
      // the client that asked first has left: all that still wait ask again, together
      if (toProxyError(thrown).code !== "canceled") throw thrown;
      return once(call, ask);
    });
  };
  return { once };
}
