import type { ErrorCode } from "../../core/errors.ts";
import type { Translate } from "../../locales.ts";
import { httpStatus } from "../edge/http-status.ts";
import type { ErrorForm } from "../edge/json-answer.ts";

/** The seed's table: a missing key is a missing parameter here, not a failed login. */
export const envelopeStatus = {
  ...httpStatus,
  key_missing: 400,
} as const satisfies Record<ErrorCode, number>;

/** `{code, msg, data}` of a failure; `facts` are for programs, `response` is for people. */
export function envelopeErrorForm(translate: Translate): ErrorForm {
  return {
    status: envelopeStatus,
    body: (error, reason, { language }) => ({
      code: envelopeStatus[error.code],
      msg: translate(language, "failed"),
      data: { response: reason, error: error.code, ...error.facts },
    }),
  };
}
