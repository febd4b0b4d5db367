import { currentLanguage, t } from "./texts.ts";

export function count(value: number): string {
  return new Intl.NumberFormat(currentLanguage()).format(value);
}

/** "Used: 3", with the colon of the language. */
export const labeled = (name: string, value: string): string => t("labeled", { name, value });

/** Exact: the decimals as they are, at least two. */
export function money(dollars: string | null): string {
  if (dollars === null) return t("unknown");
  const [whole = "0", cents = ""] = dollars.split(".");
  return `$${whole}.${cents.padEnd(2, "0")}`;
}

/** For headlines, beside the exact amount: to the cent, or with two digits where it is below a dollar. */
export function roughMoney(dollars: string): string {
  const value = Number(dollars);
  if (value === 0 || value >= ALMOST_A_DOLLAR) return `$${value.toFixed(2)}`;
  const style = { minimumSignificantDigits: 2, maximumSignificantDigits: 2 } as const;
  return `$${new Intl.NumberFormat("en", style).format(value)}`;
}

/** What two digits would make 1.0 of. */
const ALMOST_A_DOLLAR = 0.995;

export function moment(iso: string | null): string {
  if (iso === null) return "–";
  const style = { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" } as const;
  return new Intl.DateTimeFormat(currentLanguage(), style).format(new Date(iso));
}

/** In lists: the year and seconds are left out, and a narrow column breaks before the time only. */
export function shortMoment(iso: string): string {
  const style = { day: "numeric", month: "short" } as const;
  const day = new Intl.DateTimeFormat(currentLanguage(), style).format(new Date(iso));
  return `${day.replaceAll(" ", "\u00a0")} ${clockTime(iso)}`;
}

/** "14:00", of the reader's day. */
export function clockTime(iso: string): string {
  const style = { timeStyle: "short", hourCycle: "h23" } as const;
  return new Intl.DateTimeFormat(currentLanguage(), style).format(new Date(iso));
}

const MINUTE = 60;
const HOUR = 3_600;
/** As many of a unit at most; beyond that the next one is used. */
const MAX_OF_UNIT = 90;

/** "in 45 seconds", "in 12 minutes": from now on. */
export function inTime(seconds: number): string {
  if (seconds <= MAX_OF_UNIT) return inUnits(seconds, "second");
  const minutes = Math.ceil(seconds / MINUTE);
  if (minutes <= MAX_OF_UNIT) return inUnits(minutes, "minute");
  return inUnits(Math.ceil(seconds / HOUR), "hour");
}

export function inUnits(value: number, unit: "second" | "minute" | "hour" | "day"): string {
  const words = new Intl.RelativeTimeFormat(currentLanguage());
  return words.format(value, unit).replace(DIGIT_AT_HAN, "$1 $2");
}

/** Chinese is written with a space there; browsers leave it out in zh-CN. */
const DIGIT_AT_HAN = /(\d)(\p{Script=Han})/u;
