import { sql } from "kysely";
import { ask, type Script } from "../driver/driver.ts";
import { type Builder, prepare } from "../driver/queries.ts";
import { isStorable } from "../driver/text.ts";
import type { ConversationParts } from "./parts.ts";

/** Expired conversations that are deleted to make room for one new one. */
const sweptForRoom = 20;
/** Conversations looked up at once when everything goes. */
const pageOfAll = 100;

interface Doomed extends Readonly<Record<string, unknown>> {
  readonly id: string;
  readonly owner: string;
}

/** Each conversation goes in a transaction of its own: none is long, and calls run in between. */
export function createRemoval(parts: ConversationParts) {
  const { driver, builder, clock, sweepAtOnce } = parts;
  const queries = removalQueries(builder);
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
      const values = { id, owner, since: clock.wallMs(), until: Number.MAX_SAFE_INTEGER };
      return driver.transaction(() => remove(queries, values));
    },
    async deleteEverything(owner: string): Promise<number> {
      if (!isStorable(owner)) return 0;
      for (let removed = 0; ; ) {
        const page = await driver.all(queries.ofOwner({ owner, most: pageOfAll }));
        if (page.length === 0) return removed;
        removed += await removeAll(page, Number.MAX_SAFE_INTEGER);
      }
    },
    async sweep(): Promise<number> {
      const now = clock.wallMs();
      return removeAll(await driver.all(queries.expired({ now, most: sweepAtOnce })), now);
    },
    async sweepOwner(owner: string): Promise<number> {
      const now = clock.wallMs();
      const expired = await driver.all(queries.expiredOf({ owner, now, most: sweptForRoom }));
      return removeAll(expired, now);
    },
  };
}

interface Removal extends Doomed {
  /** Deleted only if it expires after `since` and not after `until`. */
  readonly since: number;
  readonly until: number;
}

/** The turns go with their conversation; the row of its count is touched last, as when one is made. */
function* remove(queries: ReturnType<typeof removalQueries>, doomed: Removal): Script<boolean> {
  const [deleted] = yield* ask(queries.delete(doomed));
  if (deleted === undefined) return false;
  yield* ask(queries.uncount({ owner: doomed.owner }));
  yield* ask(queries.forget({ owner: doomed.owner }));
  return true;
}

function removalQueries(builder: Builder) {
  const doomed = builder.selectFrom("conversations").select(["id", "owner"]);
  return {
    delete: prepare<Removal, { id: string }>(({ int, text }) =>
      builder
        .deleteFrom("conversations")
        .where("id", "=", text("id"))
        .where("owner", "=", text("owner"))
        .where("expires_at", ">", int("since"))
        .where("expires_at", "<=", int("until"))
        .returning("id"),
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
    ofOwner: prepare<{ owner: string; most: number }, Doomed>(({ int, text }) =>
      doomed.where("owner", "=", text("owner")).limit(int("most")),
    ),
    expired: prepare<{ now: number; most: number }, Doomed>(({ int }) =>
      doomed.where("expires_at", "<=", int("now")).orderBy("expires_at").limit(int("most")),
    ),
    expiredOf: prepare<{ owner: string; now: number; most: number }, Doomed>(({ int, text }) =>
      doomed
        .where("owner", "=", text("owner"))
        .where("expires_at", "<=", int("now"))
        .limit(int("most")),
    ),
  };
}
