import { count } from "../shared/format.ts";
import { currentLanguage, t } from "../shared/texts.ts";

const SECOND_MS = 1_000;
const MAX_SHOWN_MS = 10_000;

/** "840 ms", "12.4 s", in the page's language. */
export function duration(ms: number | null): string {
  if (ms === null) return "–";
  if (ms < MAX_SHOWN_MS) return t("operator.milliseconds", { value: count(Math.round(ms)) });
  const words = new Intl.NumberFormat(currentLanguage(), { maximumFractionDigits: 1 });
  return t("operator.seconds", { value: words.format(ms / SECOND_MS) });
}

/** Part of a whole, as "1.2%"; nothing of nothing is "–". */
export function share(part: number, whole: number): string {
  if (whole === 0) return "–";
  const style = { style: "percent", maximumFractionDigits: 1 } as const;
  return new Intl.NumberFormat(currentLanguage(), style).format(part / whole);
}

export const countOrUnknown = (value: number | null) =>
  value === null ? t("unknown") : count(value);

/** A text of the locales, or the code itself where a newer server has one that is not there. */
export function wordOr(key: string, code: string, params?: Parameters<typeof t>[1]): string {
  const words = t(key, params);
  return words === key ? code : words;
}
