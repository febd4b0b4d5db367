import { createTranslate, defaultLanguage, type Language, type TextParams } from "../locales.ts";

/** What the command says, in the language of whoever runs it. */
export interface Texts {
  readonly language: Language;
  /** `command.<key>` of the locales. */
  say(key: string, params?: TextParams): string;
  /** The same, or null where no such text exists. */
  find(key: string, params?: TextParams): string | null;
  /** `error.<code>`, as clients read it. */
  error(code: string, params: TextParams): string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What the image, the shebang and package.json set, since Node ends at once if LANG is no locale. It
 * names an encoding, so LC_MESSAGES and LANG decide; the scripts pass the user's own LC_ALL on in LC_MESSAGES.
 */
const ENCODING_ONLY = "C.UTF-8";

/** As POSIX orders them: LC_ALL, LC_MESSAGES, LANG. */
export function languageOf({ LC_ALL, LC_MESSAGES, LANG }: Environment): Language {
  const all = LC_ALL === ENCODING_ONLY ? "" : LC_ALL;
  return defaultLanguage(all || LC_MESSAGES || LANG || "");
}

const translate = createTranslate();

export function createTexts(language: Language): Texts {
  const find = (key: string, params?: TextParams) => {
    const path = `command.${key}`;
    const text = translate(language, path, params);
    return text === path ? null : text;
  };
  return {
    language,
    find,
    say: (key, params) => find(key, params) ?? key,
    error: (code, params) => translate(language, `error.${code}`, params),
  };
}
