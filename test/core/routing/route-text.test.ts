import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isTargetModel, parseRouteText, routeText } from "../../../src/core/routing/route-text.ts";

describe("a route as text", () => {
  test("has weighted alternatives and next resorts", () => {
    const text = "openai:gpt-4o@3, azure:gpt-4o-eu@1; deepseek:deepseek-chat";
    expect(parseRouteText(text)).toEqual([
      [
        { upstream: "openai", model: "gpt-4o", weight: 3 },
        { upstream: "azure", model: "gpt-4o-eu", weight: 1 },
      ],
      [{ upstream: "deepseek", model: "deepseek-chat", weight: 1 }],
    ]);
  });

  test.each([
    ["ollama:llama3:8b", "llama3:8b", 1],
    ["openai:ft:gpt-4o:acme::7p@2", "ft:gpt-4o:acme::7p", 2],
    ["cloudflare:@cf/meta/llama-3@5", "@cf/meta/llama-3", 5],
    ["cloudflare:@cf/meta/x", "@cf/meta/x", 1],
    ["vertex:claude@20250514@1", "claude@20250514", 1],
    ["a:m@x", "m@x", 1],
    ["a:m@", "m@", 1],
    [" a : m @ 2 ", "m @ 2", 1],
    ["a:m@1000", "m", 1_000],
  ])("%j means %j", (text, model, weight) => {
    expect(parseRouteText(text)[0]?.[0]).toMatchObject({ model, weight });
  });

  test("is what was written", () => {
    const upstream = fc.stringMatching(/^[a-z0-9-]{1,64}$/);
    const weight = fc.integer({ min: 1, max: 1_000 });
    const part = fc.constantFrom("@", "7", ":", "/", "a", " ", "模", "@1", "@@");
    const model = fc
      .array(part, { minLength: 1, maxLength: 20 })
      .map((parts) => parts.join("").trim())
      .filter(isTargetModel);
    const target = fc.record({ upstream, model, weight });
    const stages = fc.array(fc.array(target, { minLength: 1, maxLength: 16 }), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(stages, (route) => {
        expect(parseRouteText(routeText(route))).toEqual(route);
      }),
    );
  });

  test.each([
    ["", "field_type"],
    ["gpt-4o", "field_type"],
    [":gpt-4o", "field_type"],
    ["openai:", "field_type"],
    ["openai:@3", "field_type"],
    ["openai:gpt-4o,", "field_type"],
    ["openai:gpt-4o;", "field_type"],
    ["openai:a\nb", "field_type"],
    ["openai:gpt-4o@0", "field_range"],
    ["openai:gpt-4o@1001", "field_range"],
    [`openai:${"x".repeat(201)}`, "field_too_long"],
    [`openai:${"x".repeat(65_536)}`, "field_too_long"],
    [Array(9).fill("a:m").join(";"), "field_too_many"],
    [Array(17).fill("a:m").join(","), "field_too_many"],
  ])("%j is refused as %s", (text, code) => {
    const refused = () => parseRouteText(text);
    expect(refused).toThrow(expect.objectContaining({ code, details: { field: "to" } }));
  });
});
