import { z } from "zod";
import { errorCodes } from "../../core/errors.ts";
import type { ErrorDoc } from "../../http/dialect.ts";
import { httpStatus } from "../../http/reply/http-status.ts";
import type { ErrorForm } from "../../http/reply/json-response.ts";

/** `error` is for people, `code` and what else is known are for programs. */
export const chatsErrorForm: ErrorForm = {
  status: httpStatus,
  body: (error, reason) => ({ error: reason, code: error.code, ...error.details }),
};

/** For /openapi.json. */
export const chatsErrors: ErrorDoc = {
  status: httpStatus,
  schema: z.looseObject({
    error: z.string().describe("What went wrong, in the language of the request"),
    code: z.enum(errorCodes),
    field: z.string().optional(),
  }),
};
