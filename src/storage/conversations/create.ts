import { randomBytes } from "node:crypto";
import { sql } from "kysely";
import type { Conversation, NewConversation } from "../../core/conversations/conversations.ts";
import { ProxyError } from "../../core/errors.ts";
import { query, requireStorable, type Transaction } from "../driver/driver.ts";
import { type Builder, prepare } from "../driver/queries.ts";
import type { ConversationTable } from "../driver/schema.ts";
import { bytesInRoom, conversationRooms } from "./rooms.ts";
import { type ConversationStore, contextOf, conversationOf, storedPrompt } from "./rows.ts";
import { encode, wrongName } from "./sealing.ts";

/** 128 random bits, since conversations without an owner are open to those who know the id. */
const ID_BYTES = 16;

/** `sweepOwner` makes room: it deletes an owner's expired conversations and returns how many. */
export function createConversationCreator(
  store: ConversationStore,
  sweepOwner: (owner: string) => Promise<number>,
) {
  const insert = createInsert(store);
  return async (owner: string, chosen: NewConversation = {}): Promise<Conversation> => {
    const max = chosen.maxConversations ?? store.limits.conversationsPerOwner;
    const { row, nameKeys } = newRow(store, requireStorable("owner", owner), chosen);
    const add = () => store.driver.transaction(() => insert(row, nameKeys, max));
    try {
      await add();
    } catch (error) {
      const isLimited = error instanceof ProxyError && error.code === "conversations_limited";
      // Expired conversations count until they are swept.
      if (!isLimited || (await sweepOwner(owner)) === 0) throw error;
      await add();
    }
    return conversationOf(store.codec, row);
  };
}

function newRow(store: ConversationStore, owner: string, chosen: NewConversation) {
  const { clock, codec } = store;
  const { name, systemPrompt = null, lifetimeMs = store.lifetimeMs, room = null } = chosen;
  const wrong = name === undefined ? null : wrongName(name);
  if (wrong !== null) throw wrong;
  const id = randomBytes(ID_BYTES).toString("hex");
  const now = clock.wallMs();
  const nameKeys = name === undefined ? [] : store.nameKeys(owner, name);
  const prompt = storedPrompt(store, systemPrompt, contextOf.prompt(id));
  const row: ConversationTable = {
    id,
    owner,
    name_key: nameKeys[0] ?? null,
    name: name === undefined ? null : codec.write(encode(name).payload, contextOf.name(id)),
    system_prompt: prompt,
    created_at: now,
    expires_at: now + lifetimeMs,
    lifetime_ms: lifetimeMs,
    leaf_id: null,
    turns: 0,
    bytes: 0,
    claim_id: null,
    claim_until: null,
    room,
    room_bytes: room === null ? 0 : bytesInRoom(prompt),
  };
  return { row, nameKeys };
}

/**
 * Throws, and so rolls back, if the name is taken or the owner has no room. Lock the count row last,
 * as deletions do; otherwise the two deadlock.
 */
function createInsert({ builder }: ConversationStore) {
  const count = countQuery(builder);
  const rooms = conversationRooms(builder);
  return function* (
    row: ConversationTable,
    nameKeys: readonly string[],
    max: number,
  ): Transaction<void> {
    for (const key of nameKeys) yield* freeName(builder, row, key);
    const [inserted] = yield* query(
      builder
        .insertInto("conversations")
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
        .returning("id")
        .compile(),
    );
    if (inserted === undefined) throw taken();
    const [counted] = yield* query(count({ owner: row.owner, max }));
    if (counted === undefined) {
      throw new ProxyError("conversations_limited", { params: { max } });
    }
    if (row.room !== null) yield* rooms.take(row.room, row.room_bytes);
  };
}

/** An expired chat loses its name at once; its rows wait for the sweep. */
function* freeName(builder: Builder, row: ConversationTable, nameKey: string): Transaction<void> {
  const named = builder
    .selectFrom("conversations")
    .select(["id", "expires_at"])
    .where("owner", "=", row.owner)
    .where("name_key", "=", nameKey);
  const [holder] = yield* query(named.compile());
  if (holder === undefined) return;
  if (holder.expires_at > row.created_at) throw taken();
  const free = builder.updateTable("conversations").set({ name_key: null });
  yield* query(
    free.where("id", "=", holder.id).where("expires_at", "<=", row.created_at).compile(),
  );
}

function taken(): ProxyError {
  return new ProxyError("conversation_conflict");
}

/** Adds one if there is room, in one statement, so that two callers can't both take the last place. */
function countQuery(builder: Builder) {
  return prepare<{ owner: string; max: number }, { owner: string }>(({ int, text }) =>
    builder
      .insertInto("conversation_counts")
      .values({ owner: text("owner"), conversations: 1 })
      .onConflict((conflict) =>
        conflict
          .column("owner")
          .doUpdateSet({ conversations: sql<number>`conversation_counts.conversations + 1` })
          .where("conversation_counts.conversations", "<", int("max")),
      )
      .returning("owner"),
  );
}
