import type { CleanName } from "../core/clean-name.ts";
import { ProxyError } from "../core/errors.ts";
import type { Redact } from "../core/redact.ts";
import type { AskOptions } from "../core/upstream-ports.ts";
import type { RefusalOf } from "./errors.ts";
import type { Clean } from "./reading/blame.ts";
import { type Failure, statusOfFailure } from "./reading/failure.ts";

/** Reads failures of a call with that key. */
export interface Failures {
  /** The error as it would have been with its own status, instead of a good answer's. */
  early(failure: Failure): ProxyError;
  /** The same after a part of the answer has passed: the words follow it, because no status can. */
  late(failure: Failure): ProxyError;
  /** For words about errors that pass as a part of an answer. */
  readonly clean: Clean;
  /** For names that are kept and shown: of models, answers and their ends. */
  cleanName(name: string): string;
}

export interface FailureOptions {
  readonly refusalOf: RefusalOf;
  readonly redact: Redact;
  readonly cleanName: CleanName;
}

export function createFailures(
  { refusalOf, redact, cleanName }: FailureOptions,
  ask: Pick<AskOptions, "key">,
): Failures {
  const early = ({ error, text }: Failure) =>
    refusalOf({ status: statusOfFailure(error), body: text }, ask);
  return {
    early,
    clean: (text) => redact(text, [ask.key]),
    cleanName: (name) => cleanName(name, ask.key),
    late(failure) {
      const error = early(failure);
      // only what is about the request is told in full
      const { refusal } = refusalOf({ status: 400, body: failure.text }, ask);
      const { code, params, details, retryAfterMs, answered, cause } = error;
      return new ProxyError(code, { params, details, retryAfterMs, answered, cause, refusal });
    },
  };
}
