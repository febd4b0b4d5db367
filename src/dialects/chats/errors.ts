import { z } from "zod";
import { errorCodes } from "../../core/errors.ts";
import type { ErrorDoc } from "../../http/dialect.ts";
import { httpStatus } from "../../http/reply/http-status.ts";
import type { ErrorForm } from "../../http/reply/json-response.ts";

/** `error` is for people; `code` and the details are for programs. */
export const chatsErrors: ErrorForm & ErrorDoc = {
  status: httpStatus,
  body: ({ code, details }, reason) => ({ error: reason, code, ...details }),
  schema: z.looseObject({
    error: z.string().describe("What went wrong, in the language of the request"),
    code: z.enum(errorCodes),
    field: z.string().optional(),
  }),
};
