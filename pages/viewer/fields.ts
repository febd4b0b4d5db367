import type { Definitions, Schema } from "./document.ts";

/** A field of a body or an answer. */
export interface Field {
  readonly name: string;
  readonly schema: Schema;
  /** `some`: in some of the forms that the object may have. */
  readonly required: "all" | "some" | "none";
}

/** Of references and alternatives inside each other. */
const MAX_DEPTH = 8;
/** More alternatives or values of a list are not shown. */
const MAX_SHOWN = 40;

const REFERENCE = "#/components/schemas/";

export function resolved(schema: Schema, definitions: Definitions): Schema {
  let found: Schema | undefined = schema;
  for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
    const reference: unknown = found?.$ref;
    if (typeof reference !== "string") break;
    const name = reference.replace(REFERENCE, "");
    found = Object.hasOwn(definitions, name) ? definitions[name] : undefined;
  }
  return found ?? {};
}

const alternativesOf = ({ anyOf, oneOf, allOf }: Schema) => anyOf ?? oneOf ?? allOf;

/** The objects that a value may be, or that it is a list of. `seen`: each is looked at once. */
function formsOf(
  schema: Schema,
  definitions: Definitions,
  seen = new Set<Schema>(),
): readonly Schema[] {
  const found = resolved(schema, definitions);
  if (seen.has(found) || seen.size > MAX_SHOWN) return [];
  seen.add(found);
  const inner = alternativesOf(found) ?? (found.items === undefined ? [] : [found.items]);
  const own = found.properties === undefined ? [] : [found];
  return [...own, ...inner.flatMap((one) => formsOf(one, definitions, seen))];
}

/** The fields of all forms, each once. */
export function fieldsOf(schema: Schema, definitions: Definitions): readonly Field[] {
  const forms = formsOf(schema, definitions);
  const names = new Set(forms.flatMap(({ properties = {} }) => Object.keys(properties)));
  return [...names].map((name) => {
    const needed = forms.filter(({ required = [] }) => required.includes(name)).length;
    const some = needed > 0 ? "some" : "none";
    return {
      name,
      schema: together(forms.flatMap(({ properties = {} }) => own(properties, name))),
      required: needed === forms.length ? "all" : some,
    };
  });
}

function own(properties: Readonly<Record<string, Schema>>, name: string): readonly Schema[] {
  const found = Object.hasOwn(properties, name) ? properties[name] : undefined;
  return found === undefined ? [] : [found];
}

function together(schemas: readonly Schema[]): Schema {
  const different = new Map(schemas.map((schema) => [JSON.stringify(schema), schema]));
  const [first = {}, ...others] = different.values();
  if (others.length === 0) return first;
  const { description, deprecated } = first;
  return {
    anyOf: [...different.values()],
    ...(description !== undefined && { description }),
    ...(deprecated !== undefined && { deprecated }),
  };
}

/** `string | null`, `array of object`, `"a" | "b"`. */
export function typeOf(schema: Schema, definitions: Definitions, depth = 0): string {
  if (depth > MAX_DEPTH) return "…";
  const found = resolved(schema, definitions);
  const choices = found.enum ?? ("const" in found ? [found.const] : undefined);
  if (choices !== undefined) return listed(choices.map((choice) => JSON.stringify(choice)));
  const alternatives = alternativesOf(found);
  if (alternatives !== undefined) {
    const types = alternatives.map((one) => typeOf(one, definitions, depth + 1));
    return listed([...new Set(types.flatMap((type) => type.split(" | ")))]);
  }
  if (found.format === "binary") return "file";
  const types = [found.type ?? "any"].flat();
  return listed(
    types.map((type) =>
      type === "array" && found.items !== undefined
        ? `array of ${typeOf(found.items, definitions, depth + 1).replaceAll(" | ", " or ")}`
        : type,
    ),
  );
}

function listed(words: readonly string[]): string {
  return words.length > MAX_SHOWN
    ? [...words.slice(0, MAX_SHOWN), "…"].join(" | ")
    : words.join(" | ");
}

const bounds = [
  ["minimum", "≥"],
  ["maximum", "≤"],
  ["minLength", "length ≥"],
  ["maxLength", "length ≤"],
  ["minItems", "items ≥"],
  ["maxItems", "items ≤"],
] as const;

/** `≥ 1, ≤ 100`; also of what may be null. */
export function boundsOf(schema: Schema, definitions: Definitions): string {
  const found = resolved(schema, definitions);
  const bounded = [found, ...(alternativesOf(found) ?? [])].map((one) =>
    bounds.flatMap(([key, sign]) => (typeof one[key] === "number" ? [`${sign} ${one[key]}`] : [])),
  );
  return bounded.find((words) => words.length > 0)?.join(", ") ?? "";
}
