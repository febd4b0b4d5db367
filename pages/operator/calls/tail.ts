import type { CallsPage, ListedCall } from "./call.ts";

/** In the document. */
export const MAX_ROWS = 500;

export interface Tail {
  /** Newest first. */
  readonly rows: readonly ListedCall[];
  /** Where older ones begin; null: there are none. */
  readonly next: string | null;
  /** The newest ones made room for older ones. */
  readonly isDetached: boolean;
}

export function tailOf({ calls, next_cursor: next }: CallsPage): Tail {
  return { rows: calls, next, isDetached: false };
}

/**
 * Adds calls that came since; rows of other copies may come late and are sorted in. Null: there are
 * more than fit, and the newest page is to be read again.
 */
export function withNewer(tail: Tail, page: CallsPage): Tail | null {
  const added = unknownIn(tail, page);
  if (added.length === 0) return tail;
  if (page.next_cursor !== null || tail.rows.length + added.length > MAX_ROWS) return null;
  return { ...tail, rows: [...added, ...tail.rows].sort(newestFirst) };
}

/** Adds older calls, of which a long one may have come before; of too many the newest leave. */
export function withOlder(tail: Tail, page: CallsPage): Tail {
  const all = [...tail.rows, ...unknownIn(tail, page)].sort(newestFirst);
  const isDetached = tail.isDetached || all.length > MAX_ROWS;
  return { rows: all.slice(-MAX_ROWS), next: page.next_cursor, isDetached };
}

function unknownIn(tail: Tail, page: CallsPage): readonly ListedCall[] {
  const known = new Set(tail.rows.map(({ id }) => id));
  return page.calls.filter(({ id }) => !known.has(id));
}

/** As the server does. */
function newestFirst(one: ListedCall, other: ListedCall): number {
  if (one.time !== other.time) return one.time < other.time ? 1 : -1;
  return one.id < other.id ? 1 : -1;
}
