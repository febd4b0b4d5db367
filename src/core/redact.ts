/** Credentials and account ids, also masked ones: OpenAI's 401 quotes the key with asterisks. */
const SECRETS =
  /\b(?:sk|pk|rk|sess|parley)-[\w*.-]{4,}|\b(?:org|proj|user)-[A-Za-z0-9]{8,}|\bBearer\s+\S+|\beyJ[\w-]{8,}[\w.-]*/gi;
const REMOVED = "[removed]";

/** Removes credentials from foreign text on its way to a client or a log. */
export function redact(text: string, key = ""): string {
  const withoutKey = key === "" ? text : text.replaceAll(key, REMOVED);
  return withoutKey.replace(SECRETS, REMOVED);
}
