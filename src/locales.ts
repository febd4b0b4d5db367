import { createInstance, type i18n, type TFunction } from "i18next";
import en from "../locales/en.json" with { type: "json" };
import ruRU from "../locales/ru_RU.json" with { type: "json" };
import zhCN from "../locales/zh_CN.json" with { type: "json" };
import zhTW from "../locales/zh_TW.json" with { type: "json" };

export const languages = ["en", "zh_CN", "zh_TW", "ru_RU"] as const;
export type Language = (typeof languages)[number];

export type TextParams = Readonly<Record<string, string | number>>;
export type Translate = (language: Language, key: string, params?: TextParams) => string;

const htmlTags = {
  en: "en",
  zh_CN: "zh-CN",
  zh_TW: "zh-TW",
  ru_RU: "ru",
} as const satisfies Record<Language, string>;

/** The BCP 47 tag, as Content-Language and HTML have it. */
export function htmlTag(language: Language): string {
  return htmlTags[language];
}

/**
 * Reads POSIX spelling (`zh_CN.UTF-8`, `ru_RU@euro`) and BCP 47 (`zh-Hant`, `en-GB`). Chinese is
 * told apart by script first and region second: Taiwan, Hong Kong and Macao write traditional.
 */
export function toLanguage(posixOrTag: string): Language | null {
  const tag = posixOrTag
    .trim()
    .replace(/[.@].*$/s, "")
    .replaceAll("_", "-")
    .toLowerCase();
  if (!/^[a-z]{2,3}(-[a-z0-9]{1,8}){0,8}$/.test(tag)) return null;
  const [primary, ...subtags] = tag.replace(/-[a-z0-9]-.*$/, "").split("-");
  if (primary === "en") return "en";
  if (primary === "ru") return "ru_RU";
  if (primary !== "zh") return null;
  if (subtags.includes("hans")) return "zh_CN";
  return subtags.some((subtag) => ["hant", "tw", "hk", "mo"].includes(subtag)) ? "zh_TW" : "zh_CN";
}

/** LANG is also the variable of the operating system, so a language we don't have is no mistake. */
export function defaultLanguage(setting: string): Language {
  return toLanguage(setting) ?? "en";
}

/** Browsers send well under 100 characters; anything much longer is nobody's wish. */
const MAX_HEADER_CHARACTERS = 500;
const REMEMBERED_HEADERS = 200;
/** What `preferred` answered lately, oldest first. It is pure, so this shows in speed only. */
const remembered = new Map<string, Language | null>();

/** The language that Accept-Language wants most among ours; the fallback where it names none. */
export function negotiate(acceptLanguage: string | undefined, fallback: Language): Language {
  if (acceptLanguage === undefined || acceptLanguage.length > MAX_HEADER_CHARACTERS)
    return fallback;
  const known = remembered.get(acceptLanguage);
  if (known !== undefined) return known ?? fallback;
  const found = preferred(acceptLanguage);
  if (remembered.size >= REMEMBERED_HEADERS) {
    for (const oldest of remembered.keys()) {
      remembered.delete(oldest);
      break;
    }
  }
  remembered.set(acceptLanguage, found);
  return found ?? fallback;
}

function preferred(header: string): Language | null {
  let best: Language | null = null;
  let bestQuality = 0;
  for (const range of header.split(",")) {
    const [tag = "", ...parameters] = range.split(";");
    const quality = qualityOf(parameters);
    if (quality <= bestQuality) continue;
    const language = toLanguage(tag);
    if (language === null) continue;
    best = language;
    bestQuality = quality;
  }
  return best;
}

/** 1 when none is given; 0, which nobody is served for, when it is not a q-value at all. */
function qualityOf(parameters: readonly string[]): number {
  if (parameters.length === 0) return 1;
  const value = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/i.exec(parameters.join(";").trim())?.[1];
  return value === undefined ? 0 : Number(value);
}

/** Placeholders filled with a word that has a text of its own: `minute` reads "per minute". */
const wordsOf: Readonly<Record<string, string>> = {
  expected: "type",
  window: "window",
  quota: "quota",
  period: "period",
};

/**
 * Looks texts up by key and fills their placeholders. A key that no language has comes back as it
 * is. Values are put in as they are, so HTML pages must escape the result.
 */
export function createTranslate(): Translate {
  const instance = createInstance({
    lng: "en",
    fallbackLng: "en",
    load: "currentOnly",
    resources: {
      en: { translation: en },
      "zh-CN": { translation: zhCN },
      "zh-TW": { translation: zhTW },
      ru: { translation: ruRU },
    },
    nsSeparator: false,
    interpolation: { escapeValue: false },
    initAsync: false,
  });
  void instance.init();
  const fixed = {
    en: instance.getFixedT(htmlTags.en),
    zh_CN: instance.getFixedT(htmlTags.zh_CN),
    zh_TW: instance.getFixedT(htmlTags.zh_TW),
    ru_RU: instance.getFixedT(htmlTags.ru_RU),
  } satisfies Record<Language, unknown>;

  /** Texts without placeholders by language and key: no more entries than the locales have. */
  const plain = new Map<string, string>();
  return function translate(language, key, params) {
    const t = fixed[language];
    if (params !== undefined) return t(key, { replace: withWords(params, instance, t) });
    const id = `${language} ${key}`;
    const known = plain.get(id);
    if (known !== undefined) return known;
    const text = t(key);
    if (instance.exists(key)) plain.set(id, text);
    return text;
  };
}

function withWords(params: TextParams, i18n: i18n, t: TFunction): TextParams {
  const values: Record<string, string | number> = { ...params };
  for (const [name, group] of Object.entries(wordsOf)) {
    if (values[name] === undefined) continue;
    const key = `${group}.${values[name]}`;
    if (i18n.exists(key)) values[name] = t(key);
  }
  return values;
}
