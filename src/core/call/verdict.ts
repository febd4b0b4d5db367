import type { ErrorCode, ProxyError } from "../errors.ts";

/** What a failure says of the place that was asked. */
export type Verdict =
  /** Another target may answer; this one is not to blame, or its key or model is. */
  | "elsewhere"
  /** The same, and its breaker hears of it. */
  | "broken"
  /** Nothing was sent: this target can't be asked that, another may be. */
  | "unsent"
  /** The request is refused everywhere. */
  | "final";

const BROKEN: ReadonlySet<ErrorCode> = new Set([
  "upstream_unreachable",
  "upstream_timeout",
  "upstream_bad_answer",
]);

/** There is no key for it, or its service knows nothing like what is asked. */
const UNSENT: ReadonlySet<ErrorCode> = new Set([
  "key_missing",
  "endpoint_unavailable",
  "endpoint_not_available",
  "field_unsupported",
]);

const ELSEWHERE: ReadonlySet<ErrorCode> = new Set([
  "upstream_rate_limited",
  "key_rejected",
  "key_exhausted",
]);

/** `model`: as it was named there. A caller's own key is refused for good. */
export function verdictOn(error: ProxyError, model: string, isOwnKey: boolean): Verdict {
  const { code } = error;
  if (BROKEN.has(code)) return "broken";
  if (code === "upstream_failed") return isServersOwn(error) ? "broken" : "elsewhere";
  if (UNSENT.has(code)) return "unsent";
  if (code === "key_rejected" && isOwnKey) return "final";
  if (ELSEWHERE.has(code)) return "elsewhere";
  return code === "upstream_refused" && lacksModel(error, model) ? "elsewhere" : "final";
}

/** Of the 5xx, or a break before the answer. Redirects and logins of proxies come with other statuses. */
function isServersOwn({ details }: ProxyError): boolean {
  const status = details.upstream_status;
  return typeof status !== "number" || status >= 500;
}

/** A 404 may also be about a stored answer, or a path. */
function lacksModel({ answered, params }: ProxyError, model: string): boolean {
  if (answered?.status !== 404) return false;
  const isNamed = model !== "" && String(params.reason ?? "").includes(model);
  return isNamed || answered.isModel === true;
}
