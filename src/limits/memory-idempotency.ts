import { ProxyError, toProxyError } from "../core/errors.ts";
import type { Clock, IdempotencyStore } from "../core/ports.ts";
import { KeptResponses } from "./kept-responses.ts";

/** In memory only, and only for a while: a response is content, and content is never stored. */
export function createMemoryIdempotency(clock: Pick<Clock, "monotonicMs">): IdempotencyStore {
  const responses = new KeptResponses(clock);

  const once: IdempotencyStore["once"] = async (call, ask) => {
    const known = responses.find(call.name);
    if (known === undefined) {
      const response = ask();
      const kept = responses.begin(call, response);
      response.then(
        ({ bytes }) => responses.arrived(kept, bytes.length),
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
