import { createInstance, type i18n } from "i18next";
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

const texts = { en, zh_CN: zhCN, zh_TW: zhTW, ru_RU: ruRU } satisfies Record<Language, unknown>;

/** The BCP 47 tag for Content-Language and HTML. */
export function htmlTag(language: Language): string {
  return htmlTags[language];
}

/**
 * Reads POSIX locales (`zh_CN.UTF-8`, `ru_RU@euro`) and BCP 47 tags (`zh-Hant`, `en-GB`). For
 * Chinese the script decides, then the region: Taiwan, Hong Kong and Macao use traditional script.
 */
export function toLanguage(posixOrTag: string): Language | null {
  const tag = posixOrTag
    .trim()
    .replace(/[.@].*$/s, "")
    .replaceAll("_", "-")
    .toLowerCase();
  if (!/^[a-z]{2,3}(-[a-z0-9]{1,8}){0,8}$/.test(tag)) return null;
  const [primary, ...subtags] = tag.replace(/-[a-z0-9]-.*/, "").split("-");
  if (primary === "en") return "en";
  if (primary === "ru") return "ru_RU";
  if (primary !== "zh") return null;
  if (subtags.includes("hans")) return "zh_CN";
  return subtags.some((subtag) => ["hant", "tw", "hk", "mo"].includes(subtag)) ? "zh_TW" : "zh_CN";
}

/** The languages in words, as people write them into LANG: letters only, in lower case. */
const languageNames: Readonly<Record<Language, string>> = {
  en: "english americanenglish britishenglish usenglish ukenglish",
  zh_CN: `chinese simplifiedchinese chinesesimplified zhchs chs mandarin 中文 简体 简体字 简体中文 中文简体
    简中 簡體中文 简体汉语 汉语 普通话`,
  zh_TW: `traditionalchinese chinesetraditional zhcht cht 繁體 繁體字 繁體中文 中文繁體 繁中 繁体 繁体字
    繁体中文 中文繁体 正體 正體字 正體中文 正体中文 漢語`,
  ru_RU: "russian русский русскийязык порусски",
};
const languageOfName = new Map(
  languages.flatMap((one) => languageNames[one].split(/\s+/).map((name) => [name, one] as const)),
);

/** Countries that people and Windows put behind a language, as in `Chinese (Traditional)_Taiwan.950`. */
const COUNTRY =
  /(?:(china|prc|singapore|中国|中國|新加坡|russia|russianfederation|россия|us|usa|unitedstates|uk|unitedkingdom)|taiwan|台湾|台灣|臺灣|(?:hongkong|macao|macau)(?:sar)?|香港|澳門|澳门)$/u;

/** Chinese without its script is traditional in Taiwan, Hong Kong and Macao. */
function languageInWords(name: string): Language | undefined {
  const known = languageOfName.get(name);
  const [country, isElsewhere] = COUNTRY.exec(name) ?? [];
  if (known !== undefined || country === undefined) return known;
  const alone = name.slice(0, -country.length);
  const isTraditional = isElsewhere === undefined && ["chinese", "中文"].includes(alone);
  return isTraditional ? "zh_TW" : languageOfName.get(alone);
}

/** `C`, `POSIX`, and names of the form that operating systems give LANG. */
const LOCALE = /^(?:C|POSIX|[a-z]{2,3}(?:[_-][A-Za-z0-9]{2,8})*)(?:\.[\w-]+)?(?:@[\w-]+)?$/;

/**
 * The language that LANG names, English if none of ours. `known` is false for words that mean
 * nothing; a locale of the operating system always means something.
 */
export function readLang(setting: string): {
  readonly language: Language;
  readonly known: boolean;
} {
  const text = setting.trim();
  const name = text
    .replace(/[.@].*/s, "")
    .toLowerCase()
    .replaceAll(/\P{L}/gu, "");
  const found = languageInWords(name) ?? toLanguage(text);
  return { language: found ?? "en", known: found !== null || LOCALE.test(text) };
}

