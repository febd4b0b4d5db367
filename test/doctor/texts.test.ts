/** Every finding of the code has its texts, and every text its finding. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import en from "../../locales/en.json" with { type: "json" };
import { checkIds } from "../../src/doctor/check.ts";
import { createTranslate, languages } from "../../src/locales.ts";

const src = fileURLToPath(new URL("../../src/doctor/", import.meta.url));
const source = readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts") && path !== "mends.ts")
  .map((path) => readFileSync(src + path, "utf8"))
  .join("\n");
const found = [...source.matchAll(/\b(ok|skipped|fault|warning)\(\s*"(\w+)"/g)];
const keysOf = (...kinds: readonly string[]) => [
  ...new Set(found.filter(([, kind = ""]) => kinds.includes(kind)).map(([, , key = ""]) => key)),
];

test("every finding has a text on what was seen, and every text is used", () => {
  expect(found.length).toBeGreaterThan(50);
  const keys = Object.keys(en.doctor.seen);
  expect(keysOf("ok", "skipped", "fault", "warning").filter((key) => !keys.includes(key))).toEqual(
    [],
  );
  expect(keys.filter((key) => !source.includes(`"${key}"`))).toEqual([]);
});

test("every fault and warning says what it means and what mends it, and nothing else does", () => {
  const { means, mend, seen } = en.doctor;
  expect(Object.keys(means)).toEqual(Object.keys(mend));
  const bad = keysOf("fault", "warning");
  expect(bad.filter((key) => !(key in means))).toEqual([]);
  const fine = keysOf("ok", "skipped");
  expect(Object.keys(means).filter((key) => fine.includes(key) || !(key in seen))).toEqual([]);
});

test("every check has a name", () => {
  expect(Object.keys(en.doctor.check)).toEqual([...checkIds]);
});

describe.each(languages)("in %s", (language) => {
  const translate = createTranslate();
  const values = Object.fromEntries(
    Array.from(JSON.stringify(en.doctor).matchAll(/{{(\w+)}}/g), ([, name = ""]) => [name, 7]),
  );
  const texts = (["seen", "means", "mend"] as const).flatMap((part) =>
    Object.keys(en.doctor[part]).map((key) => translate(language, `doctor.${part}.${key}`, values)),
  );

  test("texts read right with their values", () => {
    expect(texts.filter((text) => /{{| {2}|undefined|^doctor\./.test(text))).toEqual([]);
    const joined = /\p{Script=Han}[a-z\d]|[a-z\d]\p{Script=Han}/iu;
    expect(texts.filter((text) => joined.test(text))).toEqual([]);
  });

  test("texts can be read at a glance", () => {
    const maxCharacters = language.startsWith("zh") ? 80 : 150;
    expect(texts.filter(({ length }) => length > maxCharacters)).toEqual([]);
  });
});
