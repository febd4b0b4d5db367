import type { IncomingHttpHeaders } from "node:http";
import { type ErrorCode, ProxyError } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import type { Redact } from "../core/redact.ts";
import type { AskOptions } from "../core/upstream-ports.ts";
import { fieldOf, isObject, stringIn } from "./reading/json.ts";
import { kindOfRefusal, type RefusalKind } from "./refusal-kinds.ts";
import { codesIn, errorObjectIn, fieldIn, parseRefusal, wordsIn } from "./refusal-words.ts";
import { type Waits, waitMs } from "./waits.ts";

/** Longest part of an upstream's own words that is passed on in a sentence, and in OpenAI's form. */
const MAX_REASON_CHARACTERS = 500;
const MAX_MESSAGE_CHARACTERS = 10_000;
/** Deeper JSON is cut: nobody writes it, and functions that call themselves have a limit. */
const MAX_DEPTH = 32;

/** Whose key it was is decided where it was chosen. */
const CODES: Readonly<Record<RefusalKind, ErrorCode>> = {
  request: "upstream_refused",
  key: "key_rejected",
  account: "key_exhausted",
  rate: "upstream_rate_limited",
  timeout: "upstream_timeout",
  upstream: "upstream_failed",
};

/** The wait if the upstream gives none: a rate limit passes soon, an unpaid bill does not. */
const USUAL_WAIT_MS: Partial<Record<RefusalKind, number>> = { rate: 10_000, account: 600_000 };

/** undici's names for an answer that is no HTTP, or whose head has no end. */
const NO_HTTP: ReadonlySet<string> = new Set([
  "HTTPParserError",
  "HeadersOverflowError",
  "ResponseContentLengthMismatchError",
]);

/** A connection that failed: before the response it is unreachable, after that it broke. */
export function fromTransportFailure(error: Error, started: boolean): ProxyError {
  if (error instanceof ProxyError) return error;
  if (started) return new ProxyError("upstream_failed", { cause: error });
  const code = NO_HTTP.has(error.name) ? "upstream_bad_answer" : "upstream_unreachable";
  return new ProxyError(code, { cause: error });
}

/** An answer that is an error: outside 2xx, or inside one with the status that it names. */
export interface Refused {
  readonly status: number;
  readonly headers?: IncomingHttpHeaders;
  /** Parsed, or as text in any form. */
  readonly body: unknown;
}

/** Reads a refusal of a call with that key. The only place that decides what it means. */
export type RefusalOf = (refused: Refused, ask: Pick<AskOptions, "key">) => ProxyError;

export function createRefusalOf(redact: Redact, clock: Pick<Clock, "wallMs">): RefusalOf {
  return function refusalOf({ status, headers = {}, body: given }, { key }) {
    const body = typeof given === "string" ? parseRefusal(given) : given;
    const words = wordsIn(body);
    const codes = codesIn(body);
    const kind = kindOfRefusal(status, codes, words);
    const clean = (text: string) => redact(text, [key]);
    const wait = { headers, words, body, isLimit: kind === "rate", nowMs: clock.wallMs() };
    return new ProxyError(CODES[kind], {
      retryAfterMs: waitAfter(kind, status, wait),
      details: { upstream_status: status },
      answered: {
        status,
        code: codes.map(clean).find(isCode) ?? null,
        ...(status === 404 && codes.some(isOfModel) && { isModel: true }),
      },
      cause: `upstream answered ${status}`,
      ...(isTold(kind) && told({ status, kind, words, body, codes, clean })),
    });
  };
}

function waitAfter(kind: RefusalKind, status: number, waits: Waits): number | undefined {
  const mayWait = kind === "rate" || kind === "account" || status === 503;
  return (mayWait ? waitMs(waits) : undefined) ?? USUAL_WAIT_MS[kind];
}

/** The upstream's words are passed on where they are about the request, or the account that pays. */
function isTold(kind: RefusalKind): boolean {
  return kind === "request" || kind === "account";
}

interface Shown {
  readonly status: number;
  readonly kind: RefusalKind;
  readonly words: string | null;
  readonly body: unknown;
  readonly codes: readonly string[];
  readonly clean: (text: string) => string;
}

function told(shown: Shown) {
  const said = shown.words === null ? null : shown.clean(shown.words);
  const reason = (said ?? String(shown.status)).slice(0, MAX_REASON_CHARACTERS);
  return { params: { reason }, refusal: refusalIn(shown, said) };
}

/** For OpenAI's clients: an error object as it is, other words in the form of one. */
function refusalIn({ status, kind, body, codes, clean }: Shown, said: string | null) {
  const refusal = { status, mayRetry: status !== 429 || kind !== "request" };
  const own = kind === "request" ? errorObjectIn(body) : null;
  if (own !== null) {
    return { ...refusal, body: JSON.stringify(cleanValue(inOpenAIForm(own), clean, 0)) };
  }
  if (said === null) return { ...refusal, body: null };
  const message = said.slice(0, MAX_MESSAGE_CHARACTERS);
  const error =
    kind === "account"
      ? { message, type: "insufficient_quota", param: null, code: "insufficient_quota" }
      : {
          message,
          type: clean(fieldIn(body, "type") ?? "invalid_request_error"),
          param: cleanOrNull(fieldIn(body, "param"), clean),
          code: cleanOrNull(codes[0] ?? null, clean),
        };
  return { ...refusal, body: JSON.stringify({ error }) };
}

/** What Anthropic says in words, OpenAI has a code for, by which clients shorten a conversation. */
const TOO_LONG = /^(?:prompt|input) is too long|exceed context limit/i;

/** Anthropic's errors have a type of their own around the one that both have. */
function inOpenAIForm(own: object): object {
  if (stringIn(own, "type") !== "error") return own;
  const inner = fieldOf(own, "error");
  const isTooLong = TOO_LONG.test(stringIn(inner, "message") ?? "");
  const code = isTooLong ? "context_length_exceeded" : null;
  return { error: { param: null, code, ...(isObject(inner) && inner) } };
}

function cleanOrNull(text: string | null, clean: (text: string) => string): string | null {
  return text === null ? null : clean(text);
}

/** Every text of it, names too. */
function cleanValue(value: unknown, clean: (text: string) => string, depth: number): unknown {
  if (typeof value === "string") return clean(value);
  if (typeof value === "number") return cleanNumber(value, clean);
  if (!isObject(value)) return value;
  if (depth >= MAX_DEPTH) return null;
  if (Array.isArray(value)) return value.map((one) => cleanValue(one, clean, depth + 1));
  const entries = Object.entries(value).map(([name, one]) => [
    clean(name),
    cleanValue(one, clean, depth + 1),
  ]);
  return Object.fromEntries(entries);
}

/** A key may consist of digits. */
function cleanNumber(value: number, clean: (text: string) => string): unknown {
  const text = String(value);
  const shown = clean(text);
  return shown === text ? value : shown;
}

/** `model_not_found`, `DeploymentNotFound` and the like, as its code or its type. */
function isOfModel(code: string): boolean {
  return /model|deployment/i.test(code);
}

/** Nothing that was taken out. */
function isCode(text: string): boolean {
  return !text.includes("[");
}
