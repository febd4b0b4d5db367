import type { ErrorCode, ProxyError } from "../../core/errors.ts";
import type { Translate } from "../../locales.ts";
import { answer, answerHeaders, retryHeaders } from "./response-headers.ts";
import type { AppContext, RequestFacts } from "../call/request-context.ts";
import { sendWhole } from "./send-whole.ts";

const JSON_TYPE = "application/json; charset=utf-8";

export function answerJson(c: AppContext, status: number, value: unknown): Response {
  const { outgoing, facts } = c.env;
  return sendWhole(outgoing, status, answerHeaders(facts, JSON_TYPE), JSON.stringify(value));
}

/** How a dialect whose errors are JSON says what went wrong. */
export interface ErrorForm {
  readonly status: Readonly<Record<ErrorCode, number>>;
  /** `reason` is for people, in their language. */
  body(error: ProxyError, reason: string, facts: RequestFacts): unknown;
}

/** The text of a failure in a dialect's form: a body, or an event of a stream that broke. */
export type DescribeFailure = (facts: RequestFacts, error: ProxyError) => string;

export function createDescribeFailure(translate: Translate, form: ErrorForm): DescribeFailure {
  return (facts, error) => {
    const params = { ...error.params, requestId: facts.requestId };
    const reason = translate(facts.language, `error.${error.code}`, params);
    return JSON.stringify(form.body(error, reason, facts));
  };
}

export function createJsonErrors(translate: Translate, form: ErrorForm) {
  const describe = createDescribeFailure(translate, form);
  return function writeError(c: AppContext, error: ProxyError): Response {
    const facts = c.env.facts;
    const headers = answerHeaders(facts, JSON_TYPE);
    if (error.retryAfterMs !== undefined) Object.assign(headers, retryHeaders(error.retryAfterMs));
    if (error.code === "method_not_allowed") headers.allow = String(error.facts.allow);
    if (error.code === "upgrade_needed") headers.upgrade = "websocket";
    return answer(form.status[error.code], describe(facts, error), headers);
  };
}
