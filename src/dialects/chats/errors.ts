import { z } from "zod";
import { errorCodes } from "../../core/errors.ts";
import type { ErrorDoc } from "../dialect.ts";
import { httpStatus } from "../edge/http-status.ts";
import type { ErrorForm } from "../edge/json-answer.ts";

/** `error` is for people, `code` and what else is known are for programs. */
export const chatsErrorForm: ErrorForm = {
  status: httpStatus,
  body: (error, reason) => ({ error: reason, code: error.code, ...error.facts }),
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
