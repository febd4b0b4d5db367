import type { Content } from "../../core/call/messages.ts";
import type {
  ClaimRequest,
  Conversations,
  NewTurn,
} from "../../core/conversations/conversations.ts";
import {
  checkMessageBytes,
  messagesPerTurn,
  type ProposedTurn,
  refuseTurn,
  type TurnState,
} from "../../core/conversations/turns.ts";
import { ProxyError } from "../../core/errors.ts";
import { ask, type Script } from "../driver/driver.ts";
import { isStorable } from "../driver/text.ts";
import type { Spread } from "../driver/writes.ts";
import { encode } from "./content-codec.ts";
import type { ConversationParts } from "./parts.ts";
import { contextOf, notFound, questionId } from "./row.ts";
import { claimQueries, type NewTurnRow, type TurnKey, turnQueries } from "./turn-queries.ts";

/** A turn ready to be written. */
interface Appending {
  readonly key: TurnKey;
  readonly wish: ProposedTurn;
  readonly row: NewTurnRow;
}

/** A claim that is forgotten ends by itself; no answer takes longer. */
const maxClaimMs = 2 * 3_600_000;
/**
 * Groups that Postgres writes side by side. A crowd on one conversation goes through one connection
 * instead of filling the pool while it waits for one row. Few together, since each turn is some round
 * trips during which rows stay locked.
 */
const spread: Spread<{ readonly key: TurnKey }> = {
  subjectOf: ({ key }) => key.id,
  lanes: 4,
  maxBatch: 8,
};

type Turns = Pick<Conversations, "checkTurn" | "claim" | "extend" | "release" | "appendTurn">;

export function createTurns(parts: ConversationParts): Turns {
  const { driver, builder, clock, newId, limits } = parts;
  const append = inGroups(parts, createAppendScript(parts));
  const claims = claimQueries(builder);
  const claim = inGroups<Claiming, boolean>(parts, function* ({ values }) {
    return (yield* ask(claims.claim(values))).length > 0;
  });
  const decide = createDecision(parts, false);
  const keyOf = (owner: string, id: string): TurnKey => {
    if (!isStorable(owner) || !isStorable(id)) throw notFound();
    return { owner, id, now: clock.wallMs() };
  };
  return {
    async checkTurn(owner, id, { parentId, onlyAtNewest, question }) {
      const bytes = measured(question, parts);
      const wish = { parentId: knownForm(parentId), onlyAtNewest, claimId: null, bytes };
      const refusal = await driver.single(() => decide(keyOf(owner, id), wish));
      if (refusal !== null) throw refusal;
    },
    async claim(owner, id, { parentId, untilMs, question }: ClaimRequest) {
      const key = keyOf(owner, id);
      const claimId = newId(key.now);
      const bytes = question === undefined ? 0 : measured(question, parts);
      const values = {
        ...key,
        parentId: knownForm(parentId),
        claimId,
        until: Math.trunc(Math.min(untilMs, key.now + maxClaimMs)),
        maxTurns: Math.floor(limits.messagesPerConversation / messagesPerTurn),
        maxBytes: limits.bytesPerConversation - bytes,
      };
      if (await claim({ key, values })) return claimId;
      const wish = { parentId: values.parentId, onlyAtNewest: true, claimId: null, bytes };
      const refusal = await driver.single(() => decide(key, wish));
      // What was in the way a moment ago may be gone: the caller may look again.
      throw refusal ?? new ProxyError("conversation_conflict");
    },
    async extend(owner, id, claimId, untilMs) {
      if (!isStorable(claimId)) return;
      const until = Math.trunc(untilMs);
      await driver.all(claims.extend({ ...keyOf(owner, id), claimId, until }));
    },
    async release(owner, id, claimId) {
      if (!isStorable(claimId)) return;
      await driver.all(claims.release({ ...keyOf(owner, id), claimId }));
    },
    async appendTurn(owner, id, turn) {
      const refusal = await append(prepared(parts, keyOf(owner, id), turn));
      if (refusal instanceof ProxyError) throw refusal;
      return { questionId: questionId(refusal), answerId: refusal };
    },
  };
}

function measured(content: Content, { limits }: ConversationParts): number {
  const { bytes } = encode(content);
  checkMessageBytes(bytes, limits);
  return bytes;
}

/** An id that no row could have must not reach the database. */
function knownForm(id: string | null): string | null {
  if (id === null || isStorable(id)) return id;
  throw new ProxyError("message_not_found");
}

