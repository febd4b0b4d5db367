/** Answers that were written beforehand, in the language of the question. */
import { readFileSync } from "node:fs";

type AnswerLanguage = "en" | "ru_RU" | "zh_CN" | "zh_TW";

interface Answer {
  /** Beginnings of words, in lower case. */
  readonly words: readonly string[];
  readonly text: string;
}

/** The last one of each file fits any question. */
const HEAD = /^<!-- \w+: (.*) -->\n/gm;
/** In everyday words, and not used in simplified text. */
const TRADITIONAL =
  /[為麼個這們說請問國學會時對後來還過東車長門開關題寫種點發樣實電話語頭書讓認識應該條經歷現產業務處據無從總結邊聽買賣讀聯數當體週錄藍臺灣檔協視訊覽碼]/;

const answers: Readonly<Record<AnswerLanguage, readonly Answer[]>> = {
  en: readAnswers("en"),
  ru_RU: readAnswers("ru_RU"),
  zh_CN: readAnswers("zh_CN"),
  zh_TW: readAnswers("zh_TW"),
};

/** The answer that shares most words with the question. */
export function answerTo(question: string): string {
  const known = answers[languageOf(question)];
  const asked = question.toLowerCase();
  const scores = known.map(({ words }) => words.filter((word) => hasWord(asked, word)).length);
  const best = Math.max(...scores);
  const chosen = best === 0 ? known.at(-1) : known[scores.indexOf(best)];
  return chosen?.text ?? "";
}

function languageOf(question: string): AnswerLanguage {
  if (/\p{Script=Cyrillic}/u.test(question)) return "ru_RU";
  if (!/\p{Script=Han}/u.test(question)) return "en";
  return TRADITIONAL.test(question) ? "zh_TW" : "zh_CN";
}

/** Chinese has no spaces between words; elsewhere "hi" is not in "this". */
function hasWord(asked: string, word: string): boolean {
  if (/\p{Script=Han}/u.test(word)) return asked.includes(word);
  const letter = /[\p{Script=Latin}\p{Script=Cyrillic}]/u;
  for (let at = asked.indexOf(word); at !== -1; at = asked.indexOf(word, at + 1)) {
    if (at === 0 || !letter.test(asked.charAt(at - 1))) return true;
  }
  return false;
}

function readAnswers(language: AnswerLanguage): readonly Answer[] {
  const file = new URL(`answers/${language}.md`, import.meta.url);
  // the part before the first head is empty; then words and texts take turns
  const [, ...parts] = readFileSync(file, "utf8").split(HEAD);
  return Array.from({ length: parts.length / 2 }, (_, at) => ({
    words: (parts[2 * at] ?? "").split(", "),
    text: (parts[2 * at + 1] ?? "").trim(),
  }));
}
