import { APIError } from "openai/core/error";
import { ProxyError } from "../core/errors.ts";
import { redact } from "../core/redact.ts";
import { fromApiError } from "./errors.ts";
import { statusOfFailure } from "./reading/failure.ts";
import { isObject, jsonIn } from "./reading/json.ts";

/** An error that an answer, or an event, is: what it says, and its text. */
export interface Failure {
  readonly error: object | string;
  readonly text: string;
}

/** The error as it would have been with its own status, instead of a good answer's. */
export function failureOf({ error, text }: Failure, key: string): ProxyError {
  const json = jsonIn(text);
  const headers = { get: () => null } as unknown as Headers;
  const api = APIError.generate(
    statusOfFailure(error),
    isObject(json) ? json : undefined,
    undefined,
    headers,
  );
  return fromApiError(api, key);
}

/** The same after a part of the answer has passed: the words follow it, because no status can. */
export function lateFailureOf(failure: Failure, key: string): ProxyError {
  const error = failureOf(failure, key);
  if (error.refusal !== undefined) return error;
  const { code, params, details, retryAfterMs, cause } = error;
  const refusal = { status: statusOfFailure(failure.error), body: redact(failure.text, key) };
  return new ProxyError(code, { params, details, retryAfterMs, cause, refusal });
}
