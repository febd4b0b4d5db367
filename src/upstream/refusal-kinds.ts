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

/** An account that has no more money, by the `code` or `type` of a 429. */
const ACCOUNT_IS_EMPTY: ReadonlySet<string> = new Set([
  "insufficient_quota",
  "billing_not_active",
  "billing_hard_limit_reached",
  "billing_error",
  "exceeded_current_quota_error",
  "insufficient_balance",
  "insufficient_credits",
  "insufficient_funds",
  "credits_exhausted",
  "payment_required",
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
];

/** 401 is about the key, 403 about the request; 402 and 429 are about the key unless they speak of size. */
export function kindOfRefusal(
  status: number,
  codes: readonly string[],
  words: string | null,
): RefusalKind {
  if (status < 400 || status >= 500) return "upstream";
  const kind = KINDS[status] ?? "request";
  if (kind !== "account" && kind !== "rate") return kind;
  if (words !== null && ABOUT_SIZE.some((pattern) => pattern.test(words))) return "request";
  return codes.some((code) => ACCOUNT_IS_EMPTY.has(code)) ? "account" : kind;
}
