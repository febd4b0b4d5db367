import { expect, test } from "vitest";
import { bareKey } from "../../../pages/shared/bare-key.ts";

const TOKEN = "parley-iC2tlNQphIXVadJkk44dxor77_YENF-K3nsG7C";

test.each([
  "{}",
  "  {}\t",
  '"{}"',
  "'{}',",
  "“{}”",
  "「{}」",
  "Bearer {}",
  "bearer  {}",
  "Authorization: Bearer {}",
  "-H 'Authorization: Bearer {}'",
  "OPENAI_API_KEY={}",
  'export OPENAI_API_KEY="{}"',
  "\ufeff{}\u200b",
])("the key in %j is found", (around) => {
  for (const key of [TOKEN, "sk-proj-abc_DEF-123"]) {
    expect(bareKey(around.replace("{}", key))).toBe(key);
  }
});

test("a line break that came with a key is left out", () => {
  expect(bareKey(`${TOKEN.slice(0, 12)}\r\n${TOKEN.slice(12)}`)).toBe(TOKEN);
});

test("keys of other forms stay as they are", () => {
  for (const key of ["gsk_abc", "eyJhbGciOi.eyJzdWIi.c2ln", "sk-abc.def", "a sk-b c", "'quoted'"]) {
    expect(bareKey(key)).toBe(key);
  }
  expect(bareKey("   ")).toBe("");
});

test("what no header can carry does not vanish, as it would be a call without a key", () => {
  expect(bareKey("密码")).toBe("??");
  expect(bareKey("pаrley-abc")).toBe("p?rley-abc");
});
