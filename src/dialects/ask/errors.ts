import { z } from "zod";
import { errorCodes } from "../../core/errors.ts";
import type { ErrorDoc } from "../../http/dialect.ts";
import { httpStatus } from "../../http/reply/http-status.ts";
import type { ErrorForm } from "../../http/reply/json-response.ts";

/** `response` is for people, `detail` is the code, and what else is known is for programs. */
export const askErrorForm: ErrorForm = {
  status: httpStatus,
  body: (error, reason) => ({ response: reason, detail: error.code, ...error.details }),
};

/** For /openapi.json. */
export const askErrors: ErrorDoc = {
  status: httpStatus,
  schema: z.looseObject({
    response: z.string().describe("What went wrong, in the language of the request"),
    detail: z.enum(errorCodes),
    field: z.string().optional(),
  }),
};
