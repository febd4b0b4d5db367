import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { performanceCharts, performanceSection, RESULTS_FILE } from "../bench/performance.ts";
import { readResults } from "../bench/results.ts";
import { factsOf, type SettingFacts } from "../src/config/kinds.ts";
import { settings } from "../src/config/settings.ts";
import { createTranslate, type Language } from "../src/locales.ts";

/** The READMEs by language; each holds generated parts between markers. */
export const readmes = {
  en: "README.md",
  zh_CN: "README-zh_CN.md",
  zh_TW: "README-zh_TW.md",
  ru_RU: "README-ru_RU.md",
} as const satisfies Record<Language, string>;

/** Each part begins and ends with a comment of its name. */
export const PARTS = ["performance", "settings"] as const;
type Part = (typeof PARTS)[number];

export function markersOf(part: Part) {
  return { begin: `<!-- ${part}:begin -->`, end: `<!-- ${part}:end -->` } as const;
}

export interface DocumentText {
  /** Below the project's folder. */
  readonly path: string;
  readonly text: string;
}

interface DocumentedSetting {
  readonly name: string;
  readonly facts: SettingFacts;
}

const translate = createTranslate();
const root = new URL("../", import.meta.url);

export function readDocument(path: string): string {
  return readFileSync(fileURLToPath(new URL(path, root)), "utf8");
}

/** Every document that holds generated text, as it has to read now. */
export function wantedDocuments(): readonly DocumentText[] {
  const languages = Object.keys(readmes) as Language[]; // keyed by Language, see above
  const results = readResults(fileURLToPath(new URL(RESULTS_FILE, root)));
  const texts = languages.map((language) => {
    const path = readmes[language];
    const settled = withPart(readDocument(path), path, "settings", settingsTable(language));
    const measured = performanceSection(results, language);
    return { path, text: withSamples(withPart(settled, path, "performance", measured)) };
  });
  const charts = languages
    .flatMap((language) => performanceCharts(results, language))
    .map(([path, text]) => ({ path, text }));
  return [...texts, ...charts, { path: ".env.example", text: envExample() }];
}

export function settingsTable(language: Language): string {
  const word = (key: string) => translate(language, `settings_table.${key}`);
  const sections = settingsByGroup().map(([group, members]) => {
    const rows = members.map((member) => tableRow(language, member));
    return [
      `### ${translate(language, `config_group.${group}`)}`,
      "",
      `| ${word("name")} | ${word("meaning")} | ${word("default")} |`,
      "| --- | --- | --- |",
      ...rows,
    ].join("\n");
  });
  return sections.join("\n\n");
}

/** All settings commented out, so that the file can be copied to .env as it is. */
export function envExample(): string {
  const sections = settingsByGroup().map(([group, members]) => {
    const title = `# ---- ${translate("en", `config_group.${group}`)} ----`;
    return [title, ...members.map(envEntry)].join("\n\n");
  });
  return `${ENV_HEADING}\n\n${sections.join("\n\n")}\n`;
}

const ENV_HEADING = `# Settings of Parley. Copy this file to .env and remove the # before each line you need.
# What stands behind = is the default, or an example where there is no default.`;

function settingsByGroup() {
  const groups = new Map<SettingFacts["group"], DocumentedSetting[]>();
  for (const [name, schema] of Object.entries(settings.shape)) {
    const facts = factsOf(schema);
    const members = groups.get(facts.group) ?? [];
    members.push({ name, facts });
    groups.set(facts.group, members);
  }
  return [...groups];
}

function tableRow(language: Language, { name, facts }: DocumentedSetting): string {
  const quoted = (text: string) => `\`${text}\``;
  const separator = language.startsWith("zh") ? "" : " ";
  const meaning = sentences(language, name, facts, quoted).join(separator).replaceAll("|", "\\|");
  const empty = translate(language, "settings_table.empty");
  return `| \`${name}\` | ${meaning} | ${facts.default === "" ? empty : quoted(facts.default)} |`;
}

function envEntry({ name, facts }: DocumentedSetting): string {
  const comments = sentences("en", name, facts, (text) => text);
  const value = facts.default === "" ? (facts.example ?? "") : facts.default;
  return [...comments.map((line) => `# ${line}`), `#${name}=${value}`].join("\n");
}

function sentences(
  language: Language,
  name: string,
  facts: SettingFacts,
  quoted: (text: string) => string,
): string[] {
  const texts = [translate(language, `config.${name}`)];
  if (facts.aliases !== undefined) {
    const names = facts.aliases.map(quoted).join(", ");
    texts.push(translate(language, "settings_table.aliases", { names }));
  }
  if (facts.secret === true) {
    const file = quoted(`${name}_FILE`);
    texts.push(translate(language, "settings_table.file", { file }));
  }
  return texts;
}

function withPart(text: string, path: string, part: Part, content: string): string {
  const markers = markersOf(part);
  const begin = text.indexOf(markers.begin);
  const end = text.indexOf(markers.end);
  if (begin === -1 || end < begin) throw new Error(`${path} lacks the markers of its ${part}`);
  const before = text.slice(0, begin + markers.begin.length);
  return `${before}\n\n${content}\n\n${text.slice(end)}`;
}

/** The language of a code block by the ending of its file. */
const FENCES: Readonly<Record<string, string>> = { py: "python", mjs: "js", proto: "proto" };

/** Files of examples/ stand in the READMEs as they are, each behind a comment that names it. */
function withSamples(text: string): string {
  return text.replaceAll(
    /^<!-- sample: (\S+) -->\n\n```[\s\S]*?^```$/gm,
    (_block, path: string) => {
      const fence = FENCES[path.slice(path.lastIndexOf(".") + 1)] ?? "text";
      const sample = readDocument(path).trimEnd();
      return `<!-- sample: ${path} -->\n\n\`\`\`${fence}\n${sample}\n\`\`\``;
    },
  );
}

function currentText(path: string): string | null {
  try {
    return readDocument(path);
  } catch {
    return null;
  }
}

if (import.meta.main) {
  const stale = wantedDocuments().filter(({ path, text }) => currentText(path) !== text);
  const check = process.argv.includes("--check");
  for (const { path, text } of stale) {
    if (!check) writeFileSync(fileURLToPath(new URL(path, root)), text);
    process.stdout.write(check ? `${path} is out of date: npm run docs\n` : `wrote ${path}\n`);
  }
  if (check && stale.length > 0) process.exitCode = 1;
}
