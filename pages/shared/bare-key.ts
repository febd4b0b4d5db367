/** A key or token at the end of what was copied: `TOKEN=…`, `Authorization: Bearer …`, or in quotes. */
const KEY = /(?:^|[^\w-])((?:parley|sk)-[\w-]+)[^\w-]*$/;
/** Marks that nobody sees, and line breaks. */
const UNSEEN = /[\p{Cc}\p{Cf}]/gu;
/** A header can't carry these: `fetch` would fail as if the server were away. */
const UNSENT = /[^\x20-\x7e]/gu;

/** The key in what a reader has pasted. What can't be in one becomes `?`, so that the server refuses it. */
export function bareKey(given: string): string {
  const seen = given.replaceAll(UNSEEN, "").trim();
  const [, key = seen] = KEY.exec(seen) ?? [];
  return key.replaceAll(UNSENT, "?");
}
