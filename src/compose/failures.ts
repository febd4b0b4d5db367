import type { ConfigProblem } from "../config/read.ts";
import type { Config } from "../config/settings.ts";
import type { Clock } from "../core/ports.ts";
import { reasonOf } from "../core/reason.ts";
import { describeError, type Log, type LogFields } from "../log.ts";
import { FileAccessError } from "../storage/driver/access.ts";
import { type StorageProblem, storageProblem } from "../storage/driver/storage-errors.ts";

/** What the log says about an error. A database's has its cause in words and the driver's own code. */
export function describeFailure(error: unknown): LogFields {
  const problem = storageProblem(error);
  return problem === null ? describeError(error) : describeProblem(problem);
}

export function describeProblem({ cause, words, code, errcode }: StorageProblem): LogFields {
  return { cause, reason: words, driver_code: code ?? undefined, errcode: errcode ?? undefined };
}

/** A start that can't succeed until a setting is changed. */
export class SettingMistake extends Error {
  override readonly name = "SettingMistake";
  readonly problems: readonly ConfigProblem[];

  constructor(...problems: readonly ConfigProblem[]) {
    super("a setting is wrong");
    this.problems = problems;
  }
}

/** Why the process can't start: in one line, with the words of whoever refuses, but no password. */
export function describeStart(error: unknown, config: Config): LogFields {
  const text = withoutPassword(reasonOf(error), config);
  if (error instanceof FileAccessError) {
    const { file, owner, user } = error;
    return { error: text, file, owner, user, ...describeFailure(error.cause) };
  }
  if (storageProblem(error) !== null) return { error: text, ...describeFailure(error) };
  return { error: text, ...unlessForeseen(error) };
}

/** The same for a port: the codes of the system mean nothing about the database here. */
export function describeListen(error: unknown): LogFields {
  return { error: reasonOf(error), ...unlessForeseen(error) };
}

/** A mistake of ours needs the stack. */
function unlessForeseen(error: unknown): LogFields {
  const isForeseen = error instanceof Error && (error.name === "Error" || "code" in error);
  const described = describeError(error);
  return isForeseen ? { code: described.code } : described;
}

function withoutPassword(text: string, { DATABASE_URL, DATABASE_PASSWORD }: Config): string {
  const inUrl = DATABASE_URL === null ? "" : new URL(DATABASE_URL).password;
  const passwords = [DATABASE_PASSWORD, inUrl, decodeURIComponent(inUrl)].filter(
    (one) => one !== "",
  );
  return passwords.reduce((shown, password) => shown.replaceAll(password, "***"), text);
}

/** Calls refused for one cause may be thousands a second. */
const EVERY_MS = 1_000;

/** Logs why calls are refused for the database: at most once a second, with their number since then. */
export function createStorageAlarm(log: Log, clock: Pick<Clock, "monotonicMs">) {
  let calls = 0;
  let loggedMs = Number.NEGATIVE_INFINITY;
  return (error: unknown): void => {
    calls += 1;
    const nowMs = clock.monotonicMs();
    if (nowMs - loggedMs < EVERY_MS) return;
    log.error("calls refused", { calls, ...describeFailure(error) });
    loggedMs = nowMs;
    calls = 0;
  };
}
