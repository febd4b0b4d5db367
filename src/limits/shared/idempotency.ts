import { LightSignal } from "../../core/call/call.ts";
import { ProxyError } from "../../core/errors.ts";
import type { Clock, IdempotencyStore, StoredResponse } from "../../core/ports.ts";
import { createRemembered, type Found } from "../memory-idempotency.ts";
import { type Begun, createNamedAnswers, type Known, type NamedAnswer } from "./named-answers.ts";
import { createWait } from "./owner-wait.ts";
import { createSeals } from "./sealed.ts";
import { AWAY, type Away, type SharedStore } from "./store.ts";

type Ask = () => Promise<StoredResponse>;

/** Two may fail before a lease ends. */
const RENEW_MS = 10_000;

export interface SharedIdempotencyOptions {
  readonly store: SharedStore;
  readonly clock: Pick<Clock, "monotonicMs" | "sleep">;
  /** The installation's, the same for all copies. */
  readonly secret: string;
  /** The time of the store in microseconds, for tests. */
  readonly storeTime?: () => number;
  /** The room for all answers, for tests; 64 MiB unless given. */
  readonly maxBytes?: number;
}

/**
 * Responses that all copies share, sealed. One of them asks, the others wait for it. Calls of one copy
 * join in its memory, which also keeps what the store could not take while it was away.
 */
export function createSharedIdempotency(options: SharedIdempotencyOptions): IdempotencyStore {
  const { clock } = options;
  const seals = createSeals(options.secret);
  const answerOf = createNamedAnswers({ ...options, seals });
  const wait = createWait(clock);

  return createRemembered(clock, async (call, ask) => {
    const answer = answerOf(call);
    const begin = async (known: Known) => {
      const begun = await answer.begin(known);
      return begun !== AWAY && begun.kind === "asked" ? wait(call, answer, begun.owner) : begun;
    };
    let begun = await begin({});
    if (begun !== AWAY && begun.kind === "kept") {
      const response = seals.open(call, begun.sealed);
      if (response !== null) return { response, remember: false };
      begun = await begin({ unopened: begun.owner });
    }
    return askIfFree(begun, answer, ask);
  });

  async function askIfFree(begun: Begun | Away, answer: NamedAnswer, ask: Ask): Promise<Found> {
    // without the store, or with one that shows what this copy can't open
    if (begun === AWAY || begun.kind === "kept") return { response: await ask(), remember: true };
    if (begun.kind === "mismatch") throw new ProxyError("idempotency_mismatch");
    if (begun.kind === "ours") return askAsOwner(begun.owner, answer, ask);
    throw new ProxyError("idempotency_lost");
  }

  async function askAsOwner(owner: string, answer: NamedAnswer, ask: Ask): Promise<Found> {
    const ended = new LightSignal();
    void renew(owner, answer, ended);
    try {
      const response = await ask().finally(() => ended.abort());
      // the client has its answer before it is kept; meanwhile it is found in memory
      const remember = answer.keep(owner, response).then((kept) => kept === AWAY);
      return { response, remember };
    } catch (thrown) {
      // before the client knows: it may ask again on another copy at once, with another request
      await answer.free(owner);
      throw thrown;
    }
  }

  async function renew(owner: string, answer: NamedAnswer, ended: LightSignal): Promise<void> {
    for (;;) {
      await clock.sleep(RENEW_MS, ended);
      if (ended.aborted) return;
      await answer.renew(owner);
    }
  }
}
