import { httpStatus } from "../edge/http-status.ts";
import type { ErrorForm } from "../edge/json-answer.ts";

/** `response` is for people, `detail` is the code, and what else is known is for programs. */
export const askErrorForm: ErrorForm = {
  status: httpStatus,
  body: (error, reason) => ({ response: reason, detail: error.code, ...error.facts }),
};
