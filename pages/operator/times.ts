import { currentLanguage } from "../shared/texts.ts";

const style = {
  month: "short",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
} as const;
const withYear = { ...style, year: "numeric" } as const;

/** Local time to the second; the year only where it is another one. */
export function secondOf(iso: string): string {
  const date = new Date(iso);
  const isThisYear = date.getFullYear() === new Date().getFullYear();
  return new Intl.DateTimeFormat(currentLanguage(), isThisYear ? style : withYear).format(date);
}
