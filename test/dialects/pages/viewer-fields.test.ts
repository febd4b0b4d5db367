/** What the viewer of /openapi.json reads from a schema. */
import { describe, expect, test } from "vitest";
import type { Schema } from "../../../pages/viewer/document.ts";
import { boundsOf, fieldsOf, typeOf } from "../../../pages/viewer/fields.ts";

const text: Schema = { type: "string" };
const object = (properties: Record<string, Schema>, required: string[] = []): Schema => {
  return { type: "object", properties, required };
};

describe("the fields of a schema", () => {
  test("are those of all its forms, with what each form requires", () => {
    const schema = {
      anyOf: [
        object({ model: text, input: text }, ["model", "input"]),
        object({ model: text, prompt: text }, ["model"]),
        { type: "null" },
      ],
    };
    const found = fieldsOf(schema, {}).map(({ name, required }) => [name, required]);
    expect(found).toEqual([
      ["model", "all"],
      ["input", "some"],
      ["prompt", "none"],
    ]);
  });

  test("are found in lists and behind references", () => {
    const schema = { type: "array", items: { $ref: "#/components/schemas/message" } };
    const definitions = { message: object({ role: text }) };
    expect(fieldsOf(schema, definitions).map(({ name }) => name)).toEqual(["role"]);
  });

  test("of a schema that contains itself come to an end", () => {
    const again = { $ref: "#/components/schemas/tree" };
    const tree = { anyOf: [object({ left: again, right: again }), again, { items: again }] };
    const circle = { $ref: "#/components/schemas/circle" };
    expect(fieldsOf(again, { tree }).map(({ name }) => name)).toEqual(["left", "right"]);
    expect(typeOf(again, { tree }).length).toBeLessThan(1_000);
    expect([fieldsOf(circle, { circle }), typeOf(circle, { circle })]).toEqual([[], "any"]);
  });

  test("may have the names that objects have by themselves", () => {
    const schema: Schema = JSON.parse('{"properties":{"constructor":{"type":"string"}}}');
    expect(fieldsOf(schema, {})).toMatchObject([{ name: "constructor", schema: text }]);
    expect(typeOf({ $ref: "#/components/schemas/constructor" }, {})).toBe("any");
  });
});

test.each<[Schema, string, string]>([
  [{ type: ["string", "null"], maxLength: 5 }, "string | null", "length ≤ 5"],
  [{ anyOf: [{ type: "integer", minimum: 1 }, { type: "null" }] }, "integer | null", "≥ 1"],
  [{ type: "array", items: { type: ["string", "null"] } }, "array of string or null", ""],
  [{ enum: ["a", "b"] }, '"a" | "b"', ""],
  [{ const: true }, "true", ""],
  [{ type: "string", format: "binary" }, "file", ""],
  [{}, "any", ""],
])("%j reads %j, %j", (schema, type, bounds) => {
  expect([typeOf(schema, {}), boundsOf(schema, {})]).toEqual([type, bounds]);
});
