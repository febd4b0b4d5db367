import { isObject, jsonIn, lettersOf, stringIn } from "./reading/json.ts";

/** Names under which services put what went wrong, by their letters, the most usual first. */
const WORDS_IN = [
  "message",
  "error",
  "detail",
  "details",
  "msg",
  "description",
  "errordescription",
  "errormessage",
  "errormsg",
  "errmsg",
  "statusmsg",
  "reason",
  "title",
  "errors",
  "fault",
  "faultstring",
  "exception",
  "innererror",
  "baseresp",
  "text",
  "data",
  "result",
];
/** Objects of a refusal have few fields; others are not looked at. */
const MAX_FIELDS = 64;
/** Names under which services put their code for it. */
const CODE_IN = ["code", "type", "status", "reason", "error_code", "__type"] as const;
/** Words are looked for in this many objects or lists within each other. */
const MAX_DEPTH = 5;
/** Mistakes of one list that are told. */
const MAX_MISTAKES = 10;
/** A code is a name; anything longer, or with other characters, may quote the question. */
const CODE = /^[\w.:/-]{1,64}$/;
/** A page is for a browser. */
const PAGE = /^\s*<[!?a-z]/i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: bytes that are no text
const BINARY = /[\u0000-\u0008\u000e-\u001f\ufffd]/;
/** The beginning of JSON that was cut. */
const CUT_WORDS = /"(?:message|error|detail|msg)"\s*:\s*("(?:[^"\\]|\\.){1,10000})/;

/** The body of a refusal, parsed if it is JSON: alone, or as the data of an event. Else its text. */
export function parseRefusal(body: string): unknown {
  const text = body.replace(/^\ufeff/, "").trim();
  const data = /^(?:event|data|id|retry)?:/.test(text) ? /^data:(.*)$/m.exec(text)?.[1] : undefined;
  const value = jsonIn(data ?? text);
  return value === undefined ? (data?.trim() ?? text) : value;
}

/** What the upstream says about a refusal, in its own words; null if it says nothing to people. */
export function wordsIn(body: unknown): string | null {
  const words = isObject(body) ? wordsOfValue(body, 0) : plainText(body);
  return words === null || words.trim() === "" ? null : words.trim();
}

function plainText(body: unknown): string | null {
  if (typeof body !== "string" || PAGE.test(body) || BINARY.test(body)) return null;
  if (!/^\s*[[{]/.test(body)) return body;
  const cut = CUT_WORDS.exec(body)?.[1];
  const whole = cut === undefined ? undefined : jsonIn(`${cut.replace(/\\[^"]{0,5}$/, "")}"`);
  return typeof whole === "string" ? whole : null;
}

function wordsOfValue(value: unknown, depth: number): string | null {
  if (typeof value === "string") return value;
  if (!isObject(value) || depth > MAX_DEPTH) return null;
  if (Array.isArray(value)) return wordsOfList(value, depth);
  const fields = new Map(
    Object.entries(value)
      .slice(0, MAX_FIELDS)
      .map(([name, one]) => [lettersOf(name), one as unknown] as const),
  );
  for (const name of WORDS_IN) {
    const words = wordsOfValue(fields.get(name), depth + 1);
    if (words !== null && words.trim() !== "") return withPlace(value, words);
  }
  // mistakes by field, as frameworks of web sites have them
  const lists = [...fields.values()].filter((one) => Array.isArray(one));
  return depth > 0 && lists.length === fields.size ? wordsOfList(lists, depth) : null;
}

/** Each mistake in a list is told; the first element says most, so it comes first. */
function wordsOfList(list: readonly unknown[], depth: number): string | null {
  const all = list.slice(0, MAX_MISTAKES).map((one) => wordsOfValue(one, depth + 1));
  const words = all.filter((one) => one !== null && one.trim() !== "");
  return words.length === 0 ? null : words.join("; ");
}

/** FastAPI names the field in `loc`, as a list. */
function withPlace(mistake: object, words: string): string {
  const place: unknown = Reflect.get(mistake, "loc");
  if (!Array.isArray(place) || place.length === 0 || place.length > 32) return words;
  return `${place.join(".")}: ${words}`;
}

/** All that may be a code for what went wrong, the most exact first. */
export function codesIn(body: unknown): string[] {
  const outer = Array.isArray(body) ? body[0] : body;
  if (!isObject(outer)) return [];
  const inner: unknown = Reflect.get(outer, "error");
  const objects = isObject(inner) ? [inner, outer] : [outer];
  const codes = objects.flatMap((one) => CODE_IN.map((name) => Reflect.get(one, name) as unknown));
  return codes.flatMap((code) => (typeof code === "string" && CODE.test(code) ? [code] : []));
}

/** The object that OpenAI's clients know, if the body has one. */
export function errorObjectIn(body: unknown): object | null {
  if (!isObject(body) || Array.isArray(body)) return null;
  const error: unknown = Reflect.get(body, "error");
  return isObject(error) && !Array.isArray(error) && Object.keys(error).length > 0 ? body : null;
}

/** `type` and `param` of a refusal in another form. */
export function fieldIn(body: unknown, name: "type" | "param"): string | null {
  const outer = Array.isArray(body) ? body[0] : body;
  if (!isObject(outer)) return null;
  const inner: unknown = Reflect.get(outer, "error");
  return (isObject(inner) ? stringIn(inner, name) : null) ?? stringIn(outer, name);
}
