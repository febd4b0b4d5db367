import type { ApiDocument, Definitions, Group, Operation, Schema } from "./document.ts";
import { fieldsOf } from "./fields.ts";

/** Fields further in are not searched. */
const MAX_DEPTH = 4;

/** What a request can be found by, in small letters. */
export type SearchIndex = ReadonlyMap<Operation, string>;

export function indexOf({ groups, definitions }: ApiDocument): SearchIndex {
  return new Map(
    groups
      .flatMap(({ operations }) => operations)
      .map((operation) => [operation, wordsOf(operation, definitions)]),
  );
}

function wordsOf(operation: Operation, definitions: Definitions): string {
  const { tag, method, path, summary, description, parameters, json, form } = operation;
  const names = [json, form].flatMap((media) => namesIn(media?.schema ?? {}, definitions));
  const inParameters = parameters.flatMap((one) => [one.name, one.description ?? ""]);
  return [tag, method, path, summary, description, ...inParameters, ...names]
    .join(" ")
    .toLowerCase();
}

function namesIn(schema: Schema, definitions: Definitions, depth = 0): readonly string[] {
  if (depth > MAX_DEPTH) return [];
  return fieldsOf(schema, definitions).flatMap((field) => [
    field.name,
    ...namesIn(field.schema, definitions, depth + 1),
  ]);
}

/** The groups with what has every word of the query. */
export function foundBy(
  query: string,
  groups: readonly Group[],
  index: SearchIndex,
): readonly Group[] {
  const words = query.toLowerCase().split(/\s+/);
  const fits = (operation: Operation) =>
    words.every((word) => index.get(operation)?.includes(word) === true);
  return groups
    .map((group) => ({ ...group, operations: group.operations.filter(fits) }))
    .filter(({ operations }) => operations.length > 0);
}
