/** Every text reads right with every value that it may be given. */
import { describe, expect, test } from "vitest";
import en from "../locales/en.json" with { type: "json" };
import { createTranslate, type Language, languages, type TextParams } from "../src/locales.ts";

const translate = createTranslate();

/** Values of a placeholder: all words that are translated, and samples of all others. */
const valuesOf: Readonly<Record<string, readonly (string | number)[]>> = {
  expected: [...Object.keys(en.type), "application/json", "<|ask|>$new$new$..."],
  window: Object.keys(en.window),
  quota: Object.keys(en.quota),
  period: Object.keys(en.period),
  state: Object.keys(en.quota_state),
  wait_seconds: [1, 90, 91, 5_400, 61_234, 400_000],
  field: ["api_key", "continuous[3].role", "openai-token", "--expires"],
  other: ["conversation_id", "API_KEY"],
  choices: ["gpt-4o, gpt-4o-mini"],
  methods: ["GET, POST"],
  model: ["gpt-4o"],
  models: ["gpt-5.4-nano, codex"],
  reason: ["(their words)"],
  requestId: ["req-1"],
  since: ["2026-11-01T00:00:00.000Z"],
  peer: ["10.0.0.1", "2001:db8::1"],
  positions: ["1, 3"],
  file: ["API_KEY_FILE"],
  host: ["example.org"],
  name: ["API_KEY"],
};
const NUMBERS = [1, 3_500];

const texts = (["error", "config_problem", "warning"] as const).flatMap((section) =>
  Object.entries(en[section]).map(([name, text]) => ({ key: `${section}.${name}`, text })),
);

/** Every combination of the values of these placeholders. */
function combinations([name, ...others]: readonly string[]): TextParams[] {
  if (name === undefined) return [{}];
  return (valuesOf[name] ?? NUMBERS).flatMap((value) =>
    combinations(others).map((rest) => ({ ...rest, [name]: value })),
  );
}

function rendered(language: Language) {
  return texts.flatMap(({ key, text }) => {
    const names = [...new Set(Array.from(text.matchAll(/{{(\w+)}}/g), ([, name = ""]) => name))];
    return combinations(names).map((params) => translate(language, key, params));
  });
}

describe.each(languages)("texts in %s", (language) => {
  const all = rendered(language);

  test("have no gap, no placeholder and no doubled sign", () => {
    expect(all.length).toBeGreaterThan(texts.length);
    expect(
      all.filter((text) =>
        /{{|undefined| {2}| [.,:;](?! _)|[.,:;。，：；]{2}(?!\.)/.test(
          text.replaceAll("...", "").replaceAll("::", ""),
        ),
      ),
    ).toEqual([]);
  });

  test("have a blank between Chinese and Latin characters", () => {
    const joined = /\p{Script=Han}[a-z\d]|[a-z\d]\p{Script=Han}/iu;
    expect(all.filter((text) => joined.test(text))).toEqual([]);
  });
});

test("waits are in the unit that people would use", () => {
  const wait = (language: Language, wait_seconds: number) =>
    translate(language, "error.rate_limited", { limit: 3, window: "day", wait_seconds });
  expect(wait("en", 61_234)).toMatch(/Try again in 17 h\.$/);
  expect(wait("en", 90)).toMatch(/in 90 s\.$/);
  expect(wait("en", 3_420)).toMatch(/in 57 min\.$/);
  expect(wait("ru_RU", 61_234)).toMatch(/через 17 ч\.$/);
  expect(wait("zh_CN", 3_420)).toMatch(/请在 57 分钟后重试。$/);
  expect(wait("zh_TW", 400_000)).toMatch(/請在 5 天後再試。$/);
});