export function defaultLanguage(setting: string): Language {
  return readLang(setting).language;
}

/** Browsers send well under 100 characters. */
const MAX_HEADER_CHARACTERS = 500;
const MAX_REMEMBERED_HEADERS = 200;
/** Recent results of `preferred`, which is pure: this only saves time. Oldest first. */
const remembered = new Map<string, Language | null>();

/** The language that Accept-Language prefers among ours, or the fallback if it names none. */
export function negotiate(acceptLanguage: string | undefined, fallback: Language): Language {
  if (acceptLanguage === undefined || acceptLanguage.length > MAX_HEADER_CHARACTERS)
    return fallback;
  const known = remembered.get(acceptLanguage);
  if (known !== undefined) return known ?? fallback;
  const found = preferred(acceptLanguage);
  for (const oldest of remembered.keys()) {
    if (remembered.size < MAX_REMEMBERED_HEADERS) break;
    remembered.delete(oldest);
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

/** 1 if there is none; 0, which excludes the language, if it is malformed. */
function qualityOf(parameters: readonly string[]): number {
  if (parameters.length === 0) return 1;
  const value = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/i.exec(parameters.join(";").trim())?.[1];
  return value === undefined ? 0 : Number(value);
}

/** Placeholders whose values are translated too: the window `minute` reads "per minute". */
const wordsOf: Readonly<Record<string, string>> = {
  expected: "type",
  window: "window",
  quota: "quota",
  period: "period",
  state: "quota_state",
};

/** Placeholder for a wait, which is put into words. */
const WAIT = "wait_seconds";
/** Above this many of a unit the next one is used. */
const MAX_SECONDS = 90;
const MAX_MINUTES = 90;
const MAX_HOURS = 48;

/** `wait.<unit>` in the locales, and how many of it. */
function waitOf(seconds: number): { readonly unit: string; readonly number: number } {
  const minutes = Math.round(seconds / 60);
  const hours = Math.round(seconds / 3_600);
  if (seconds <= MAX_SECONDS) return { unit: "seconds", number: seconds };
  if (minutes <= MAX_MINUTES) return { unit: "minutes", number: minutes };
  if (hours <= MAX_HOURS) return { unit: "hours", number: hours };
  return { unit: "days", number: Math.round(seconds / 86_400) };
}

/**
 * Looks up a text by key and fills its placeholders. An unknown key is returned unchanged. Values
 * are not escaped, so HTML pages must escape the result.
 */
export function createTranslate(): Translate {
  const instance = createInstance({
    lng: "en",
    fallbackLng: "en",
    load: "currentOnly",
    resources: Object.fromEntries(
      languages.map((language) => [htmlTags[language], { translation: texts[language] }]),
    ),
    nsSeparator: false,
    interpolation: { escapeValue: false },
    initAsync: false,
  });
  void instance.init();
  /** Texts without placeholders by language and key: at most as many as the locales have. */
  const plain = new Map<string, string>();
  return function translate(language, key, params) {
    const lng = htmlTags[language];
    if (params !== undefined)
      return instance.t(key, { lng, replace: withWords(params, instance, lng) });
    const id = `${language} ${key}`;
    const known = plain.get(id);
    if (known !== undefined) return known;
    const text = instance.t(key, { lng });
    if (instance.exists(key)) plain.set(id, text);
    return text;
  };
}

function withWords(params: TextParams, i18n: i18n, lng: string): TextParams {
  const values: Record<string, string | number> = { ...params };
  for (const [name, group] of Object.entries(wordsOf)) {
    if (values[name] === undefined) continue;
    const key = `${group}.${values[name]}`;
    if (i18n.exists(key)) values[name] = i18n.t(key, { lng });
  }
  const seconds = values[WAIT];
  if (seconds !== undefined) {
    const { unit, number } = waitOf(Number(seconds));
    values[WAIT] = i18n.t(`wait.${unit}`, { lng, replace: { number } });
  }
  return values;
}
