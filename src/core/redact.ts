/**
 * Whatever looks like a credential or names an account, masked or not: OpenAI's own 401 text quotes
 * the key with asterisks in its middle.
 */
const SECRETS =
  /\b(?:sk|pk|rk|sess|parley)-[\w*.-]{4,}|\b(?:org|proj|user)-[A-Za-z0-9]{8,}|\bBearer\s+\S+|\beyJ[\w-]{8,}[\w.-]*/gi;
const REMOVED = "[removed]";

/** Text of foreign origin on its way to a client or a log, with credentials taken out. */
export function redact(text: string, key = ""): string {
  const withoutKey = key === "" ? text : text.replaceAll(key, REMOVED);
  return withoutKey.replace(SECRETS, REMOVED);
}
