import type {
  Conversation,
  Conversations,
  PathQuery,
} from "../../core/conversations/conversations.ts";
import { MESSAGES_PER_TURN } from "../../core/conversations/turn-rules.ts";
import { ProxyError } from "../../core/errors.ts";
import { isStorable } from "../driver/driver.ts";
import { prepare } from "../driver/queries.ts";
import { conversationQueries, SLIDE_EVERY_MS } from "./queries.ts";
import {
  type ConversationStore,
  conversationColumns,
  conversationNotFound,
  conversationOf,
  messagesOf,
  ownedKey,
  type StoredConversation,
  type TurnRow,
  turnColumns,
} from "./rows.ts";
import { wrongName } from "./sealing.ts";
import { createWindow } from "./window.ts";

/** Messages of a tree that are read by default. */
const TREE_MESSAGES = 200;

type Reading = "find" | "findByName" | "path" | "tree";

export function createConversationReader(store: ConversationStore): Pick<Conversations, Reading> {
  const { driver, builder, codec } = store;
  const { find } = conversationQueries(builder);
  const row = async (owner: string, id: string): Promise<StoredConversation> => {
    const [found] = await driver.all(find(ownedKey(store, owner, id)));
    if (found === undefined) throw conversationNotFound();
    return found;
  };
  return {
    find: async (owner, id) => {
      if (!isStorable(owner) || !isStorable(id)) return null;
      const [found] = await driver.all(find(ownedKey(store, owner, id)));
      return found === undefined ? null : conversationOf(codec, found);
    },
    findByName: createFindByName(store),
    path: createPath(store, row),
    tree: createTree(store, row),
  };
}

type ReadRow = (owner: string, id: string) => Promise<StoredConversation>;

function createFindByName({ driver, builder, clock, codec, nameKeys }: ConversationStore) {
  // Every name has as many keys, so the query is built once.
  const keys = nameKeys("", "").map((_key, at) => `key${at}`);
  const named = prepare<Readonly<Record<string, unknown>>, StoredConversation>(({ int, text }) =>
    builder
      .selectFrom("conversations")
      .select(conversationColumns)
      .where("owner", "=", text("owner"))
      .where(
        "name_key",
        "in",
        keys.map((key) => text(key)),
      )
      // No LIMIT: SQLite plans a query again for each value bound to one.
      .where("expires_at", ">", int("now")),
  );
  return async (owner: string, name: string): Promise<Conversation | null> => {
    if (wrongName(name) !== null || !isStorable(owner)) return null;
    const values = nameKeys(owner, name).map((key, at) => [`key${at}`, key]);
    const [row] = await driver.all(
      named({ owner, now: clock.wallMs(), ...Object.fromEntries(values) }),
    );
    return row === undefined ? null : conversationOf(codec, row);
  };
}

function createPath(store: ConversationStore, row: ReadRow): Conversations["path"] {
  const { driver, builder, clock, codec, limits } = store;
  const { touch } = conversationQueries(builder);
  const newestFirst = createWindow(store);
  const slide = async (owner: string, { id, expires_at, lifetime_ms }: StoredConversation) => {
    const now = clock.wallMs();
    if (expires_at >= now + lifetime_ms - SLIDE_EVERY_MS) return;
    await driver.all(touch({ id, owner, now }));
  };
  return async (owner, id, query = {}) => {
    const found = await row(owner, id);
    await slide(owner, found);
    const conversation = conversationOf(codec, found);
    const bounds = windowBounds(query, limits.messagesPerConversation);
    const leafId = query.leafId ?? found.leaf_id;
    const turns = isTurnId(leafId) ? await newestFirst({ id, leafId, ...bounds }, found.bytes) : [];
    const [leaf] = turns;
    if (leaf === undefined) {
      if (query.leafId !== undefined) throw new ProxyError("message_not_found");
      return { conversation, leafId: null, messages: [], omitted: 0 };
    }
    const fits = bounds.maxTurns > 0 && (leaf.characters ?? 0) <= bounds.maxCharacters;
    const window = fits ? turns.toReversed() : [];
    return {
      conversation,
      leafId: leaf.id,
      messages: window.flatMap((turn) => messagesOf(codec, id, turn)),
      omitted: (leaf.depth - window.length) * MESSAGES_PER_TURN,
    };
  };
}

function isTurnId(id: string | null): id is string {
  return id !== null && isStorable(id);
}

function windowBounds(query: PathQuery, maxStored: number) {
  const { maxMessages = maxStored, maxCharacters = Number.MAX_SAFE_INTEGER } = query;
  return {
    maxTurns: Math.floor(Math.min(maxMessages, maxStored) / MESSAGES_PER_TURN),
    maxCharacters: Math.trunc(Math.min(maxCharacters, Number.MAX_SAFE_INTEGER)),
  };
}

function createTree(
  { driver, builder, codec, limits }: ConversationStore,
  row: ReadRow,
): Conversations["tree"] {
  const newestTurns = prepare<{ id: string; maxTurns: number }, TurnRow>(({ int, text }) =>
    builder
      .selectFrom("turns")
      .select(turnColumns)
      .where("conversation_id", "=", text("id"))
      .orderBy("id", "desc")
      .limit(int("maxTurns")),
  );
  return async (owner, id, { maxMessages = TREE_MESSAGES } = {}) => {
    const found = await row(owner, id);
    const max = Math.min(maxMessages, limits.messagesPerConversation);
    const maxTurns = Math.max(0, Math.floor(max / MESSAGES_PER_TURN));
    const turns = await driver.all(newestTurns({ id, maxTurns }));
    const inOrder = turns.toReversed().sort((a, b) => a.depth - b.depth);
    return {
      conversation: conversationOf(codec, found),
      messages: inOrder.flatMap((turn) => messagesOf(codec, id, turn)),
      // A turn may have been added after the conversation was read.
      omitted: Math.max(0, found.turns - turns.length) * MESSAGES_PER_TURN,
    };
  };
}
