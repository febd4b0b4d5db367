import { data, type Texts } from "./data.ts";
import { remember, remembered } from "./storage.ts";

let texts = data.texts;
let language = data.language;
let wanted = language;

const MAX_MS = 30_000;

export const languageNames = {
  en: "English",
  "zh-CN": "简体中文",
  "zh-TW": "繁體中文",
  ru: "Русский",
} as const;

/** The tag of the page's language, for Accept-Language and for numbers and dates. */
export const currentLanguage = (): string => language;

/** `holder.left`; placeholders as in the locales. An unknown key is returned unchanged. */
export function t(key: string, params: Readonly<Record<string, string | number>> = {}): string {
  const found = key
    .split(".")
    .reduce<string | Texts | undefined>(
      (node, part) =>
        typeof node === "object" && Object.hasOwn(node, part) ? node[part] : undefined,
      texts,
    );
  if (typeof found !== "string") return key;
  return found.replaceAll(/\{\{(\w+)\}\}/g, (_all, name: string) => String(params[name] ?? ""));
}

/** Loads the texts of a language and keeps the choice on this device. Of several the last counts. */
export async function switchLanguage(tag: string): Promise<void> {
  await load(tag);
  if (tag === wanted) remember("language", tag);
}

/** The language that was chosen before, if it is another one than the server's guess. */
export async function restoreLanguage(): Promise<void> {
  const chosen = remembered("language");
  if (chosen !== null && chosen !== language) await load(chosen).catch(() => undefined);
}

async function load(tag: string): Promise<void> {
  wanted = tag;
  if (tag === language || !Object.hasOwn(data.textFiles, tag)) return;
  const response = await fetch(data.textFiles[tag] ?? "", { signal: AbortSignal.timeout(MAX_MS) });
  if (!response.ok) throw new Error(String(response.status));
  const loaded: Texts = await response.json();
  // another was chosen meanwhile
  if (tag !== wanted) return;
  texts = loaded;
  language = tag;
  document.documentElement.lang = tag;
}
