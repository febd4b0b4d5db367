import { sql } from "kysely";
import { ProxyError } from "../../core/errors.ts";
import { shareOf } from "../../core/room.ts";
import { query, type Transaction } from "../driver/driver.ts";
import { type Builder, prepare } from "../driver/queries.ts";
import type { RoomTaken } from "./queries.ts";

const MEBIBYTE = 1_048_576;
const ROOM_BYTES = 64 * MEBIBYTE;
/** What a row takes beside its texts. */
const ROW_BYTES = 1_024;
/** The row that counts all shares together. */
const ALL = "";

/** What a conversation takes of a room: what is kept of it without an answer. */
export function bytesInRoom(...texts: readonly (string | null)[]): number {
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ""), ROW_BYTES);
}

interface Change {
  readonly room: string;
  readonly bytes: number;
}

export type ConversationRooms = ReturnType<typeof conversationRooms>;

/** Rows are locked in this order: conversation, count, share, all. */
export function conversationRooms(builder: Builder) {
  const queries = roomQueries(builder);
  const give = function* (room: string, bytes: number): Transaction<void> {
    for (const one of [room, ALL]) {
      yield* query(queries.give({ room: one, bytes }));
      yield* query(queries.forget({ room: one }));
    }
  };
  return {
    give,
    /** Throws, and so rolls back, if there is no room. */
    *take(room: string, bytes: number): Transaction<void> {
      for (const [one, max] of [
        [room, shareOf(ROOM_BYTES)],
        [ALL, ROOM_BYTES],
      ] as const) {
        const [taken] = yield* query(queries.take({ room: one, bytes, max }));
        if (taken === undefined) throw noRoom(max);
      }
    },
    /** What has an answer was paid for, and counts no longer. */
    *answered(id: string, { room, room_bytes }: RoomTaken): Transaction<void> {
      if (room === null) return;
      yield* query(queries.releaseOne({ id }));
      yield* give(room, room_bytes);
    },
    /** What the owner has in rooms counts no longer. */
    *release(owner: string): Transaction<void> {
      const held = yield* query(queries.heldBy({ owner }));
      if (held.length === 0) return;
      yield* query(queries.release({ owner }));
      for (const { room, room_bytes } of held) if (room !== null) yield* give(room, room_bytes);
    },
  };
}

function noRoom(max: number): ProxyError {
  return new ProxyError("conversations_limited", { params: { max: `${max / MEBIBYTE} MiB` } });
}

function roomQueries(builder: Builder) {
  const held = builder.selectFrom("conversations").where("room", "is not", null);
  const released = builder.updateTable("conversations").set({ room: null, room_bytes: 0 });
  return {
    take: prepare<Change & { max: number }, { room: string }>(({ int, text }) =>
      builder
        .insertInto("conversation_rooms")
        .values({ room: text("room"), bytes: int("bytes") })
        .onConflict((conflict) =>
          conflict
            .column("room")
            .doUpdateSet({ bytes: sql<number>`conversation_rooms.bytes + ${int("bytes")}` })
            .where(sql<boolean>`conversation_rooms.bytes + ${int("bytes")} <= ${int("max")}`),
        )
        .returning("room"),
    ),
    give: prepare<Change, unknown>(({ int, text }) =>
      builder
        .updateTable("conversation_rooms")
        .set({ bytes: sql<number>`bytes - ${int("bytes")}` })
        .where("room", "=", text("room")),
    ),
    forget: prepare<{ room: string }, unknown>(({ text }) =>
      builder
        .deleteFrom("conversation_rooms")
        .where("room", "=", text("room"))
        .where("bytes", "<=", 0),
    ),
    heldBy: prepare<{ owner: string }, RoomTaken>(({ text }) =>
      held.select(["room", "room_bytes"]).where("owner", "=", text("owner")),
    ),
    release: prepare<{ owner: string }, unknown>(({ text }) =>
      released.where("owner", "=", text("owner")).where("room", "is not", null),
    ),
    releaseOne: prepare<{ id: string }, unknown>(({ text }) =>
      released.where("id", "=", text("id")),
    ),
  };
}
