import { httpStatus } from "../edge/http-status.ts";
import type { ErrorForm } from "../edge/json-answer.ts";

/** `error` is for people, `code` and what else is known are for programs. */
export const chatsErrorForm: ErrorForm = {
  status: httpStatus,
  body: (error, reason) => ({ error: reason, code: error.code, ...error.facts }),
};
