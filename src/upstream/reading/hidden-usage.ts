import { fieldOf, isObject } from "./json.ts";

/** As OpenAI and most others write it, and then with blanks or at the beginning. */
const NULL_USAGE = /, ?"usage": ?null|"usage": ?null, ?/g;
/** What may become a part of that with the next bytes. */
const BEGUN = /[,{]? ?"?[usage]{0,5}"?:? ?[nul]{0,4},?$/;

/** An event, or a part of one, as it would be if nobody had asked for usage. */
export function withoutNullUsage(text: string): string {
  return text.includes('usage"') ? text.replace(NULL_USAGE, "") : text;
}

/** OpenAI's extra event has counts and no choices. */
export function isUsageEvent(event: object): boolean {
  const choices = fieldOf(event, "choices");
  return Array.isArray(choices) && choices.length === 0 && isObject(fieldOf(event, "usage"));
}

export function hasNoChoices(event: string): boolean {
  return /"choices": ?\[\]/.test(event);
}

/** Splits text where nothing is cut that is to be hidden. */
export function heldFrom(text: string): number {
  const begun = BEGUN.exec(text.slice(-24));
  return text.length - (begun?.[0].length ?? 0);
}