function prepared(parts: ConversationParts, key: TurnKey, turn: NewTurn): Appending {
  const { codec, newId, limits } = parts;
  const question = encode(turn.question);
  const answer = encode(turn.answer);
  checkMessageBytes(question.bytes, limits);
  checkMessageBytes(answer.bytes, limits);
  const claimId = knownForm(turn.claimId ?? null);
  const parentId = knownForm(turn.parentId);
  const turnId = claimId ?? newId(key.now);
  const bytes = question.bytes + answer.bytes;
  const asked = questionId(turnId);
  const seal = (payload: string, messageId: string) =>
    codec.write(payload, contextOf.message(key.id, messageId));
  return {
    key,
    wish: { parentId, onlyAtNewest: turn.onlyAtNewest || claimId !== null, claimId, bytes },
    row: {
      turnId,
      parentId,
      characters: question.characters + answer.characters,
      state: turn.state ?? "complete",
      question: seal(question.payload, asked),
      answer: seal(answer.payload, turnId),
    },
  };
}

/** The turn's id, or why it was not stored: a refused turn must not undo the others of its group. */
type Appended = string | ProxyError;

/** A claim ready to be written. */
interface Claiming {
  readonly key: TurnKey;
  readonly values: Parameters<ReturnType<typeof claimQueries>["claim"]>[0];
}

/** Runs a script for each entry, many of them in one transaction. */
function inGroups<E extends { readonly key: TurnKey }, R>(
  { writes }: ConversationParts,
  runOne: (entry: E) => Script<R>,
): (entry: E) => Promise<R> {
  return writes.group<E, R>(
    {
      *script(entries) {
        const results = new Map<E, R>();
        // Always in the order of conversations: two groups then never wait for each other.
        for (const one of entries.toSorted(byConversation)) results.set(one, yield* runOne(one));
        // Each of them has been set above.
        return entries.map((one) => results.get(one) as R);
      },
      isSingle: () => false,
    },
    spread,
  );
}

function byConversation(a: { readonly key: TurnKey }, b: { readonly key: TurnKey }): number {
  if (a.key.id === b.key.id) return 0;
  return a.key.id < b.key.id ? -1 : 1;
}

function createAppendScript(parts: ConversationParts): (turn: Appending) => Script<Appended> {
  const decide = createDecision(parts, true);
  const { place, insert, advance } = turnQueries(parts.builder, parts.driver.kind);
  return function* ({ key, wish, row }) {
    const refusal = yield* decide(key, wish);
    if (refusal !== null) {
      if (wish.claimId === null || refusal.code !== "conversation_conflict") return refusal;
      // The same claim's turn may have been stored before, and the answer to that was lost. The
      // conversation is the owner's own: else it would not have been found.
      const [stored] = yield* ask(place({ id: key.id, parentId: wish.claimId, most: 0 }));
      return stored === undefined ? refusal : row.turnId;
    }
    yield* ask(insert({ ...key, ...row }));
    yield* ask(advance({ ...key, turnId: row.turnId, bytes: wish.bytes }));
    return row.turnId;
  };
}

/**
 * Reads what decides over a turn, with the conversation's row locked if it is to be stored. All is
 * decided before anything is written.
 */
function createDecision({ driver, builder, limits }: ConversationParts, locks: boolean) {
  const queries = turnQueries(builder, driver.kind);
  const read = locks ? queries.lock : queries.look;
  const most = limits.childrenPerMessage;
  const countChildren = function* (id: string, parentId: string | null): Script<number | null> {
    const [parent] = yield* ask(
      parentId === null ? queries.roots({ id, most }) : queries.place({ id, parentId, most }),
    );
    return parent?.children ?? null;
  };
  return function* (key: TurnKey, wish: ProposedTurn): Script<ProxyError | null> {
    const [row] = yield* ask(read(key));
    if (row === undefined) return notFound();
    const { parentId } = wish;
    const facts: TurnState = {
      leafId: row.leaf_id,
      claimId: row.claim_id,
      claimUntilMs: row.claim_until,
      messages: row.turns * messagesPerTurn,
      bytes: row.bytes,
      // the newest has none
      children: parentId === row.leaf_id ? 0 : yield* countChildren(key.id, parentId),
    };
    return refuseTurn(facts, wish, limits, key.now);
  };
}
