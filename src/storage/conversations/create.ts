import { sql } from "kysely";
import type { Conversation, NewConversation } from "../../core/conversations/conversations.ts";
import { checkMessageBytes } from "../../core/conversations/turns.ts";
import { ProxyError } from "../../core/errors.ts";
import { ask, type Script } from "../driver/driver.ts";
import { type Builder, prepare } from "../driver/queries.ts";
import type { ConversationTable } from "../driver/schema.ts";
import { storable } from "../driver/text.ts";
import { encode } from "./content-codec.ts";
import { wrongName } from "./names.ts";
import type { ConversationParts } from "./parts.ts";
import { contextOf, conversationOf } from "./row.ts";

/** `sweepOwner` makes room by deleting what of an owner has expired; returns how many. */
export function createCreate(
  parts: ConversationParts,
  sweepOwner: (owner: string) => Promise<number>,
) {
  const insert = createInsertScript(parts);
  return async (owner: string, chosen: NewConversation = {}): Promise<Conversation> => {
    const most = chosen.maxConversations ?? parts.limits.conversationsPerOwner;
    const { row, nameKeys } = newRow(parts, storable("owner", owner), chosen);
    const add = () => parts.driver.transaction(() => insert(row, nameKeys, most));
    try {
      await add();
    } catch (error) {
      // Expired ones are counted until they are swept.
      if (!isLimited(error) || (await sweepOwner(owner)) === 0) throw error;
      await add();
    }
    return conversationOf(parts.codec, row);
  };
}

function isLimited(error: unknown): boolean {
  return error instanceof ProxyError && error.code === "conversations_limited";
}

function newRow(parts: ConversationParts, owner: string, chosen: NewConversation) {
  const { clock, codec, names, limits } = parts;
  const { name, systemPrompt = null, lifetimeMs = parts.lifetimeMs } = chosen;
  const wrong = name === undefined ? null : wrongName(name);
  if (wrong !== null) throw wrong;
  const id = parts.newConversationId();
  const now = clock.wallMs();
  const nameKeys = name === undefined ? [] : names.of(owner, name);
  const row: ConversationTable = {
    id,
    owner,
    name_key: nameKeys[0] ?? null,
    name: name === undefined ? null : codec.write(encode(name).payload, contextOf.name(id)),
    system_prompt: storedPrompt(codec, limits, systemPrompt, contextOf.prompt(id)),
    created_at: now,
    expires_at: now + lifetimeMs,
    lifetime_ms: lifetimeMs,
    leaf_id: null,
    turns: 0,
    bytes: 0,
    claim_id: null,
    claim_until: null,
  };
  return { row, nameKeys };
}

/** A system prompt is content like a message: bounded and sealed. */
export function storedPrompt(
  codec: ConversationParts["codec"],
  limits: ConversationParts["limits"],
  prompt: string | null,
  context: string,
): string | null {
  if (prompt === null) return null;
  const { payload, bytes } = encode(prompt);
  checkMessageBytes(bytes, limits);
  return codec.write(payload, context);
}

/**
 * Throws when the name is taken or the owner has no room, so that nothing of it is left. The row of
 * the count is locked last, as when a conversation is deleted: taken before, it would be held while
 * the insert waits for a deletion that waits for it.
 */
function createInsertScript({ builder }: ConversationParts) {
  const count = countQuery(builder);
  return function* (
    row: ConversationTable,
    nameKeys: readonly string[],
    most: number,
  ): Script<void> {
    for (const key of nameKeys) yield* freeName(builder, row, key);
    const [inserted] = yield* ask(
      builder
        .insertInto("conversations")
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
        .returning("id")
        .compile(),
    );
    if (inserted === undefined) throw taken();
    const [counted] = yield* ask(count({ owner: row.owner, most }));
    if (counted === undefined) {
      throw new ProxyError("conversations_limited", { params: { max: most } });
    }
  };
}

/** An expired chat gives up its name at once; the rest of it waits for the sweep. */
function* freeName(builder: Builder, row: ConversationTable, nameKey: string): Script<void> {
  const named = builder
    .selectFrom("conversations")
    .select(["id", "expires_at"])
    .where("owner", "=", row.owner)
    .where("name_key", "=", nameKey);
  const [holder] = yield* ask(named.compile());
  if (holder === undefined) return;
  if (holder.expires_at > row.created_at) throw taken();
  const free = builder.updateTable("conversations").set({ name_key: null });
  yield* ask(free.where("id", "=", holder.id).where("expires_at", "<=", row.created_at).compile());
}

function taken(): ProxyError {
  return new ProxyError("conversation_conflict");
}

/** One more, if there is room: one statement, so that two callers cannot both take the last place. */
function countQuery(builder: Builder) {
  return prepare<{ owner: string; most: number }, { owner: string }>(({ int, text }) =>
    builder
      .insertInto("conversation_counts")
      .values({ owner: text("owner"), conversations: 1 })
      .onConflict((conflict) =>
        conflict
          .column("owner")
          .doUpdateSet({ conversations: sql<number>`conversation_counts.conversations + 1` })
          .where("conversation_counts.conversations", "<", int("most")),
      )
      .returning("owner"),
  );
}
