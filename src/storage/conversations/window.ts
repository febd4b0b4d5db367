import { sql } from "kysely";
import { type Builder, prepare } from "../driver/queries.ts";
import { type ConversationStore, type TurnRow, turnColumns } from "./rows.ts";

interface Window {
  readonly id: string;
  readonly leafId: string;
  readonly maxTurns: number;
  readonly maxCharacters: number;
}

interface WindowRow extends TurnRow {
  /** Of both texts. Not read if the whole conversation fits. */
  readonly characters?: number;
}

/** Nearly every chat is one page. Each next page is twice as long, for fewer round trips. */
const FIRST_PAGE_TURNS = 64;

/**
 * Reads from a leaf towards the root until the window is full, so the cost depends on the window and
 * not on the conversation. The leaf is always read, to know that it exists and how deep it is. `bytes`
 * is the size of the whole conversation.
 */
export function createWindow({
  driver,
  builder,
}: ConversationStore): (window: Window, bytes: number) => Promise<readonly WindowRow[]> {
  const newest = pageQuery(builder);
  const parents = parentsQuery(builder);

  /**
   * Ids sort by time, so without branches the turns before a leaf are its path: 1.3 µs each, while
   * lookups parent by parent take 2.7. Parents decide all the same, since clocks can step back. After a
   * page with other turns in it, the rest is looked up parent by parent.
   */
  const inPages = async (
    window: Window,
    pageTurns = FIRST_PAGE_TURNS,
  ): Promise<readonly WindowRow[]> => {
    const turns = Math.max(1, Math.min(pageTurns, window.maxTurns));
    const path = pathIn(await driver.all(newest({ ...window, turns })), window.leafId);
    const last = path.at(-1);
    if (last?.parent_id === null || path.length >= window.maxTurns) return path;
    const leafId = last?.parent_id ?? window.leafId;
    const rest = { ...window, leafId, maxTurns: window.maxTurns - path.length };
    const isChain = path.length === turns;
    return [
      ...path,
      ...(await (isChain ? inPages(rest, 2 * pageTurns) : driver.all(parents(rest)))),
    ];
  };

  // No text has more characters than bytes. If it may not fit, a page could be megabytes.
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
  return prepare<Window & { turns: number }, WindowRow>(({ int, text }) =>
    builder
      .selectFrom("turns")
      .select(turnColumns)
      .where("conversation_id", "=", text("id"))
      .where("id", "<=", text("leafId"))
      .orderBy("id", "desc")
      .limit(int("turns")),
  );
}

function parentsQuery(builder: Builder) {
  return prepare<Window, WindowRow>(({ int, text }) =>
    builder
      .withRecursive("path", (db) =>
        db
          .selectFrom("turns")
          .select(turnColumns)
          .select(["characters", "characters as total", sql<number>`1`.as("position")])
          .where("conversation_id", "=", text("id"))
          .where("id", "=", text("leafId"))
          .unionAll(
            db
              .selectFrom("path")
              .innerJoin("turns", "turns.id", "path.parent_id")
              .select(turnColumns.map((column) => `turns.${column}` as const))
              .select("turns.characters")
              .select(sql<number>`path.total + turns.characters`.as("total"))
              .select(sql<number>`path.position + 1`.as("position"))
              .where("turns.conversation_id", "=", text("id"))
              .where("path.position", "<", int("maxTurns"))
              .where(sql<boolean>`path.total + turns.characters <= ${int("maxCharacters")}`),
          ),
      )
      .selectFrom("path")
      .select(turnColumns)
      .select("characters")
      .orderBy("position"),
  );
}
