/** The live tail of calls in the operator's page: rows that come late, and how many stay. */
import { expect, test } from "vitest";
import type { CallsPage, ListedCall } from "../../../pages/operator/calls/call.ts";
import { MAX_ROWS, tailOf, withNewer, withOlder } from "../../../pages/operator/calls/tail.ts";

// Cast: only these two fields matter here.
const call = (id: number) =>
  ({ id: String(id), time: new Date(id * 1_000).toISOString() }) as ListedCall;
const page = (ids: readonly number[], next: string | null = null): CallsPage => ({
  calls: ids.map(call),
  next_cursor: next,
  newest: "later",
});
const idsOf = (tail: ReturnType<typeof withNewer>) => tail?.rows.map(({ id }) => Number(id));
const down = (from: number, rows: number) => Array.from({ length: rows }, (_none, n) => from - n);

test("calls that came late are sorted in, and those seen before are left out", () => {
  const tail = tailOf(page([9, 7, 5]));
  expect(idsOf(withNewer(tail, page([10, 8, 7])))).toEqual([10, 9, 8, 7, 5]);
});

test("nothing new leaves the tail as it is, so that nothing is drawn anew", () => {
  const tail = tailOf(page([9, 7]));
  expect(withNewer(tail, page([9]))).toBe(tail);
});

test("more than fit ask for the newest page again", () => {
  expect(withNewer(tailOf(page([1])), page([3, 2], "more"))).toBeNull();
  const full = tailOf(page(down(MAX_ROWS, MAX_ROWS)));
  expect(withNewer(full, page([MAX_ROWS + 1]))).toBeNull();
});

test("older calls push out the newest where there are too many", () => {
  const full = tailOf(page(down(1_000, MAX_ROWS), "older"));
  const moved = withOlder(full, page(down(500, 100), "oldest"));
  expect(moved.rows).toHaveLength(MAX_ROWS);
  expect(moved).toMatchObject({ isDetached: true, next: "oldest" });
  expect(moved.rows.at(-1)?.id).toBe("401");
});

test("a long call that came late stays one row, in its place, when older ones are shown", () => {
  const tail = tailOf(page([9, 8], "older"));
  const grown = withNewer(tail, page([5]));
  expect(idsOf(grown)).toEqual([9, 8, 5]);
  if (grown === null) return;
  expect(idsOf(withOlder(grown, page([7, 6, 5, 4])))).toEqual([9, 8, 7, 6, 5, 4]);
});

test("calls of the same moment are in the server's order, whatever order they came in", () => {
  const at = (id: string) => ({ ...call(1), id });
  const grown = withNewer(
    { rows: [at("c"), at("a")], next: null, isDetached: false },
    { ...page([]), calls: [at("d"), at("b")] },
  );
  expect(grown?.rows.map(({ id }) => id)).toEqual(["d", "c", "b", "a"]);
});
