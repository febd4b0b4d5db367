import { createHash } from "node:crypto";
import type { Principal } from "../../core/call/principal.ts";
import { ProxyError, toProxyError } from "../../core/errors.ts";
import type { Clock, RelayRequest } from "../../core/ports.ts";

/** Long enough for a client's retries after a broken connection. */
const REMEMBER_MS = 600_000;
const MAX_ANSWERS = 1_000;
const MAX_BYTES = 16_777_216;

interface WholeAnswer {
  readonly bytes: Uint8Array;
}

/** Answers to calls with an Idempotency-Key, so that a repeated call is not spent twice. */
export interface IdempotentAnswers {
  /**
   * The answer to the same principal, key and request: the one that is remembered or under way,
   * else a new one. The same key with another request is refused. Failures are not remembered.
   */
  once<T extends WholeAnswer>(
    principal: Principal,
    key: string,
    request: RelayRequest,
    ask: () => Promise<T>,
  ): Promise<T>;
}

interface Remembered {
  readonly wanted: string;
  readonly answer: Promise<WholeAnswer>;
  readonly untilMs: number;
  bytes: number;
}

/** In memory only, and only for a while: an answer is content, and content is never stored. */
export function createIdempotentAnswers(
  clock: Pick<Clock, "monotonicMs">,
  digestKey: (key: string) => string,
): IdempotentAnswers {
  const answers = new Map<string, Remembered>();
  let totalBytes = 0;

  const forget = (name: string) => {
    totalBytes -= answers.get(name)?.bytes ?? 0;
    answers.delete(name);
  };
  const makeRoom = () => {
    const nowMs = clock.monotonicMs();
    for (const [name, { untilMs }] of answers) {
      if (untilMs > nowMs && answers.size < MAX_ANSWERS && totalBytes < MAX_BYTES) return;
      forget(name);
    }
  };

  return {
    once(principal, key, request, ask) {
      const name = `${nameOf(principal, digestKey)}\n${digest(key)}`;
      return once(name, digest(`${request.path}\n`, request.body ?? ""), ask);
    },
  };

  function once<T extends WholeAnswer>(
    name: string,
    wanted: string,
    ask: () => Promise<T>,
  ): Promise<T> {
    const known = answers.get(name);
    if (known !== undefined && known.untilMs > clock.monotonicMs()) {
      if (known.wanted !== wanted) throw new ProxyError("idempotency_mismatch");
      // the same request was answered by the same route
      return (known.answer as Promise<T>).catch((thrown: unknown) => {
        // who asked first has left: whoever still waits asks again, together
        if (toProxyError(thrown).code !== "canceled") throw thrown;
        return once(name, wanted, ask);
      });
    }
    makeRoom();
    const answer = ask();
    const untilMs = clock.monotonicMs() + REMEMBER_MS;
    const remembered: Remembered = { wanted, answer, untilMs, bytes: 0 };
    answers.set(name, remembered);
    answer.then(
      ({ bytes }) => {
        // what was forgotten while it was under way takes no room
        if (answers.get(name) !== remembered) return;
        remembered.bytes = bytes.length;
        totalBytes += bytes.length;
      },
      () => {
        if (answers.get(name) === remembered) answers.delete(name);
      },
    );
    return answer;
  }
}

function nameOf(principal: Principal, digestKey: (key: string) => string): string {
  if (principal.kind === "token") return `token ${principal.found.token.id}`;
  if (principal.kind === "own-key") return `key ${digestKey(principal.key)}`;
  return `visitor ${principal.bucket}`;
}

function digest(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("base64url");
}
