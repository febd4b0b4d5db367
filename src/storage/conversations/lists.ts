import { sql } from "kysely";
import type {
  Conversation,
  Conversations,
  Message,
} from "../../core/conversations/conversations.ts";
import { isStorable } from "../driver/driver.ts";
import { pageSize, prepare } from "../driver/queries.ts";
import {
  type ConversationStore,
  conversationColumns,
  conversationOf,
  messagesOf,
  type TurnRow,
  turnColumns,
} from "./rows.ts";

const MAX_LISTED = 1_000;
/** Rows of an export in memory at once. A turn has two messages of some megabytes at most. */
const EXPORTED_CONVERSATIONS = 100;
const EXPORTED_TURNS = 20;

export function createConversationLister(
  store: ConversationStore,
): Pick<Conversations, "list" | "export"> {
  const { driver, builder, clock, codec } = store;
  const list: Conversations["list"] = async (owner, query = {}) => {
    if (!isStorable(owner)) return [];
    let rows = builder
      .selectFrom("conversations")
      .select(conversationColumns)
      .where("owner", "=", owner)
      .where("expires_at", ">", clock.wallMs());
    if (query.named === true) rows = rows.where("name_key", "is not", null);
    if (query.after !== undefined) {
      const { createdAt, id } = query.after;
      const after = sql`(${createdAt}, ${isStorable(id) ? id : ""})`;
      rows = rows.where(sql<boolean>`(created_at, id) > ${after}`);
    }
    const ordered = rows.orderBy("created_at").orderBy("id");
    const page = ordered.limit(pageSize(query.limit, MAX_LISTED)).compile();
    return (await driver.all(page)).map((row) => conversationOf(codec, row));
  };
  return { list, export: createExport(store, list) };
}

function createExport(
  store: ConversationStore,
  list: Conversations["list"],
): Conversations["export"] {
  const messages = createMessageReader(store);
  const pages = async function* (owner: string): AsyncGenerator<Conversation> {
    let page = await list(owner, { limit: EXPORTED_CONVERSATIONS });
    for (;;) {
      yield* page;
      const after = page.at(-1);
      if (after === undefined || page.length < EXPORTED_CONVERSATIONS) return;
      page = await list(owner, { limit: EXPORTED_CONVERSATIONS, after });
    }
  };
  return async function* (owner) {
    for await (const conversation of pages(owner)) {
      yield { type: "conversation", ...conversation };
      for await (const message of messages(conversation.id)) {
        yield { type: "message", conversationId: conversation.id, ...message };
      }
    }
  };
}

function createMessageReader({ driver, builder, codec }: ConversationStore) {
  // In the order of ids, which is that of time.
  const turnsAfter = prepare<{ conversationId: string; last: string }, TurnRow>(({ text }) =>
    builder
      .selectFrom("turns")
      .select(turnColumns)
      .where("conversation_id", "=", text("conversationId"))
      .where("id", ">", text("last"))
      .orderBy("id")
      .limit(EXPORTED_TURNS),
  );
  return async function* (conversationId: string): AsyncGenerator<Message> {
    let last = "";
    for (;;) {
      const turns = await driver.report(turnsAfter({ conversationId, last }));
      for (const turn of turns) yield* messagesOf(codec, conversationId, turn);
      if (turns.length < EXPORTED_TURNS) return;
      last = turns.at(-1)?.id ?? "";
    }
  };
}
