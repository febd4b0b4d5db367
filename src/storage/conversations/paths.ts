import type { Path, PathQuery, Tree } from "../../core/conversations/conversations.ts";
import { type ConversationLimits, messagesPerTurn } from "../../core/conversations/turns.ts";
import { ProxyError } from "../../core/errors.ts";
import { type Builder, prepare } from "../driver/queries.ts";
import { isStorable } from "../driver/text.ts";
import type { ConversationParts } from "./parts.ts";
import { conversationQueries, slideEveryMs } from "./queries.ts";
import {
  conversationOf,
  messagesOf,
  notFound,
  type StoredConversation,
  type StoredRowOfTurn,
  turnColumns,
} from "./row.ts";
import { createWindow } from "./window.ts";

/** Messages of a tree that are read when nobody says how many. */
const treeMessages = 200;

export function createPaths(parts: ConversationParts) {
  const { driver, builder, clock, codec, limits } = parts;
  const { find, touch } = conversationQueries(builder);
  const newestFirst = createWindow(parts);
  const newestTurns = treeQuery(builder);

  const row = async (owner: string, id: string): Promise<StoredConversation> => {
    if (!isStorable(id) || !isStorable(owner)) throw notFound();
    const [found] = await driver.all(find({ id, owner, now: clock.wallMs() }));
    if (found === undefined) throw notFound();
    return found;
  };
  const slide = async (owner: string, found: StoredConversation): Promise<void> => {
    const now = clock.wallMs();
    if (found.expires_at >= now + found.lifetime_ms - slideEveryMs) return;
    await driver.all(touch({ id: found.id, owner, now }));
  };
  return {
    row,
    async path(owner: string, id: string, query: PathQuery = {}): Promise<Path> {
      const found = await row(owner, id);
      await slide(owner, found);
      const leafId = query.leafId ?? found.leaf_id;
      const bounds = boundsOf(query, limits);
      const turns = isId(leafId) ? await newestFirst({ id, leafId, ...bounds }, found.bytes) : [];
      const [leaf] = turns;
      if (leaf === undefined) {
        if (query.leafId !== undefined) throw new ProxyError("message_not_found");
        const conversation = conversationOf(codec, found);
        return { conversation, leafId: null, messages: [], omitted: 0 };
      }
      const fits = bounds.maxTurns > 0 && (leaf.characters ?? 0) <= bounds.maxCharacters;
      const window = fits ? turns.toReversed() : [];
      return {
        conversation: conversationOf(codec, found),
        leafId: leaf.id,
        messages: window.flatMap((turn) => messagesOf(codec, id, turn)),
        omitted: (leaf.depth - window.length) * messagesPerTurn,
      };
    },
    async tree(owner: string, id: string, { maxMessages = treeMessages } = {}): Promise<Tree> {
      const found = await row(owner, id);
      const most = Math.min(maxMessages, limits.messagesPerConversation);
      const maxTurns = Math.max(0, Math.floor(most / messagesPerTurn));
      const turns = await driver.all(newestTurns({ id, maxTurns }));
      const inOrder = turns.toReversed().sort((a, b) => a.depth - b.depth);
      return {
        conversation: conversationOf(codec, found),
        messages: inOrder.flatMap((turn) => messagesOf(codec, id, turn)),
        // A turn may have been added after the conversation was read.
        omitted: Math.max(0, found.turns - turns.length) * messagesPerTurn,
      };
    },
  };
}

function isId(id: string | null): id is string {
  return id !== null && isStorable(id);
}

function boundsOf(query: PathQuery, limits: ConversationLimits) {
  const most = limits.messagesPerConversation;
  const { maxMessages = most, maxCharacters = Number.MAX_SAFE_INTEGER } = query;
  return {
    maxTurns: Math.floor(Math.min(maxMessages, most) / messagesPerTurn),
    maxCharacters: Math.trunc(Math.min(maxCharacters, Number.MAX_SAFE_INTEGER)),
  };
}

function treeQuery(builder: Builder) {
  return prepare<{ id: string; maxTurns: number }, StoredRowOfTurn>(({ int, text }) =>
    builder
      .selectFrom("turns")
      .select(turnColumns)
      .where("conversation_id", "=", text("id"))
      .orderBy("id", "desc")
      .limit(int("maxTurns")),
  );
}
