import { describe, expect, test } from "vitest";
import en from "../locales/en.json" with { type: "json" };
import ruRU from "../locales/ru_RU.json" with { type: "json" };
import zhCN from "../locales/zh_CN.json" with { type: "json" };
import zhTW from "../locales/zh_TW.json" with { type: "json" };
import { settings } from "../src/config/settings.ts";
import { errorCodes } from "../src/core/errors.ts";
import {
  createTranslate,
  htmlTag,
  languages,
  negotiate,
  readLang,
  toLanguage,
} from "../src/locales.ts";
import { timeRatio } from "./support/timing.ts";

const files = { en, zh_CN: zhCN, zh_TW: zhTW, ru_RU: ruRU };
const translate = createTranslate();

/** Every text by its dotted key. */
function flatten(node: unknown, path = ""): Map<string, string> {
  if (typeof node === "string") return new Map([[path, node]]);
  const entries = Object.entries(Object(node));
  return new Map(
    entries.flatMap(([key, value]) => [...flatten(value, path === "" ? key : `${path}.${key}`)]),
  );
}

function placeholders(text: string): string[] {
  return [...new Set(text.match(/{{[^}]*}}/g) ?? [])].sort();
}

describe("the four locale files", () => {
  const english = flatten(en);

  test.each(languages)("%s has the keys of English, in the same order", (language) => {
    expect([...flatten(files[language]).keys()]).toEqual([...english.keys()]);
  });

  test.each(languages)(
    "%s has a text and the placeholders of English under every key",
    (language) => {
      for (const [key, text] of flatten(files[language])) {
        expect(text.trim(), key).not.toBe("");
        expect(placeholders(text), key).toEqual(placeholders(english.get(key) ?? ""));
      }
    },
  );

  test("every error code has a text, and every text a code", () => {
    expect(Object.keys(en.error).sort()).toEqual([...errorCodes].sort());
  });

  test.each(languages)("the errors of %s can be read at a glance", (language) => {
    const maxCharacters = language.startsWith("zh") ? 60 : 120;
    const long = Object.values(files[language].error).filter(
      ({ length }) => length > maxCharacters,
    );
    expect(long).toEqual([]);
  });

  test("every setting has a text, and every text a setting", () => {
    const names = Object.keys(en.config).filter((key) => key !== "heading");
    expect(names).toEqual(Object.keys(settings));
  });

  test("the Chinese files use their own script", () => {
    const simplified = [...flatten(zhCN).values()].join("");
    const traditional = [...flatten(zhTW).values()].join("");
    expect(simplified).not.toMatch(/[請參數錯誤伺務連線號碼應關閉語體]/);
    expect(traditional).not.toMatch(/[请参数错误务连线号码应关闭语体网络]/);
  });
});

describe("toLanguage", () => {
  test.each([
    ["en", "en"],
    ["en_US.UTF-8", "en"],
    ["EN-gb", "en"],
    ["zh", "zh_CN"],
    ["zh_CN", "zh_CN"],
    ["zh_CN.UTF-8", "zh_CN"],
    ["zh-SG", "zh_CN"],
    ["zh-Hans", "zh_CN"],
    ["zh-Hans-HK", "zh_CN"],
    ["zh-CN-u-rg-twzzzz", "zh_CN"],
    ["zh_TW", "zh_TW"],
    ["zh_TW.Big5", "zh_TW"],
    ["zh_HK", "zh_TW"],
    ["zh-MO", "zh_TW"],
    ["zh-Hant", "zh_TW"],
    ["zh-Hant-CN", "zh_TW"],
    ["ru", "ru_RU"],
    ["ru_RU.KOI8-R@euro", "ru_RU"],
    [" ru-UA ", "ru_RU"],
    ["C", null],
    ["C.UTF-8", null],
    ["POSIX", null],
    ["*", null],
    ["", null],
    ["fr_FR", null],
    ["english", null],
    ["zhu", null],
    ["__proto__", null],
  ])("reads %j as %j", (text, language) => {
    expect(toLanguage(text)).toBe(language);
  });
});

