import { describe, expect, test } from "vitest";
import { createSealing, encode } from "../../../src/storage/conversations/sealing.ts";

const secret = "first-secret-key-0123456789abcdef";

describe.each([null, secret])("text that is kept with the SECRET_KEY %s", (current) => {
  const { codec } = createSealing({ current, old: [] });

  test("has no half surrogate pair, in parts neither", () => {
    const parts = [{ type: "text", text: "half \ud83d" }] as const;
    const stored = codec.write(encode(parts).payload, "here");
    expect(codec.read(stored, () => "here")).toEqual([{ type: "text", text: "half \ufffd" }]);
  });

  test("loses the halves that older versions kept", () => {
    const stored = codec.write('j"half \\ud83d"', "here");
    expect(codec.readText(stored, "here")).toBe("half \ufffd");
  });
});
