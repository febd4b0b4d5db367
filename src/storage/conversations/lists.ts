import { sql } from "kysely";
import type {
  Conversation,
  ConversationQuery,
  ExportedItem,
  Message,
} from "../../core/conversations/conversations.ts";
import type { Driver } from "../driver/driver.ts";
import { type Builder, prepare } from "../driver/queries.ts";
import { isStorable } from "../driver/text.ts";
import type { ContentCodec } from "./content-codec.ts";
import type { ConversationParts } from "./parts.ts";
import {
  conversationColumns,
  conversationOf,
  messagesOf,
  type StoredRowOfTurn,
  turnColumns,
} from "./row.ts";

const maxListed = 1_000;
/** Rows of an export that are in memory at once. A turn has two messages of some megabytes at most. */
const exportedConversations = 100;
const exportedTurns = 20;

export function createLists({ driver, builder, clock, codec }: ConversationParts) {
  const list = async (
    owner: string,
    query: ConversationQuery = {},
  ): Promise<readonly Conversation[]> => {
    if (!isStorable(owner)) return [];
    let rows = builder
      .selectFrom("conversations")
      .select(conversationColumns)
      .where("owner", "=", owner)
      .where("expires_at", ">", clock.wallMs());
    if (query.named === true) rows = rows.where("name_key", "is not", null);
    if (query.after !== undefined) {
      const { createdAt, id } = query.after;
      rows = rows.where(
        sql<boolean>`(created_at, id) > (${createdAt}, ${isStorable(id) ? id : ""})`,
      );
    }
    const compiled = rows.orderBy("created_at").orderBy("id").limit(bounded(query.limit)).compile();
    return (await driver.all(compiled)).map((row) => conversationOf(codec, row));
  };
  const messages = createMessageReader(driver, builder, codec);
  const pages = async function* (owner: string): AsyncGenerator<Conversation> {
    let page = await list(owner, { limit: exportedConversations });
    for (;;) {
      yield* page;
      const after = page.at(-1);
      if (after === undefined || page.length < exportedConversations) return;
      page = await list(owner, { limit: exportedConversations, after });
    }
  };
  return {
    list,
    async *export(owner: string): AsyncGenerator<ExportedItem> {
      for await (const conversation of pages(owner)) {
        yield { type: "conversation", ...conversation };
        for await (const message of messages(conversation.id)) {
          yield { type: "message", conversationId: conversation.id, ...message };
        }
      }
    },
  };
}

function createMessageReader(driver: Driver, builder: Builder, codec: ContentCodec) {
  const turnsAfter = turnsQuery(builder);
  return async function* (conversationId: string): AsyncGenerator<Message> {
    let last = "";
    for (;;) {
      const turns = await driver.report(turnsAfter({ conversationId, last }));
      for (const turn of turns) yield* messagesOf(codec, conversationId, turn);
      if (turns.length < exportedTurns) return;
      last = turns.at(-1)?.id ?? "";
    }
  };
}

/** In the order of ids, which is that of time. */
function turnsQuery(builder: Builder) {
  return prepare<{ conversationId: string; last: string }, StoredRowOfTurn>(({ text }) =>
    builder
      .selectFrom("turns")
      .select(turnColumns)
      .where("conversation_id", "=", text("conversationId"))
      .where("id", ">", text("last"))
      .orderBy("id")
      .limit(exportedTurns),
  );
}

function bounded(limit = maxListed): number {
  return Number.isInteger(limit) ? Math.min(Math.max(limit, 1), maxListed) : maxListed;
}
