import type { Conversations, NewTurn } from "../../core/conversations/conversations.ts";
import {
  MESSAGES_PER_TURN,
  type ProposedTurn,
  refuseTurn,
  type TurnState,
} from "../../core/conversations/turn-rules.ts";
import { ProxyError } from "../../core/errors.ts";
import { isStorable, query, type Transaction } from "../driver/driver.ts";
import { newId } from "../driver/ids.ts";
import { claimQueries, type NewClaim, type NewTurnRow, turnQueries } from "./queries.ts";
import { conversationRooms } from "./rooms.ts";
import {
  type ConversationStore,
  contextOf,
  conversationNotFound,
  type OwnedKey,
  ownedKey,
  questionId,
} from "./rows.ts";
import { encode } from "./sealing.ts";

/** A turn that is ready to be written. */
interface PendingTurn {
  readonly key: OwnedKey;
  readonly proposed: ProposedTurn;
  readonly row: NewTurnRow;
}

/** A forgotten claim ends after this; no answer takes longer. */
const MAX_CLAIM_MS = 2 * 3_600_000;
/**
 * Groups that Postgres writes in parallel. Many turns of one conversation go through one connection
 * instead of filling the pool while they wait for one row. Batches are small, since each turn takes
 * some round trips during which rows stay locked.
 */
const PARTITIONING = { partitions: 4, maxBatch: 8 };

type Turns = Pick<Conversations, "checkTurn" | "claim" | "extend" | "release" | "appendTurn">;

export function createTurns(store: ConversationStore): Turns {
  const { driver, builder, limits } = store;
  const append = inGroups(store, createAppend(store));
  const claims = claimQueries(builder);
  const claim = inGroups(store, function* ({ values }: { key: OwnedKey; values: NewClaim }) {
    return (yield* query(claims.claim(values))).length > 0;
  });
  const decide = createDecision(store, false);
  return {
    async checkTurn(owner, id, { parentId, onlyAtNewest, question }) {
      const { bytes } = encode(question, limits);
      const proposed = { parentId: knownForm(parentId), onlyAtNewest, claimId: null, bytes };
      const refusal = await driver.run(() => decide(ownedKey(store, owner, id), proposed));
      if (refusal !== null) throw refusal;
    },
    async claim(owner, id, { parentId: given, untilMs, question }) {
      const key = ownedKey(store, owner, id);
      const claimId = newId(key.now);
      const bytes = question === undefined ? 0 : encode(question, limits).bytes;
      const parentId = knownForm(given);
      const values = {
        ...key,
        parentId,
        claimId,
        until: Math.trunc(Math.min(untilMs, key.now + MAX_CLAIM_MS)),
        maxTurns: Math.floor(limits.messagesPerConversation / MESSAGES_PER_TURN),
        maxBytes: limits.bytesPerConversation - bytes,
      };
      if (await claim({ key, values })) return claimId;
      const proposed = { parentId, onlyAtNewest: true, claimId: null, bytes };
      const refusal = await driver.run(() => decide(key, proposed));
      // What refused the claim may be gone by now: the caller may try again.
      throw refusal ?? new ProxyError("conversation_conflict");
    },
    async extend(owner, id, claimId, untilMs) {
      if (!isStorable(claimId)) return;
      const until = Math.trunc(untilMs);
      await driver.all(claims.extend({ ...ownedKey(store, owner, id), claimId, until }));
    },
    async release(owner, id, claimId) {
      if (!isStorable(claimId)) return;
      await driver.all(claims.release({ ...ownedKey(store, owner, id), claimId }));
    },
    async appendTurn(owner, id, turn) {
      const appended = await append(pendingTurn(store, ownedKey(store, owner, id), turn));
      if (appended instanceof ProxyError) throw appended;
      return { questionId: questionId(appended), answerId: appended };
    },
  };
}

/** Throws for a message id that no row can have. */
function knownForm(id: string | null): string | null {
  if (id === null || isStorable(id)) return id;
  throw new ProxyError("message_not_found");
}

