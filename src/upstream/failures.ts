import { ProxyError } from "../core/errors.ts";
import type { AskOptions } from "../core/ports.ts";
import type { RefusalOf } from "./errors.ts";
import { statusOfFailure } from "./reading/failure.ts";

/** An error that an answer, or an event, is: what it says, and its text. */
export interface Failure {
  readonly error: object | string;
  readonly text: string;
}

/** Reads failures of a call with that key. */
export interface Failures {
  /** The error as it would have been with its own status, instead of a good answer's. */
  early(failure: Failure): ProxyError;
  /** The same after a part of the answer has passed: the words follow it, because no status can. */
  late(failure: Failure): ProxyError;
}

export function createFailures(refusalOf: RefusalOf, ask: Pick<AskOptions, "key">): Failures {
  const early = ({ error, text }: Failure) =>
    refusalOf({ status: statusOfFailure(error), body: text }, ask);
  return {
    early,
    late(failure) {
      const error = early(failure);
      // only what is about the request is told in full
      const { refusal } = refusalOf({ status: 400, body: failure.text }, ask);
      const { code, params, details, retryAfterMs, answered, cause } = error;
      return new ProxyError(code, { params, details, retryAfterMs, answered, cause, refusal });
    },
  };
}
