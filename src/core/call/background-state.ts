import { ProxyError } from "../errors.ts";
import { DEFAULT_UPSTREAM } from "../routing/routing.ts";
import type { AskOptions, Relay, RelayAccount } from "../upstream-ports.ts";
import type { AnswerRoom } from "./answer-room.ts";
import type { StateOf } from "./background-poll.ts";
import { NOTHING_SEEN } from "./estimate.ts";
import type { KeyRing } from "./key-ring.ts";
import type { Routing } from "./targets.ts";

export interface BackgroundStateOptions {
  readonly routing: Pick<Routing, "planOf">;
  readonly answers: AnswerRoom;
  /** The upstream key of a token's own, or null. */
  readonly upstreamKeyOf: (tokenId: string) => Promise<string | null>;
}

/** What answers take that nobody waits for is counted as one caller's. */
const BUCKET = "background";

/** What can stand in a path as it is. */
const ID = /^[\w-]{1,200}$/;

/** Whether the upstream can be asked about an answer of this id. */
export function canBeAsked(upstreamId: string | null): upstreamId is string {
  return upstreamId !== null && ID.test(upstreamId);
}

/**
 * Asks with the token's own key, or with the operator's in turn: an answer belongs to the account that
 * made it, and to the others it does not exist.
 */
export function createBackgroundState(options: BackgroundStateOptions): StateOf {
  const { routing, answers, upstreamKeyOf } = options;
  return async function stateOf({ entry: { upstreamId, upstream, payer } }, signal) {
    if (!canBeAsked(upstreamId)) return null;
    // calls of an earlier release have no name
    const [target] = routing.planOf(upstream ?? DEFAULT_UPSTREAM)?.targets ?? [];
    if (target === undefined) return null;
    const { relay, keyRing } = target;
    const room = answers.enter(BUCKET);
    const ask = (key: string) => askFor(relay, upstreamId, { key, signal, room });
    try {
      const own = payer.tokenId === null ? null : await upstreamKeyOf(payer.tokenId);
      return await (own === null ? askInTurn(keyRing, ask) : ask(own));
    } finally {
      room.leave();
    }
  };
}

/** Null: the account of this key has no such answer. */
async function askFor(
  relay: Relay,
  id: string,
  how: Omit<AskOptions, "sent">,
): Promise<RelayAccount | null> {
  const path = `/responses/${id}`;
  const request = { method: "GET", path, body: null, streamed: false, hideUsage: false } as const;
  try {
    const answer = await relay.send(request, { ...how, sent: { unrefused: 0 } });
    return answer.kind === "whole" ? answer.account : answer.account();
  } catch (error) {
    if (error instanceof ProxyError && error.details.upstream_status === 404) return null;
    throw error;
  }
}

async function askInTurn(
  keyRing: KeyRing,
  ask: (key: string) => Promise<RelayAccount | null>,
): Promise<RelayAccount | null> {
  const tried = new Set<string>();
  for (let key = keyRing.next(tried); key !== null; key = keyRing.next(tried)) {
    const account = await ask(key);
    if (account !== null) return account;
    tried.add(key);
  }
  // a key that cools down may be the one
  return tried.size < keyRing.size ? { ...NOTHING_SEEN, pending: true } : null;
}
