import { reasonOf } from "../../core/reason.ts";

/** Why the store does not decide. A closed list, for the log and for metrics. */
export type TroubleKind = "slow" | "lost" | "refused" | "loading" | "read-only" | "full" | "error";

export interface Trouble {
  readonly kind: TroubleKind;
  /** The store's or the system's own words, without what they quote of a command. */
  readonly words: string;
}

export const SLOW: Trouble = { kind: "slow", words: "no answer in time" };

/** How answers of the store begin, or what they hold where they come out of a script. */
const ANSWERS: readonly (readonly [RegExp, TroubleKind])[] = [
  [/^(WRONGPASS|NOAUTH|NOPERM)|ACL failure|can't run this command|can't access/, "refused"],
  [/^ERR (invalid password|AUTH |Client sent AUTH)/, "refused"],
  [/^(LOADING|MASTERDOWN)/, "loading"],
  [/^(READONLY|NOREPLICAS)|read only replica/, "read-only"],
  [/^(OOM|MISCONF)|maxmemory|disk/, "full"],
];

/** Codes of the system and of TLS that are no mistake in the settings. */
const PASSING = /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_|ENOENT|EADDR|EMFILE|ENFILE)/;

export function troubleOf(error: unknown): Trouble {
  const words = wordsOf(error);
  const found = ANSWERS.find(([pattern]) => pattern.test(words));
  if (found !== undefined) return { kind: found[1], words };
  return { kind: isAnswer(error) ? "error" : "lost", words };
}

/** What lasts and what the store says of itself, so that one such answer is enough. */
export function isState({ kind }: Trouble): boolean {
  return kind === "refused" || kind === "loading" || kind === "read-only" || kind === "full";
}

/**
 * Whether a start can't succeed until settings change: a wrong password, missing rights, a database
 * that does not exist, a certificate that is not trusted, or something that is no such store.
 */
export function isMistake(error: unknown): boolean {
  const { kind } = troubleOf(error);
  if (kind === "refused") return true;
  if (kind !== "error" && kind !== "lost") return false;
  if (isAnswer(error)) return !/^(BUSY|TRYAGAIN|CLUSTERDOWN|UNKILLABLE)/.test(wordsOf(error));
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return code !== "" && !PASSING.test(code);
}

/** The store answers errors with ReplyError; the rest is what the client says of bytes that it can't read. */
function isAnswer(error: unknown): boolean {
  return error instanceof Error && (error.name === "ReplyError" || NO_STORE.test(error.message));
}

/** An HTTP server, for one. */
const NO_STORE = /^(Unknown RESP type|Protocol error)/;

/** What the store quotes after "script:" are our own words. */
function wordsOf(error: unknown): string {
  return reasonOf(error)
    .replace(/ Please report this\.$/, "")
    .replace(/ script: [\da-f]{40}.*$/s, "")
    .slice(0, 200);
}
