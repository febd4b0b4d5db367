import { sql } from "kysely";
import { type Builder, type Places, prepare } from "../driver/queries.ts";
import { isOwned, type OwnedKey, slid } from "./queries.ts";

export type TurnKey = OwnedKey;

/** What is bound for a new row of `turns`; its depth follows from its parent. */
export interface NewTurnRow extends Readonly<Record<string, unknown>> {
  readonly turnId: string;
  readonly parentId: string | null;
  readonly characters: number;
  readonly state: string;
  readonly question: string;
  readonly answer: string;
}

interface Children extends Readonly<Record<string, unknown>> {
  readonly id: string;
  /** They are counted up to here. */
  readonly most: number;
}

export function turnQueries(builder: Builder, kind: "sqlite" | "postgres") {
  const state = builder
    .selectFrom("conversations")
    .select(["leaf_id", "turns", "bytes", "claim_id", "claim_until"]);
  type State =
    ReturnType<typeof state.executeTakeFirstOrThrow> extends Promise<infer R> ? R : never;
  return {
    look: prepare<OwnedKey, State>((places) => state.where(isOwned(places))),
    // SQLite has no row locks: a transaction is alone.
    lock: prepare<OwnedKey, State>((places) => {
      const owned = state.where(isOwned(places));
      return kind === "postgres" ? owned.forUpdate() : owned;
    }),
    place: prepare<Children & { parentId: string }, { children: number }>((places) =>
      builder
        .selectFrom("turns")
        .select(childCount(builder, places, "parentId").as("children"))
        .where("conversation_id", "=", places.text("id"))
        .where("id", "=", places.text("parentId")),
    ),
    roots: prepare<Children, { children: number }>((places) =>
      builder.selectNoFrom(childCount(builder, places, null).as("children")),
    ),
    insert: prepare<OwnedKey & NewTurnRow, unknown>((places) => insertTurn(builder, places)),
    advance: prepare<OwnedKey & { turnId: string; bytes: number }, unknown>((places) =>
      builder
        .updateTable("conversations")
        .set({
          leaf_id: places.text("turnId"),
          turns: sql<number>`turns + 1`,
          bytes: sql<number>`bytes + ${places.int("bytes")}`,
          claim_id: null,
          claim_until: null,
          expires_at: slid(places),
        })
        .where("id", "=", places.text("id")),
    ),
  };
}

function childCount(builder: Builder, { int, text }: Places, parent: "parentId" | null) {
  const children = builder
    .selectFrom("turns as child")
    .select("child.id")
    .where("child.conversation_id", "=", text("id"));
  const chosen =
    parent === null
      ? children.where("child.parent_id", "is", null)
      : children.where("child.parent_id", "=", text(parent));
  return builder
    .selectFrom(chosen.limit(int("most")).as("some"))
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .$asScalar();
}

function insertTurn(builder: Builder, { int, text }: Places) {
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

interface Claiming extends OwnedKey {
  readonly parentId: string | null;
  readonly claimId: string;
  readonly until: number;
  readonly maxTurns: number;
  /** The conversation may have so many bytes already. */
  readonly maxBytes: number;
}

export function claimQueries(builder: Builder) {
  const update = builder.updateTable("conversations");
  return {
    // A conversation lives at least as long as the claim on it.
    claim: prepare<Claiming, { id: string }>((places) => {
      const { int, text } = places;
      const until = int("until");
      const later = sql<number>`case when ${slid(places)} < ${until} then ${until} else ${slid(places)} end`;
      return update
        .set({ claim_id: text("claimId"), claim_until: until, expires_at: later })
        .where(isOwned(places))
        .where(sql<boolean>`leaf_id is not distinct from ${text("parentId")}`)
        .where(sql<boolean>`(claim_id is null or claim_until <= ${int("now")})`)
        .where("turns", "<", int("maxTurns"))
        .where("bytes", "<=", int("maxBytes"))
        .returning("id");
    }),
    extend: prepare<OwnedKey & { claimId: string; until: number }, unknown>((places) =>
      update
        .set({ claim_until: places.int("until") })
        .where(isOwned(places))
        .where("claim_id", "=", places.text("claimId")),
    ),
    release: prepare<OwnedKey & { claimId: string }, unknown>((places) =>
      update
        .set({ claim_id: null, claim_until: null })
        .where(isOwned(places))
        .where("claim_id", "=", places.text("claimId")),
    ),
  };
}
