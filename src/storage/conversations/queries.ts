import { type RawBuilder, sql } from "kysely";
import { type Builder, type Places, prepare } from "../driver/queries.ts";
import { conversationColumns, type StoredConversation } from "./row.ts";

/** One live conversation of one owner: the condition of every query about a conversation. */
export interface OwnedKey extends Readonly<Record<string, unknown>> {
  readonly id: string;
  readonly owner: string;
  readonly now: number;
}

/** The expiry is written at most this often for one conversation, to spare writes. */
export const slideEveryMs = 60_000;

export function isOwned({ int, text }: Places): RawBuilder<boolean> {
  return sql`id = ${text("id")} and owner = ${text("owner")} and expires_at > ${int("now")}`;
}

/** The expiry after use, unless it was moved a moment ago. */
export function slid({ int }: Places): RawBuilder<number> {
  const moved = sql`${int("now")} + lifetime_ms`;
  return sql`case when expires_at < ${moved} - ${sql.lit(slideEveryMs)} then ${moved} else expires_at end`;
}

export function conversationQueries(builder: Builder) {
  const rows = builder.selectFrom("conversations").select(conversationColumns);
  const update = builder.updateTable("conversations");
  return {
    find: prepare<OwnedKey, StoredConversation>((places) => rows.where(isOwned(places))),
    touch: prepare<OwnedKey, unknown>((places) =>
      update.set({ expires_at: slid(places) }).where(isOwned(places)),
    ),
    setPrompt: prepare<OwnedKey & { prompt: string | null }, { id: string }>((places) =>
      update
        .set({ system_prompt: places.text<string | null>("prompt"), expires_at: slid(places) })
        .where(isOwned(places))
        .returning("id"),
    ),
    empty: prepare<OwnedKey, { id: string }>((places) =>
      update
        .set({ leaf_id: null, turns: 0, bytes: 0, claim_id: null, claim_until: null })
        .set({ expires_at: slid(places) })
        .where(isOwned(places))
        .returning("id"),
    ),
    deleteTurns: prepare<{ id: string }, unknown>(({ text }) =>
      builder.deleteFrom("turns").where("conversation_id", "=", text("id")),
    ),
  };
}
