import {
  performanceCharts,
  performancePage,
  performanceSummary,
  RESULTS_FILE,
} from "../../bench/performance.ts";
import { readResults } from "../../bench/results.ts";
import { type Language, languages } from "../../src/locales.ts";
import { absolute, type DocumentText, documentsOf, readDocument } from "./files.ts";
import { commandHelp, errorsTable } from "./reference.ts";
import { envExample, settingsTables } from "./settings.ts";

/** The generated parts of pages by the name in their markers. */
const results = readResults(absolute(RESULTS_FILE));
const help = new Map(
  await Promise.all(languages.map(async (one) => [one, await commandHelp(one)] as const)),
);
const parts: Readonly<Record<string, (language: Language) => string>> = {
  settings: settingsTables,
  errors: errorsTable,
  cli: (language) => help.get(language) ?? "",
  performance: (language) => performancePage(results, language),
  measured: (language) => performanceSummary(results, language),
};

const envFiles = {
  en: ".env.example",
  zh_CN: ".env-zh_CN.example",
  zh_TW: ".env-zh_TW.example",
  ru_RU: ".env-ru_RU.example",
} as const satisfies Record<Language, string>;

/** Every document with generated text, with that text up to date. */
export function wantedDocuments(): readonly DocumentText[] {
  return languages.flatMap((language) => [
    ...documentsOf(language).map((path) => {
      const text = withSamples(readDocument(path), language);
      return { path, text: withParts(text, path, language) };
    }),
    ...performanceCharts(results, language).map(([path, text]) => ({ path, text })),
    { path: envFiles[language], text: envExample(language) },
  ]);
}

function withParts(text: string, path: string, language: Language): string {
  return text.replaceAll(/<!-- (\w+):begin -->[\s\S]*?<!-- \1:end -->/g, (_part, name: string) => {
    const write = parts[name];
    if (write === undefined) throw new Error(`${path}: nothing generates ${name}`);
    return `<!-- ${name}:begin -->\n\n${write(language)}\n\n<!-- ${name}:end -->`;
  });
}

/** The language of a code block by the extension of its file. */
const FENCES: Readonly<Record<string, string>> = { py: "python", mjs: "js" };

/**
 * Puts files of examples/ behind the comments that name them. A translation keeps the block it
 * has: its questions and comments are in the language of its readers.
 */
function withSamples(text: string, language: Language): string {
  return text.replaceAll(
    /^<!-- sample: (\S+) -->\n(\n```[\s\S]*?^```$)?/gm,
    (marker, path: string, block?: string) => {
      if (block !== undefined && language !== "en") return marker;
      const fence = FENCES[path.slice(path.lastIndexOf(".") + 1)] ?? "text";
      const sample = readDocument(path).trimEnd();
      const after = block === undefined ? "\n" : "";
      return `<!-- sample: ${path} -->\n\n\`\`\`${fence}\n${sample}\n\`\`\`${after}`;
    },
  );
}
