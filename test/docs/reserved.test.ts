import { expect, test } from "vitest";
import { readDocument } from "../../scripts/docs/files.ts";
import { RESERVED_SEGMENTS } from "../../src/config/kinds.ts";
import { languages } from "../../src/locales.ts";

test.each(languages)("the page on chats in %s lists every name that none can have", (language) => {
  const page = readDocument(`docs/${language}/api-chats.md`);
  const line = page.split("\n").find((one) => one.includes("`chat_complete`")) ?? "";
  const named = Array.from(line.matchAll(/`([^`]+)`/g), ([, name]) => name);
  expect(named.filter((name) => name !== "ROUTE").sort()).toEqual([...RESERVED_SEGMENTS].sort());
});
