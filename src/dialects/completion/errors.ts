import { z } from "zod";
import { errorCodes } from "../../core/errors.ts";
import type { ErrorDoc } from "../../http/dialect.ts";
import { httpStatus } from "../../http/reply/http-status.ts";
import type { ErrorForm } from "../../http/reply/json-response.ts";

/** `text` is for people, where an answer has its text; `code` and what else is known are for programs. */
export const completionErrorForm: ErrorForm = {
  status: httpStatus,
  body: (error, reason) => ({
    text: reason,
    status: "error",
    code: error.code,
    ...error.details,
  }),
};

/** For /openapi.json. */
export const completionErrors: ErrorDoc = {
  status: httpStatus,
  schema: z.looseObject({
    text: z.string().describe("What went wrong, in the language of the request"),
    status: z.literal("error"),
    code: z.enum(errorCodes),
    field: z.string().optional(),
  }),
};
