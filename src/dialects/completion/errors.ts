import { httpStatus } from "../edge/http-status.ts";
import type { ErrorForm } from "../edge/json-answer.ts";

/** `text` is for people, where an answer has its text; `code` and what else is known are for programs. */
export const completionErrorForm: ErrorForm = {
  status: httpStatus,
  body: (error, reason) => ({
    text: reason,
    status: "error",
    code: error.code,
    ...error.facts,
  }),
};
