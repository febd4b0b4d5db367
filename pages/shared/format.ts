import { currentLanguage, t } from "./texts.ts";

export function count(value: number): string {
  return new Intl.NumberFormat(currentLanguage()).format(value);
}

/** Exact: the decimals as they are, at least two. */
export function money(dollars: string | null): string {
  if (dollars === null) return t("unknown");
  const [whole = "0", cents = ""] = dollars.split(".");
  return `$${whole}.${cents.padEnd(2, "0")}`;
}

export function moment(iso: string | null): string {
  if (iso === null) return "–";
  const style = { dateStyle: "medium", timeStyle: "medium" } as const;
  return new Intl.DateTimeFormat(currentLanguage(), style).format(new Date(iso));
}
