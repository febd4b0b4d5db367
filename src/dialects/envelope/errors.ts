import type { ErrorCode, ProxyError } from "../../core/errors.ts";
import { httpStatus } from "../edge/http-status.ts";

/** The seed's table: a missing key is a missing parameter here, not a failed login. */
export const envelopeStatus = {
  ...httpStatus,
  key_missing: 400,
} as const satisfies Record<ErrorCode, number>;

/** `{code, msg, data}` of a failure; `facts` are for programs, `response` is for people. */
export function writeFailure(
  error: ProxyError,
  failed: string,
  reason: string,
): Record<string, unknown> {
  const code = envelopeStatus[error.code];
  return { code, msg: failed, data: { response: reason, error: error.code, ...error.facts } };
}
