import { sql } from "kysely";
import { type Builder, prepare } from "../driver/queries.ts";
import type { ConversationParts } from "./parts.ts";
import { type StoredRowOfTurn, turnColumns } from "./row.ts";

interface Window extends Readonly<Record<string, unknown>> {
  readonly id: string;
  readonly leafId: string;
  readonly maxTurns: number;
  readonly maxCharacters: number;
}

interface WindowRow extends StoredRowOfTurn {
  /** Of both texts; not read where all that there is would fit. */
  readonly characters?: number;
}

type ReadWindow = (window: Window, bytes: number) => Promise<readonly WindowRow[]>;

/** Nearly every chat is one page. Each that follows is twice as long, for fewer round trips. */
const firstPageTurns = 64;

/**
 * Reads from a leaf towards the root, ending where the window is full: the cost is that of the
 * window, however long the conversation is and however many there are. The leaf is read in any
 * case, to tell that it is there and how deep it is. `bytes` are those of the whole conversation.
 */
export function createWindow({ driver, builder }: ConversationParts): ReadWindow {
  const newest = pageQuery(builder);
  const parents = parentsQuery(builder);

  /**
   * Ids sort by time, so the turns before a leaf are its path, but for branches: 1.3 µs each, where
   * looking up parent by parent takes 2.7. Clocks step back, so that parents decide all the same; a
   * page with anything else in it is the last, and what it leaves open is looked up.
   */
  const inPages = async (
    window: Window,
    pageTurns = firstPageTurns,
  ): Promise<readonly WindowRow[]> => {
    const most = Math.max(1, Math.min(pageTurns, window.maxTurns));
    const path = pathIn(await driver.all(newest({ ...window, most })), window.leafId);
    const last = path.at(-1);
    if (last?.parent_id === null || path.length >= window.maxTurns) return path;
    const leafId = last?.parent_id ?? window.leafId;
    const rest = { ...window, leafId, maxTurns: window.maxTurns - path.length };
    const isChain = path.length === most;
    return [
      ...path,
      ...(await (isChain ? inPages(rest, 2 * pageTurns) : driver.all(parents(rest)))),
    ];
  };

  // No text has more characters than bytes. Of one that may not fit, a page could be megabytes.
  return (window, bytes) =>
    bytes <= window.maxCharacters ? inPages(window) : driver.all(parents(window));
}

function pathIn(page: readonly WindowRow[], leafId: string): readonly WindowRow[] {
  let next: string | null = leafId;
  return page.filter(({ id, parent_id }) => {
    if (id !== next) return false;
    next = parent_id;
    return true;
  });
}

function pageQuery(builder: Builder) {
  return prepare<Window & { most: number }, WindowRow>(({ int, text }) =>
    builder
      .selectFrom("turns")
      .select(turnColumns)
      .where("conversation_id", "=", text("id"))
      .where("id", "<=", text("leafId"))
      .orderBy("id", "desc")
      .limit(int("most")),
  );
}

function parentsQuery(builder: Builder) {
  return prepare<Window, WindowRow>(({ int, text }) =>
    builder
      .withRecursive("path", (db) =>
        db
          .selectFrom("turns")
          .select(turnColumns)
          .select(["characters", "characters as total", sql<number>`1`.as("place")])
          .where("conversation_id", "=", text("id"))
          .where("id", "=", text("leafId"))
          .unionAll(
            db
              .selectFrom("path")
              .innerJoin("turns", "turns.id", "path.parent_id")
              .select(turnColumns.map((column) => `turns.${column}` as const))
              .select("turns.characters")
              .select(sql<number>`path.total + turns.characters`.as("total"))
              .select(sql<number>`path.place + 1`.as("place"))
              .where("turns.conversation_id", "=", text("id"))
              .where("path.place", "<", int("maxTurns"))
              .where(sql<boolean>`path.total + turns.characters <= ${int("maxCharacters")}`),
          ),
      )
      .selectFrom("path")
      .select(turnColumns)
      .select("characters")
      .orderBy("place"),
  );
}
