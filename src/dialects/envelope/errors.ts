import { z } from "zod";
import { type ErrorCode, errorCodes } from "../../core/errors.ts";
import type { ErrorDoc } from "../../http/dialect.ts";
import { httpStatus, statusOf } from "../../http/reply/http-status.ts";
import type { ErrorForm } from "../../http/reply/json-response.ts";
import type { Translate } from "../../locales.ts";

/** As in the earlier API, a missing key is a missing parameter here, not a failed login. */
export const envelopeStatus = {
  ...httpStatus,
  key_missing: 400,
} as const satisfies Record<ErrorCode, number>;

/** `{code, msg, data}`; `response` is for people, the rest of `data` for programs. */
export function envelopeErrorForm(translate: Translate): ErrorForm {
  return {
    status: envelopeStatus,
    body: (error, reason, { language }) => ({
      code: statusOf(error, envelopeStatus),
      msg: translate(language, "failed"),
      data: { response: reason, error: error.code, ...error.details },
    }),
  };
}

/** The same in /openapi.json. */
export const envelopeErrors: ErrorDoc = {
  status: envelopeStatus,
  schema: z.object({
    code: z.int().describe("The HTTP status"),
    msg: z.string(),
    data: z.looseObject({
      response: z.string().describe("What went wrong, in the language of the request"),
      error: z.enum(errorCodes),
      field: z.string().optional(),
    }),
  }),
};
