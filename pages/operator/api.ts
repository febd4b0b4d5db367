import { currentLanguage, t } from "../shared/texts.ts";
import { noteServerTime } from "./server-clock.ts";

/** Why the operator's API did not do it, in words of the page's language. */
export class Denied extends Error {
  /** 0: it was not reached. */
  readonly status: number;
  /** What was wrong in the body, as the API names it; null: nothing of it. */
  readonly field: string | null;
  /** Seconds until it may be tried again; null: it was not said. */
  readonly wait: number | null;
  constructor(status: number, words: string, field: string | null, wait: number | null = null) {
    super(words);
    this.status = status;
    this.field = field;
    this.wait = wait;
  }
}

/** A long list of prices takes a while on a slow line. */
const MAX_MS = 120_000;

type Method = "GET" | "POST" | "PATCH" | "PUT" | "DELETE";

let onSignedOut: () => void = () => undefined;

/** Called whenever the API says that nobody is signed in. */
export function whenSignedOut(act: () => void): void {
  onSignedOut = act;
}

/**
 * Asks /admin as whoever is signed in: `ask("GET", "tokens?limit=50")`. A file is sent as it is.
 * Throws Denied.
 */
export async function ask<T>(
  method: Method,
  path: string,
  body?: object,
  signal?: AbortSignal,
): Promise<T> {
  const response = await fetch(`admin/${path}`, {
    method,
    headers: {
      accept: "application/json",
      "accept-language": currentLanguage(),
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: body instanceof Blob ? body : JSON.stringify(body) }),
    signal: AbortSignal.any([
      AbortSignal.timeout(MAX_MS),
      ...(signal === undefined ? [] : [signal]),
    ]),
  }).catch(() => {
    throw new Denied(0, t("offline"), null);
  });
  noteServerTime(response.headers);
  const answer = await response.json().catch(() => null);
  if (response.ok && answer !== null) return answer;
  const { message, field = null } = answer?.error ?? {};
  if (response.status === 401) onSignedOut();
  const wait = Number.parseInt(response.headers.get("retry-after") ?? "", 10);
  throw new Denied(
    response.status,
    message ?? t("failed", { status: response.status }),
    field,
    Number.isNaN(wait) ? null : wait,
  );
}
