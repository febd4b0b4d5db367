import { expect } from "vitest";
import type { Rolled } from "./roll.ts";

/** Every question has one answer, one row and one request to the upstream. */
export function expectNothingLost({ tally, rows }: Rolled): void {
  expect(tally.failures).toEqual([]);
  const prompts = [...tally.answers.keys()].toSorted();
  const ids = [...tally.answers.values()].toSorted();
  expect(new Set(rows.map(({ outcome }) => outcome))).toEqual(new Set(["completed"]));
  expect(rows.map(({ request_id }) => request_id).toSorted()).toEqual(ids);
  expect([...tally.upstream.keys()].toSorted()).toEqual(prompts);
  expect([...tally.upstream.values()].filter((times) => times !== 1)).toEqual([]);
}
