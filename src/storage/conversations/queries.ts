import { type RawBuilder, sql } from "kysely";
import { type Builder, type Placeholders, prepare } from "../driver/queries.ts";
import type { ConversationTable } from "../driver/schema.ts";
import { conversationColumns, type OwnedKey, type StoredConversation } from "./rows.ts";

/** The expiry of one conversation is written at most this often, to save writes. */
export const SLIDE_EVERY_MS = 60_000;

function isOwned({ int, text }: Placeholders<OwnedKey>): RawBuilder<boolean> {
  return sql`id = ${text("id")} and owner = ${text("owner")} and expires_at > ${int("now")}`;
}

/** The expiry after use, unless it was moved a moment ago. */
function slid({ int }: Placeholders<OwnedKey>): RawBuilder<number> {
  const moved = sql`${int("now")} + lifetime_ms`;
  return sql`case when expires_at < ${moved} - ${sql.lit(SLIDE_EVERY_MS)} then ${moved} else expires_at end`;
}

export type RoomTaken = Pick<ConversationTable, "room" | "room_bytes">;

export function conversationQueries(builder: Builder) {
  const rows = builder.selectFrom("conversations").select(conversationColumns);
  const update = builder.updateTable("conversations");
  return {
    find: prepare<OwnedKey, StoredConversation>((values) => rows.where(isOwned(values))),
    touch: prepare<OwnedKey, unknown>((values) =>
      update.set({ expires_at: slid(values) }).where(isOwned(values)),
    ),
    setPrompt: prepare<OwnedKey & { prompt: string | null }, RoomTaken>((values) =>
      update
        .set({ system_prompt: values.text<string | null>("prompt"), expires_at: slid(values) })
        .where(isOwned(values))
        .returning(["room", "room_bytes"]),
    ),
    setRoomBytes: prepare<{ id: string; bytes: number }, unknown>(({ int, text }) =>
      update.set({ room_bytes: int("bytes") }).where("id", "=", text("id")),
    ),
    empty: prepare<OwnedKey, { id: string }>((values) =>
      update
        .set({ leaf_id: null, turns: 0, bytes: 0, claim_id: null, claim_until: null })
        .set({ expires_at: slid(values) })
        .where(isOwned(values))
        .returning("id"),
    ),
    deleteTurns: prepare<{ id: string }, unknown>(({ text }) =>
      builder.deleteFrom("turns").where("conversation_id", "=", text("id")),
    ),
  };
}

/** What is bound for a new row of `turns`. Its depth follows from its parent. */
export interface NewTurnRow {
  readonly turnId: string;
  readonly parentId: string | null;
  readonly characters: number;
  readonly state: string;
  readonly question: string;
  readonly answer: string;
}

interface ChildrenOf {
  readonly id: string;
  /** They are counted up to this number. */
  readonly max: number;
}

type TurnState = Pick<
  ConversationTable,
  "leaf_id" | "turns" | "bytes" | "claim_id" | "claim_until"
>;

export function turnQueries(builder: Builder, kind: "sqlite" | "postgres") {
  const state = builder
    .selectFrom("conversations")
    .select(["leaf_id", "turns", "bytes", "claim_id", "claim_until"]);
  return {
    look: prepare<OwnedKey, TurnState>((values) => state.where(isOwned(values))),
    // SQLite has no row locks: a transaction is alone.
    lock: prepare<OwnedKey, TurnState>((values) => {
      const owned = state.where(isOwned(values));
      return kind === "postgres" ? owned.forUpdate() : owned;
    }),
    /** No row if there is no such parent. */
    children: prepare<ChildrenOf & { parentId: string }, { children: number }>((values) =>
      builder
        .selectFrom("turns")
        .select(childCount(builder, values, values.text("parentId")).as("children"))
        .where("conversation_id", "=", values.text("id"))
        .where("id", "=", values.text("parentId")),
    ),
    roots: prepare<ChildrenOf, { children: number }>((values) =>
      builder.selectNoFrom(childCount(builder, values, null).as("children")),
    ),
    insert: prepare<OwnedKey & NewTurnRow, unknown>((values) => insertTurn(builder, values)),
    advance: prepare<OwnedKey & { turnId: string; bytes: number }, RoomTaken>((values) =>
      builder
        .updateTable("conversations")
        .set({
          leaf_id: values.text("turnId"),
          turns: sql<number>`turns + 1`,
          bytes: sql<number>`bytes + ${values.int("bytes")}`,
          claim_id: null,
          claim_until: null,
          expires_at: slid(values),
        })
        .where("id", "=", values.text("id"))
        .returning(["room", "room_bytes"]),
    ),
  };
}

function childCount(
  builder: Builder,
  { int, text }: Placeholders<ChildrenOf>,
  parentId: RawBuilder<string> | null,
) {
  const turns = builder
    .selectFrom("turns as child")
    .select("child.id")
    .where("child.conversation_id", "=", text("id"));
  const children =
    parentId === null
      ? turns.where("child.parent_id", "is", null)
      : turns.where("child.parent_id", "=", parentId);
  return builder
    .selectFrom(children.limit(int("max")).as("some"))
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .$asScalar();
}

function insertTurn(builder: Builder, { int, text }: Placeholders<OwnedKey & NewTurnRow>) {
  const depth = builder
    .selectFrom("turns as parent")
    .select(sql<number>`parent.depth + 1`.as("depth"))
    .where("parent.conversation_id", "=", text("id"))
    .where("parent.id", "=", text("parentId"));
  return builder.insertInto("turns").values({
    conversation_id: text("id"),
    id: text("turnId"),
    parent_id: text<string | null>("parentId"),
    depth: sql<number>`coalesce(${depth}, 1)`,
    characters: int("characters"),
    created_at: int("now"),
    state: text("state"),
    question: text("question"),
    answer: text("answer"),
  });
}

export interface NewClaim extends OwnedKey {
  readonly parentId: string | null;
  readonly claimId: string;
  readonly until: number;
  readonly maxTurns: number;
  /** What the conversation may hold before the turn. */
  readonly maxBytes: number;
}

export function claimQueries(builder: Builder) {
  const update = builder.updateTable("conversations");
  return {
    // A conversation lives at least as long as the claim on it.
    claim: prepare<NewClaim, { id: string }>((values) => {
      const { int, text } = values;
      const until = int("until");
      const later = sql<number>`case when ${slid(values)} < ${until} then ${until} else ${slid(values)} end`;
      return update
        .set({ claim_id: text("claimId"), claim_until: until, expires_at: later })
        .where(isOwned(values))
        .where(sql<boolean>`leaf_id is not distinct from ${text("parentId")}`)
        .where(sql<boolean>`(claim_id is null or claim_until <= ${int("now")})`)
        .where("turns", "<", int("maxTurns"))
        .where("bytes", "<=", int("maxBytes"))
        .returning("id");
    }),
    extend: prepare<OwnedKey & { claimId: string; until: number }, unknown>((values) =>
      update
        .set({ claim_until: values.int("until") })
        .where(isOwned(values))
        .where("claim_id", "=", values.text("claimId")),
    ),
    release: prepare<OwnedKey & { claimId: string }, unknown>((values) =>
      update
        .set({ claim_id: null, claim_until: null })
        .where(isOwned(values))
        .where("claim_id", "=", values.text("claimId")),
    ),
  };
}
