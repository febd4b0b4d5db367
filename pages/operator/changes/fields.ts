export interface ChangedField {
  readonly name: string;
  /** Null: there was none. */
  readonly before: string | null;
  readonly after: string | null;
}

type Fields = Readonly<Record<string, unknown>>;

/** What a change did, field by field; fields that stayed are left out. */
export function changedFields(detail: unknown): readonly ChangedField[] {
  if (!isFields(detail)) return [];
  const before = isFields(detail.before) ? detail.before : {};
  const after = isFields(detail.after) ? detail.after : {};
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names]
    .map((name) => ({ name, before: textOf(before[name]), after: textOf(after[name]) }))
    .filter((field) => field.before !== field.after);
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === "string" ? value : JSON.stringify(value);
}
