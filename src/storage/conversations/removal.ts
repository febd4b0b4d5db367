import { sql } from "kysely";
import { isStorable, query, type Transaction } from "../driver/driver.ts";
import { type Builder, prepare } from "../driver/queries.ts";
import type { RoomTaken } from "./queries.ts";
import { type ConversationRooms, conversationRooms } from "./rooms.ts";
import type { ConversationStore } from "./rows.ts";

/** Expired conversations that are deleted to make room for a new one. */
const MAX_SWEPT_FOR_ROOM = 20;
/** Conversations looked up at once when an owner deletes everything. */
const PAGE_ROWS = 100;

/** As the expiry bound, this matches every conversation. */
const FOREVER = Number.MAX_SAFE_INTEGER;

interface Doomed {
  readonly id: string;
  readonly owner: string;
}

/** Deletes each conversation in its own transaction: none is long, and calls run in between. */
export function createConversationRemover({ driver, builder, clock, maxSwept }: ConversationStore) {
  const queries = { ...removalQueries(builder), rooms: conversationRooms(builder) };
  const removeAll = async (doomed: readonly Doomed[], expired: number): Promise<number> => {
    let removed = 0;
    for (const one of doomed) {
      const values = { ...one, since: 0, until: expired };
      if (await driver.transaction(() => remove(queries, values))) removed++;
    }
    return removed;
  };
  return {
    async delete(owner: string, id: string): Promise<boolean> {
      if (!isStorable(owner) || !isStorable(id)) return false;
      const values = { id, owner, since: clock.wallMs(), until: FOREVER };
      return driver.transaction(() => remove(queries, values));
    },
    async deleteEverything(owner: string): Promise<number> {
      if (!isStorable(owner)) return 0;
      for (let removed = 0; ; ) {
        const page = await driver.all(queries.expiredOf({ owner, now: FOREVER, max: PAGE_ROWS }));
        if (page.length === 0) return removed;
        removed += await removeAll(page, FOREVER);
      }
    },
    async sweep(): Promise<number> {
      const now = clock.wallMs();
      return removeAll(await driver.all(queries.expired({ now, max: maxSwept })), now);
    },
    async sweepOwner(owner: string): Promise<number> {
      const now = clock.wallMs();
      const expired = await driver.all(queries.expiredOf({ owner, now, max: MAX_SWEPT_FOR_ROOM }));
      return removeAll(expired, now);
    },
  };
}

interface Removal extends Doomed {
  /** It is deleted only if it expires after `since` and not after `until`. */
  readonly since: number;
  readonly until: number;
}

/** The turns go with their conversation. The row of the count is changed last, as in an insert. */
function* remove(
  queries: ReturnType<typeof removalQueries> & { readonly rooms: ConversationRooms },
  doomed: Removal,
): Transaction<boolean> {
  const [deleted] = yield* query(queries.delete(doomed));
  if (deleted === undefined) return false;
  yield* query(queries.uncount({ owner: doomed.owner }));
  yield* query(queries.forget({ owner: doomed.owner }));
  const { room, room_bytes } = deleted;
  if (room !== null) yield* queries.rooms.give(room, room_bytes);
  return true;
}

function removalQueries(builder: Builder) {
  const doomed = builder.selectFrom("conversations").select(["id", "owner"]);
  return {
    delete: prepare<Removal, RoomTaken>(({ int, text }) =>
      builder
        .deleteFrom("conversations")
        .where("id", "=", text("id"))
        .where("owner", "=", text("owner"))
        .where("expires_at", ">", int("since"))
        .where("expires_at", "<=", int("until"))
        .returning(["room", "room_bytes"]),
    ),
    uncount: prepare<{ owner: string }, unknown>(({ text }) =>
      builder
        .updateTable("conversation_counts")
        .set({ conversations: sql<number>`conversations - 1` })
        .where("owner", "=", text("owner")),
    ),
    forget: prepare<{ owner: string }, unknown>(({ text }) =>
      builder
        .deleteFrom("conversation_counts")
        .where("owner", "=", text("owner"))
        .where("conversations", "<=", 0),
    ),
    expired: prepare<{ now: number; max: number }, Doomed>(({ int }) =>
      doomed.where("expires_at", "<=", int("now")).orderBy("expires_at").limit(int("max")),
    ),
    expiredOf: prepare<{ owner: string; now: number; max: number }, Doomed>(({ int, text }) =>
      doomed
        .where("owner", "=", text("owner"))
        .where("expires_at", "<=", int("now"))
        .limit(int("max")),
    ),
  };
}
