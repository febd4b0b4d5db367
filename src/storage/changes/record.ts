import type { ChangeKind } from "../../core/reports/changes.ts";
import { query, type Transaction } from "../driver/driver.ts";
import { createOrderedIds } from "../driver/ids.ts";
import type { Builder } from "../driver/queries.ts";

/** Older ones are deleted. */
const MAX_CHANGES = 10_000;
const newId = createOrderedIds();

/** Fields as operators know them. Never a secret: that one was changed is said without it. */
export type Facts = Readonly<Record<string, unknown>>;

export interface NewChange {
  readonly kind: ChangeKind;
  readonly subject: string;
  readonly action: string;
  /** What people call it, where the subject is an id. */
  readonly name?: string;
  /** Null: it was not there. */
  readonly before: Facts | null;
  /** Null: it is gone. */
  readonly after: Facts | null;
}

/**
 * Writes down what an operator changes, as a part of the transaction that changes it. What stayed as it
 * was is left out, and so is a change of nothing.
 */
export function* recordChanges(
  builder: Builder,
  nowMs: number,
  changes: readonly NewChange[],
): Transaction<void> {
  const rows = changes.flatMap(({ kind, subject, action, ...told }) => {
    const detail = detailOf(told);
    return detail === null ? [] : [{ id: newId(nowMs), at: nowMs, kind, subject, action, detail }];
  });
  if (rows.length === 0) return;
  yield* query(builder.insertInto("changes").values(rows).compile());
  const oldest = builder
    .selectFrom("changes")
    .select("id")
    .orderBy("id", "desc")
    .limit(1)
    .offset(MAX_CHANGES - 1);
  yield* query(builder.deleteFrom("changes").where("id", "<", oldest).compile());
}

function detailOf({ before, after, name }: Pick<NewChange, "before" | "after" | "name">) {
  const named = name === undefined ? {} : { name };
  if (before === null || after === null) {
    return JSON.stringify({ ...named, before: known(before), after: known(after) });
  }
  const names = Object.keys({ ...before, ...after });
  const changed = names.filter((one) => textOf(before[one]) !== textOf(after[one]));
  if (changed.length === 0) return null;
  const only = (facts: Facts) =>
    Object.fromEntries(changed.map((one) => [one, facts[one] ?? null]));
  return JSON.stringify({ ...named, before: only(before), after: only(after) });
}

function textOf(value: unknown): string {
  return JSON.stringify(value ?? null);
}

/** Most bounds are not set. */
function known(facts: Facts | null): Facts | null {
  if (facts === null) return null;
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => (value ?? "") !== ""));
}