describe("LANG", () => {
  test.each([
    ["English", "en"],
    ["Simplified Chinese", "zh_CN"],
    ["simplified_chinese", "zh_CN"],
    ["Chinese (Simplified)", "zh_CN"],
    ["Chinese", "zh_CN"],
    ["简体中文", "zh_CN"],
    ["中文（简体）", "zh_CN"],
    ["zh-CHS", "zh_CN"],
    ["CHS", "zh_CN"],
    ["Traditional Chinese", "zh_TW"],
    ["Traditional_Chinese", "zh_TW"],
    ["TRADITIONAL CHINESE.UTF-8", "zh_TW"],
    ["繁體中文", "zh_TW"],
    ["正體中文", "zh_TW"],
    ["zh-CHT", "zh_TW"],
    ["zh_CHT", "zh_TW"],
    ["CHT", "zh_TW"],
    ["Russian", "ru_RU"],
    [" Русский ", "ru_RU"],
    ["русский язык", "ru_RU"],
    ["Chinese (Simplified)_China.936", "zh_CN"],
    ["Chinese (Traditional)_Hong Kong SAR.950", "zh_TW"],
    ["Chinese_Taiwan.950", "zh_TW"],
    ["中文（香港）", "zh_TW"],
    ["简体中文 (台湾)", "zh_CN"],
    ["Russian_Russia.1251", "ru_RU"],
    ["English_United States.1252", "en"],
    ["zh_HK.UTF-8", "zh_TW"],
    ["ru", "ru_RU"],
  ])("%j is %s", (setting, language) => {
    expect(readLang(setting)).toEqual({ language, known: true });
  });

  test.each(["C", "POSIX", "C.UTF-8", "fr", "tw", "fr_FR.UTF-8", "sr_RS@latin", "es_419", "pt-BR"])(
    "%s, a locale of the system, silently means English",
    (setting) => {
      expect(readLang(setting)).toEqual({ language: "en", known: true });
    },
  );

  test.each([
    "Deutsch",
    "Klingon",
    "日本語",
    "xx YY",
    "en;ru",
    "%LANG%",
    "Taiwan",
    "German (Russia)",
    "__proto__",
    "C:\\",
  ])("%s means English, and is worth a warning", (setting) => {
    expect(readLang(setting)).toEqual({ language: "en", known: false });
  });

  test("words in Accept-Language mean nothing", () => {
    expect(toLanguage("Russian")).toBeNull();
    expect(toLanguage("zh-CHT")).toBe("zh_CN");
  });
});

