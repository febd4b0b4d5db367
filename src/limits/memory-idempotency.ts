import { ProxyError, toProxyError } from "../core/errors.ts";
import type { Clock, IdempotencyStore, StoredResponse } from "../core/ports.ts";

/** Long enough for a client's retries after a broken connection. */
const REMEMBER_MS = 600_000;
const MAX_RESPONSES = 1_000;
const MAX_BYTES = 16_777_216;

interface Remembered {
  readonly fingerprint: string;
  readonly response: Promise<StoredResponse>;
  readonly untilMs: number;
  bytes: number;
}

/** In memory only, and only for a while: a response is content, and content is never stored. */
export function createMemoryIdempotency(clock: Pick<Clock, "monotonicMs">): IdempotencyStore {
  const responses = new Map<string, Remembered>();
  let totalBytes = 0;

  const forget = (name: string) => {
    totalBytes -= responses.get(name)?.bytes ?? 0;
    responses.delete(name);
  };
  const makeRoom = () => {
    const nowMs = clock.monotonicMs();
    for (const [name, { untilMs }] of responses) {
      if (untilMs > nowMs && responses.size < MAX_RESPONSES && totalBytes < MAX_BYTES) return;
      forget(name);
    }
  };
  const remember = (name: string, fingerprint: string, response: Promise<StoredResponse>) => {
    const untilMs = clock.monotonicMs() + REMEMBER_MS;
    const remembered: Remembered = { fingerprint, response, untilMs, bytes: 0 };
    responses.set(name, remembered);
    response.then(
      ({ bytes }) => {
        // what was forgotten while it was under way takes no room
        if (responses.get(name) !== remembered) return;
        remembered.bytes = bytes.length;
        totalBytes += bytes.length;
      },
      () => {
        if (responses.get(name) === remembered) responses.delete(name);
      },
    );
  };

  const once: IdempotencyStore["once"] = async (name, fingerprint, ask) => {
    const known = responses.get(name);
    if (known === undefined || known.untilMs <= clock.monotonicMs()) {
      makeRoom();
      const response = ask();
      remember(name, fingerprint, response);
      return response;
    }
    if (known.fingerprint !== fingerprint) throw new ProxyError("idempotency_mismatch");
    return known.response.catch((thrown: unknown) => {
      // the client that asked first has left: all that still wait ask again, together
      if (toProxyError(thrown).code !== "canceled") throw thrown;
      return once(name, fingerprint, ask);
    });
  };
  return { once };
}
