import { lettersOf } from "./reading/json.ts";

/** What a refusal is about: the request itself, or who asks and when. */
export type RefusalKind = "request" | "key" | "account" | "rate" | "upstream" | "timeout";

/** Statuses below 500 that don't speak of the request; 402 and 429 may, see below. */
const KINDS: Readonly<Record<number, RefusalKind>> = {
  401: "key",
  402: "account",
  // a proxy on the way wants a login
  407: "upstream",
  408: "timeout",
  429: "rate",
  499: "upstream",
};

/** An account that has no more money, by the letters of the `code` or `type` of a 429. */
const ACCOUNT_IS_EMPTY: ReadonlySet<string> = new Set([
  "insufficientquota",
  "insufficientuserquota",
  "billingnotactive",
  "billinghardlimitreached",
  "billingerror",
  "exceededcurrentquotaerror",
  "insufficientbalance",
  "insufficientcredit",
  "insufficientcredits",
  "insufficientfunds",
  "creditsexhausted",
  "paymentrequired",
  "arrearage",
]);

/** A 402 or 429 with such words is about the size of one request: a smaller one passes with the same key. */
const ABOUT_SIZE: readonly RegExp[] = [
  /request (?:is )?too large/i,
  /must be reduced/i,
  /reduce (?:the |your )?(?:length|size|prompt|input|message|max_tokens|number of)/i,
  /(?:fewer|lower|smaller|reduce|decrease) `?max_(?:completion_|output_)?tokens/i,
  /can only afford/i,
  /prompt tokens limit exceeded/i,
  /(?:prompt|input|message|request|context) is too (?:long|large)/i,
  /(?:maximum|max) (?:context|prompt|input) (?:length|size|window)/i,
  /context[ _](?:length|window)[ _]exceeded/i,
  /max_(?:completion_|output_)?tokens`? (?:is|are) too (?:large|high|many)/i,
  /token count [^.]{0,20}exceeds the maximum/i,
  /tokens per request/i,
  /shorten (?:the |your )?(?:prompt|input|messages?|request)/i,
  /(?:shorter|smaller) (?:prompt|input|messages?|request|context)/i,
];
/** Anthropic's account without money has the status of a mistake. */
const CREDIT_IS_LOW = /credit balance is too low/i;
/** A smaller request would pass, and so would this one with another key, or later. */
const OR_LATER = /\bor (?:try again|retry|wait)\b/i;

/** 401 is about the key, 403 about the request; 402 and 429 are about the key unless they speak of size. */
export function kindOfRefusal(
  status: number,
  codes: readonly string[],
  words: string | null,
): RefusalKind {
  if (status < 400 || status >= 500) return "upstream";
  if (status === 400 && words !== null && CREDIT_IS_LOW.test(words)) return "account";
  const kind = KINDS[status] ?? "request";
  if (kind !== "account" && kind !== "rate") return kind;
  if (words !== null && isAboutSize(words)) return "request";
  return codes.some((code) => ACCOUNT_IS_EMPTY.has(lettersOf(code))) ? "account" : kind;
}

function isAboutSize(words: string): boolean {
  return ABOUT_SIZE.some((pattern) => pattern.test(words)) && !OR_LATER.test(words);
}