describe("negotiate", () => {
  test.each([
    [undefined, "ru_RU"],
    ["", "ru_RU"],
    ["*", "ru_RU"],
    ["fr, de;q=0.8, *;q=0.5", "ru_RU"],
    ["en", "en"],
    ["zh-TW,zh;q=0.9,en-US;q=0.8,en;q=0.7", "zh_TW"],
    ["en;q=0.3, zh-CN;q=0.7", "zh_CN"],
    ["zh-TW;q=0.5, zh-CN;q=0.5", "zh_TW"],
    ["fr;q=1, en;q=0.001", "en"],
    ["en;q=0", "ru_RU"],
    ["en;q=0, zh-HK;q=0.1", "zh_TW"],
    ["en ; q=0.5 , zh ; Q=0.6", "zh_CN"],
    ["en;q=2", "ru_RU"],
    ["en;q=-1", "ru_RU"],
    ["en;q=1e9, zh;q=0.1", "zh_CN"],
    ["en;level=1", "ru_RU"],
    [";;;,,,q=1", "ru_RU"],
    ["\u0000en", "ru_RU"],
    ["zh-Hant-TW-x-private", "zh_TW"],
    ["uk, en;q=0.5", "en"],
    ["uk", "ru_RU"],
    ["en;q=1.5, zh;q=0.1", "zh_CN"],
  ] as const)("answers %j in %s where Russian is the default", (header, language) => {
    expect(negotiate(header, "ru_RU")).toBe(language);
    expect(negotiate(header, "ru_RU"), "and says the same again").toBe(language);
  });

  test("a header without a known language gives the fallback", () => {
    expect(languages.map((fallback) => negotiate("fr", fallback))).toEqual([...languages]);
  });

  test("a header over 500 characters is not read", () => {
    expect(negotiate(`zh-TW,${"x".repeat(494)}`, "en")).toBe("zh_TW");
    expect(negotiate(`zh-TW,${"x".repeat(495)}`, "en")).toBe("en");
  });

  test("many distinct headers each get the right language", () => {
    for (let n = 0; n < 2_000; n += 1) expect(negotiate(`x-${n}, ru`, "en")).toBe("ru_RU");
  });

  test("the longest header that is read, made of nothing but separators, takes no longer than any other", () => {
    // what was read before is remembered, so every round has headers of its own
    const ordinary = (round: number) => {
      for (let n = 0; n < 12; n += 1)
        negotiate(`en;q=0.${n}${round},`.repeat(60).slice(0, 500), "en");
    };
    const hostile = (round: number) => {
      for (const character of [",", ";", "-", "q", " ", "="]) {
        const last = String(round);
        expect(negotiate(`en${character}`.repeat(200).slice(0, 499) + last, "en")).toBe("en");
        expect(negotiate(character.repeat(499) + last, "en")).toBe("en");
      }
    };
    expect(timeRatio(hostile, ordinary)).toBeLessThan(10);
  });
});

describe("createTranslate", () => {
  test("the two words of the envelope are plain in English", () => {
    expect(translate("en", "success")).toBe("success");
    expect(translate("en", "failed")).toBe("failed");
  });

  test("each language has its own words", () => {
    const texts = languages.map((language) => translate(language, "error.internal"));
    expect(new Set(texts).size).toBe(4);
  });

  test("the name of a window or a type is put into words", () => {
    const limited = { limit: 3, window: "minute", wait_seconds: 12 };
    expect(translate("zh_TW", "error.rate_limited", limited)).toContain(zhTW.window.minute);
    expect(
      translate("ru_RU", "error.field_type", { field: "n", expected: "whole_number" }),
    ).toContain(ruRU.type.whole_number);
    const media = { expected: "application/json" };
    expect(translate("en", "error.content_type_unsupported", media)).toContain("application/json");
  });

  test("a value is put in as it is: not escaped, not read as a placeholder or a reference", () => {
    const reason = "<b>{{max}} {{reason}} $t(success) $& $1</b>";
    for (const language of languages) {
      expect(translate(language, "error.upstream_refused", { reason, max: 1 })).toContain(reason);
    }
  });

  test("values named like options of the library are values", () => {
    const params = { reason: "r", lng: "ru", count: 2, context: "x", defaultValue: "d", ns: "n" };
    expect(translate("en", "error.upstream_refused", params)).toMatch(/refused the request: r$/);
  });

  test("an unknown key is returned unchanged", () => {
    expect(translate("ru_RU", "error.no_such_code")).toBe("error.no_such_code");
    expect(translate("en", "constructor", {})).toBe("constructor");
  });

  test("every key of every language is found", () => {
    for (const language of languages) {
      for (const [key, text] of flatten(files[language])) {
        expect(translate(language, key)).toBe(text);
      }
    }
  });
});

test("each language has its BCP 47 tag", () => {
  expect(languages.map(htmlTag)).toEqual(["en", "zh-CN", "zh-TW", "ru"]);
  expect(languages.map((language) => toLanguage(htmlTag(language)))).toEqual([...languages]);
});
