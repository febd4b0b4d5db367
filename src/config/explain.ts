import type { Language, Translate } from "../locales.ts";
import type { ConfigProblem } from "./read.ts";

/** Every mistake on a line of its own, without the values: one may be a secret in a wrong place. */
export function explainProblems(
  problems: readonly ConfigProblem[],
  translate: Translate,
  language: Language,
): string {
  const lines = problems.map((problem) => `  ${explainProblem(problem, translate, language)}`);
  return `${translate(language, "config.heading")}\n${lines.join("\n")}\n`;
}

export function explainProblem(
  { name, key, params }: ConfigProblem,
  translate: Translate,
  language: Language,
): string {
  return `${name}: ${translate(language, `config_problem.${key}`, params ?? {})}`;
}
