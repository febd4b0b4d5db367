import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Language } from "../../src/locales.ts";

export interface DocumentText {
  /** Relative to the project's folder. */
  readonly path: string;
  readonly text: string;
}

export const readmes = {
  en: "README.md",
  zh_CN: "README-zh_CN.md",
  zh_TW: "README-zh_TW.md",
  ru_RU: "README-ru_RU.md",
} as const satisfies Record<Language, string>;

const root = new URL("../../", import.meta.url);

export function absolute(path: string): string {
  return fileURLToPath(new URL(path, root));
}

export function readDocument(path: string): string {
  return readFileSync(absolute(path), "utf8");
}

/** The file names of docs/<language>. */
export function pagesOf(language: Language): readonly string[] {
  return readdirSync(absolute(`docs/${language}`))
    .filter((name) => name.endsWith(".md"))
    .sort();
}

/** The README and all pages of a language, as paths. */
export function documentsOf(language: Language): readonly string[] {
  return [readmes[language], ...pagesOf(language).map((name) => `docs/${language}/${name}`)];
}