function pendingTurn(store: ConversationStore, key: OwnedKey, turn: NewTurn): PendingTurn {
  const { codec, limits } = store;
  const question = encode(turn.question, limits);
  const answer = encode(turn.answer, limits);
  const claimId = knownForm(turn.claimId ?? null);
  const parentId = knownForm(turn.parentId);
  const turnId = claimId ?? newId(key.now);
  const bytes = question.bytes + answer.bytes;
  const seal = (payload: string, messageId: string) =>
    codec.write(payload, contextOf.message(key.id, messageId));
  return {
    key,
    proposed: { parentId, onlyAtNewest: turn.onlyAtNewest || claimId !== null, claimId, bytes },
    row: {
      turnId,
      parentId,
      characters: question.characters + answer.characters,
      state: turn.state ?? "complete",
      question: seal(question.payload, questionId(turnId)),
      answer: seal(answer.payload, turnId),
    },
  };
}

/** Runs work for each entry, many of them in one transaction. */
function inGroups<E extends { readonly key: OwnedKey }, R>(
  { writes }: ConversationStore,
  runOne: (entry: E) => Transaction<R>,
): (entry: E) => Promise<R> {
  return writes.group<E, R>(
    {
      keyOf: ({ key }) => key.id,
      *write(entries) {
        const results: R[] = [];
        for (const one of entries) results.push(yield* runOne(one));
        return results;
      },
      isOneStatement: () => false,
    },
    PARTITIONING,
  );
}

/** Returns the turn's id, or why it wasn't stored: a refusal must not roll back the rest of its group. */
function createAppend(
  store: ConversationStore,
): (turn: PendingTurn) => Transaction<string | ProxyError> {
  const decide = createDecision(store, true);
  const rooms = conversationRooms(store.builder);
  const { children, insert, advance } = turnQueries(store.builder, store.driver.kind);
  return function* ({ key, proposed, row }) {
    const refusal = yield* decide(key, proposed);
    if (refusal !== null) {
      const { claimId } = proposed;
      if (claimId === null || refusal.code !== "conversation_conflict") return refusal;
      // This claim's turn may have been stored before, in an attempt whose answer was lost. The
      // conversation is the owner's own, or it would not have been found.
      const [stored] = yield* query(children({ id: key.id, parentId: claimId, max: 0 }));
      return stored === undefined ? refusal : row.turnId;
    }
    yield* query(insert({ ...key, ...row }));
    const [held] = yield* query(advance({ ...key, turnId: row.turnId, bytes: proposed.bytes }));
    if (held !== undefined) yield* rooms.answered(key.id, held);
    return row.turnId;
  };
}

/**
 * Decides whether a turn may be stored, before anything is written. Locks the conversation's row if
 * the turn is to be stored.
 */
function createDecision({ driver, builder, limits }: ConversationStore, locks: boolean) {
  const queries = turnQueries(builder, driver.kind);
  const read = locks ? queries.lock : queries.look;
  const max = limits.childrenPerMessage;
  const countChildren = function* (id: string, parentId: string | null) {
    const [parent] = yield* query(
      parentId === null ? queries.roots({ id, max }) : queries.children({ id, parentId, max }),
    );
    return parent?.children ?? null;
  };
  return function* (key: OwnedKey, proposed: ProposedTurn): Transaction<ProxyError | null> {
    const [row] = yield* query(read(key));
    if (row === undefined) return conversationNotFound();
    const { parentId } = proposed;
    const state: TurnState = {
      leafId: row.leaf_id,
      claimId: row.claim_id,
      claimUntilMs: row.claim_until,
      messages: row.turns * MESSAGES_PER_TURN,
      bytes: row.bytes,
      // The newest turn has no children.
      children: parentId === row.leaf_id ? 0 : yield* countChildren(key.id, parentId),
    };
    return refuseTurn(state, proposed, limits, key.now);
  };
}
