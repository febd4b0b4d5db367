import type { ErrorCode, ProxyError } from "../../core/errors.ts";
import type { Translate } from "../../locales.ts";
import type { AppContext, RequestContext } from "../call/request-context.ts";
import { answer, responseHeaders, retryHeaders } from "./response-headers.ts";
import { sendWhole } from "./send-whole.ts";

const JSON_TYPE = "application/json; charset=utf-8";

export function respondJson(c: AppContext, status: number, value: unknown): Response {
  const { outgoing, context } = c.env;
  return sendWhole(outgoing, status, responseHeaders(context, JSON_TYPE), JSON.stringify(value));
}

/** How a dialect whose errors are JSON says what went wrong. */
export interface ErrorForm {
  readonly status: Readonly<Record<ErrorCode, number>>;
  /** `reason` is for people, in their language. */
  body(error: ProxyError, reason: string, context: RequestContext): unknown;
}

/** The text of a failure in a dialect's form: a body, or an event of a stream that broke. */
export type DescribeFailure = (context: RequestContext, error: ProxyError) => string;

export function createDescribeFailure(translate: Translate, form: ErrorForm): DescribeFailure {
  return (context, error) => {
    const params = { ...error.params, requestId: context.requestId };
    const reason = translate(context.language, `error.${error.code}`, params);
    return JSON.stringify(form.body(error, reason, context));
  };
}

export function createJsonErrors(translate: Translate, form: ErrorForm) {
  const describe = createDescribeFailure(translate, form);
  return function writeError(c: AppContext, error: ProxyError): Response {
    const context = c.env.context;
    const headers = responseHeaders(context, JSON_TYPE);
    if (error.retryAfterMs !== undefined) Object.assign(headers, retryHeaders(error.retryAfterMs));
    if (error.code === "method_not_allowed") headers.allow = String(error.details.allow);
    if (error.code === "upgrade_needed") headers.upgrade = "websocket";
    return answer(form.status[error.code], describe(context, error), headers);
  };
}
