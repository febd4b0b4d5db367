import type { Setting, SettingFacts } from "../../src/config/kinds.ts";
import { settings } from "../../src/config/settings.ts";
import { createTranslate, type Language } from "../../src/locales.ts";
import { table } from "./table.ts";

interface DocumentedSetting {
  readonly name: string;
  readonly facts: SettingFacts;
}

const translate = createTranslate();

/** A section with a table for each group of settings. */
export function settingsTables(language: Language): string {
  const word = (key: string) => translate(language, `settings_table.${key}`);
  const head = [word("name"), word("meaning"), word("default")];
  const sections = settingsByGroup().map(([group, members]) =>
    [
      `## ${translate(language, `config_group.${group}`)}`,
      "",
      table(
        head,
        members.map((member) => row(language, member)),
      ),
    ].join("\n"),
  );
  return sections.join("\n\n");
}

/** All settings commented out, so that the file can be copied to .env unchanged. */
export function envExample(language: Language): string {
  const intro = ["env_intro", "env_values"].map((key) => `# ${translate(language, `docs.${key}`)}`);
  const sections = settingsByGroup().map(([group, members]) => {
    const title = `# ---- ${translate(language, `config_group.${group}`)} ----`;
    return [title, ...members.map((member) => envEntry(language, member))].join("\n\n");
  });
  return `${[intro.join("\n"), ...sections].join("\n\n")}\n`;
}

function settingsByGroup() {
  const groups = new Map<SettingFacts["group"], DocumentedSetting[]>();
  for (const [name, facts] of Object.entries<Setting>(settings)) {
    const members = groups.get(facts.group) ?? [];
    members.push({ name, facts });
    groups.set(facts.group, members);
  }
  return [...groups];
}

const names = settingsByGroup().flatMap(([, members]) =>
  members.flatMap(({ name, facts }) => [name, ...(facts.aliases ?? [])]),
);
const NAME = new RegExp(`/?[A-Za-z]\\w*_\\w+|\\b(?:${names.join("|")})\\b`, "g");

/** Puts settings, and all else with an underscore in its name, in backticks. */
export function withCode(text: string): string {
  return text.replaceAll(NAME, "`$&`");
}

function row(language: Language, { name, facts }: DocumentedSetting): string[] {
  const code = (text: string) => `\`${text}\``;
  const separator = language.startsWith("zh") ? "" : " ";
  const meaning = sentences(language, name, facts).map(withCode).join(separator);
  const empty = translate(language, "settings_table.empty");
  return [code(name), meaning, facts.default === "" ? empty : code(facts.default)];
}

function envEntry(language: Language, { name, facts }: DocumentedSetting): string {
  const comments = sentences(language, name, facts);
  const value = facts.default === "" ? (facts.example ?? "") : facts.default;
  return [...comments.map((line) => `# ${line}`), `#${name}=${value}`].join("\n");
}

function sentences(language: Language, name: string, { aliases, secret }: SettingFacts): string[] {
  const texts = [translate(language, `config.${name}`)];
  if (aliases !== undefined) {
    texts.push(translate(language, "settings_table.aliases", { names: aliases.join(", ") }));
  }
  if (secret === true) {
    texts.push(translate(language, "settings_table.file", { file: `${name}_FILE` }));
  }
  return texts;
}
