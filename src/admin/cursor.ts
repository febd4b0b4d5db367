import { z } from "zod";
import { field, type ParsedField, wrongType } from "./fields.ts";

/** A name of 200 characters, each of four bytes, and what is around it. */
const MAX_CURSOR_CHARACTERS = 2_000;

/** Where a page ended, as a text that clients pass back unread. */
export function cursorText(place: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

/** `place` is what `cursorText` was given. */
export function cursor<S extends z.ZodType>(place: S) {
  const shown = {
    type: "string",
    maxLength: MAX_CURSOR_CHARACTERS,
    description: "`next_cursor` of the page before",
  };
  return field(shown, (given): ParsedField<z.output<S>> => {
    const value = placeIn(place, given);
    return value === null ? wrongType("cursor") : { value };
  });
}

/** Null for anything else. */
export function placeIn<S extends z.ZodType>(place: S, given: unknown): z.output<S> | null {
  if (typeof given !== "string" || given.length > MAX_CURSOR_CHARACTERS) return null;
  try {
    const parsed = place.safeParse(JSON.parse(Buffer.from(given, "base64url").toString()));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** A text of a place, as both databases keep it. */
export const placeText = z.string().refine((text) => text.isWellFormed() && !text.includes("\0"));
