/** Schemas of /openapi.json, applied by a validator that is not the one the routes use. */
import { createRequire } from "node:module";
import type { OpenAPI } from "./support.ts";

interface Validate {
  (value: unknown): boolean;
  readonly errors?: readonly object[] | null;
}
interface JsonSchemas {
  addSchema(schema: object, id: string): void;
  compile(schema: object): Validate;
}

/** The validator that checks whole documents brings this one along. */
const require = createRequire(import.meta.resolve("@seriousme/openapi-schema-validator"));
// biome-ignore lint/correctness/noUndeclaredDependencies: taken from the validator, which declares it
const found: unknown = require("ajv/dist/2020.js");
// a package without a declaration of ours: this is the little of its shape that is used
const { Ajv2020 } = found as { Ajv2020: new (options: object) => JsonSchemas };

/** What is wrong with a value by the schema at these keys of the document; null: nothing. */
export function createCheck(document: OpenAPI) {
  const schemas = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  schemas.addSchema(document, "openapi");
  return (keys: readonly string[], value: unknown): string | null => {
    const pointer = keys.map((key) => key.replaceAll("~", "~0").replaceAll("/", "~1"));
    const $ref = `openapi#/${pointer.map(encodeURIComponent).join("/")}`;
    const validate = schemas.compile({ $ref });
    return validate(value) ? null : JSON.stringify(validate.errors);
  };
}

/** Every `$ref` of a document. */
export function refsIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "$ref" && typeof inner === "string" ? [inner] : refsIn(inner),
  );
}

/** What a `$ref` points to, or undefined. */
export function resolveRef(document: unknown, ref: string): unknown {
  if (!ref.startsWith("#/")) return undefined;
  const keys = ref.slice(2).split("/");
  return keys.reduce<unknown>((at, key) => {
    const name = decodeURIComponent(key).replaceAll("~1", "/").replaceAll("~0", "~");
    return Reflect.get(Object(at), name);
  }, document);
}
