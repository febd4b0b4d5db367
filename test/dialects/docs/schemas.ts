/** Schemas of /openapi.json, applied by a validator that is not the one the routes use. */
import { Ajv2020 } from "ajv/dist/2020.js";
import type { OpenAPI } from "./support.ts";

/** What is wrong with a value by the schema at these keys of the document; null: nothing. */
export function createCheck(document: OpenAPI) {
  const schemas = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  schemas.addSchema(document, "openapi");
  const compiled = new Map<string, ReturnType<typeof schemas.compile>>();
  return (keys: readonly string[], value: unknown): string | null => {
    const pointer = keys.map((key) => key.replaceAll("~", "~0").replaceAll("/", "~1"));
    const $ref = `openapi#/${pointer.map(encodeURIComponent).join("/")}`;
    const validate = compiled.get($ref) ?? schemas.compile({ $ref });
    compiled.set($ref, validate);
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
