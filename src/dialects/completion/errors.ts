import { z } from "zod";
import { errorCodes } from "../../core/errors.ts";
import type { ErrorDoc } from "../../http/dialect.ts";
import { httpStatus } from "../../http/reply/http-status.ts";
import type { ErrorForm } from "../../http/reply/json-response.ts";

/** `text` is for people; `code` and the details are for programs. */
export const completionErrors: ErrorForm & ErrorDoc = {
  status: httpStatus,
  keyField: "openai-token",
  body: ({ code, details }, reason) => ({ text: reason, status: "error", code, ...details }),
  schema: z.looseObject({
    text: z.string().describe("What went wrong, in the language of the request"),
    status: z.literal("error"),
    code: z.enum(errorCodes),
    field: z.string().optional(),
  }),
};
