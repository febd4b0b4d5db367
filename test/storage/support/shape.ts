/** What a release relies on of its tables, and what a change would take away from it. */
import type { TestDatabase } from "./databases.ts";
import { query } from "./tables.ts";

interface Column {
  readonly table: string;
  readonly name: string;
  /** Its type, whether it is a part of the key, and the rest that a query may notice. */
  readonly form: string;
  /** Whether an insert that doesn't know the column succeeds. */
  readonly optional: boolean;
}

/** What refuses a row: a key, a unique index, a reference or a check. */
interface Rule {
  readonly table: string;
  readonly columns: readonly string[];
  readonly text: string;
}

export interface Shape {
  readonly columns: readonly Column[];
  readonly rules: readonly Rule[];
}

export async function shapeOf(database: TestDatabase): Promise<Shape> {
  const shape = await (database.kind === "sqlite" ? sqliteShape : postgresShape)(database);
  // where a release before these names kept which migrations had run
  const isOurs = ({ table }: { readonly table: string }) => !table.startsWith("kysely_migration");
  return { columns: shape.columns.filter(isOurs), rules: shape.rules.filter(isOurs) };
}

/** Why a release that knows the tables `before` can't go on with them as they are `after`. */
export function harms(before: Shape, after: Shape): readonly string[] {
  const keyOf = ({ table, name }: Column) => `${table}.${name}`;
  const now = new Map(after.columns.map((column) => [keyOf(column), column]));
  const known = new Set(before.columns.map(keyOf));
  const tables = new Set(before.columns.map(({ table }) => table));
  const changed = before.columns.flatMap((column) => {
    const key = keyOf(column);
    const form = now.get(key)?.form;
    if (form === column.form) return [];
    return form === undefined ? `${key} is gone` : `${key} was ${column.form} and is ${form}`;
  });
  const needed = after.columns
    .filter((column) => tables.has(column.table) && !known.has(keyOf(column)) && !column.optional)
    .map((column) => `${keyOf(column)} must be given`);
  const isTheirs = ({ table, columns }: Rule) =>
    columns.length === 0 || columns.some((name) => known.has(`${table}.${name}`));
  const textOf = ({ table, text }: Rule) => `${table}: ${text}`;
  const rulesBefore = new Set(before.rules.map(textOf));
  const rulesAfter = new Set(after.rules.map(textOf));
  const lost = [...rulesBefore].filter((text) => !rulesAfter.has(text));
  const added = after.rules
    .filter((rule) => tables.has(rule.table) && isTheirs(rule) && !rulesBefore.has(textOf(rule)))
    .map(textOf);
  return [
    ...changed,
    ...needed,
    ...lost.map((text) => `lost ${text}`),
    ...added.map((text) => `new ${text}`),
  ];
}

async function postgresShape(database: TestDatabase): Promise<Shape> {
  const names = (relation: string, numbers: string) =>
    `ARRAY(SELECT attname::text FROM pg_attribute
      WHERE attrelid = ${relation} AND attnum = ANY (${numbers}) ORDER BY 1)`;
  return {
    columns: await query<Column>(
      database,
      `SELECT table_name AS "table", column_name AS name,
        concat_ws(' ', data_type, is_nullable, column_default) AS form,
        is_nullable = 'YES' OR column_default IS NOT NULL AS optional
      FROM information_schema.columns WHERE table_schema = current_schema()`,
    ),
    rules: await query<Rule>(
      database,
      `SELECT conrelid::regclass::text AS "table", ${names("conrelid", "conkey")} AS columns,
        pg_get_constraintdef(oid) AS text
      FROM pg_constraint
      WHERE connamespace = current_schema()::regnamespace AND contype IN ('p', 'u', 'f', 'c')
      UNION ALL
      SELECT indrelid::regclass::text, ${names("indrelid", "indkey")}, pg_get_indexdef(indexrelid)
      FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
      WHERE indisunique AND relnamespace = current_schema()::regnamespace
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)`,
    ),
  };
}

async function sqliteShape(database: TestDatabase): Promise<Shape> {
  const found = await query<Omit<Column, "optional"> & { optional: number }>(
    database,
    `SELECT t.name AS "table", c.name, c.type || ' ' || c."notnull" || ' ' || c.pk || ' '
        || coalesce(c.dflt_value, '') AS form,
      c."notnull" = 0 OR c.dflt_value IS NOT NULL AS optional
    FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table'`,
  );
  const unique = await query<{ table: string; columns: string; text: string }>(
    database,
    `SELECT t.name AS "table", (SELECT group_concat(name) FROM pragma_index_info(i.name)) AS columns,
      coalesce(s.sql, i.origin || ' ' || i.name) AS text
    FROM sqlite_schema t, pragma_index_list(t.name) i LEFT JOIN sqlite_schema s ON s.name = i.name
    WHERE t.type = 'table' AND i."unique" = 1`,
  );
  const references = await query<{ table: string; columns: string; text: string }>(
    database,
    `SELECT t.name AS "table", f."from" AS columns, f."table" || f."to" || f.on_delete AS text
    FROM sqlite_schema t, pragma_foreign_key_list(t.name) f WHERE t.type = 'table'`,
  );
  const tables = await query<{ name: string; sql: string }>(
    database,
    "SELECT name, sql FROM sqlite_schema WHERE type = 'table'",
  );
  const checks = tables.flatMap(({ name, sql }) =>
    [...sql.matchAll(/check\s*\(([^)]*)\)/gi)].map(([text, inside = ""]) => ({
      table: name,
      columns: inside.match(/\w+/g) ?? [],
      text,
    })),
  );
  const listed = [...unique, ...references].map((rule) => ({
    ...rule,
    columns: rule.columns.split(","),
  }));
  return {
    columns: found.map((column) => ({ ...column, optional: column.optional === 1 })),
    rules: [...listed, ...checks],
  };
}
