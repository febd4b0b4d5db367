import { type Finding, fault, ok, type RunCheck, skipped } from "../check.ts";
import { jsonObject } from "../public-call.ts";

/** What clients send, with values that mean nothing. */
const SENT: Readonly<Record<string, string>> = {
  "api-key": "doctor",
  "openai-token": "doctor",
  "access-token": "doctor",
  "x-api-key": "doctor",
  "idempotency-key": "doctor",
  "anthropic-version": "2023-06-01",
  "accept-language": "en",
};

/** Which headers get through, either way? */
export const checkHeaders: RunCheck = async ({ ask, admin }) => {
  const isAdmin = typeof admin !== "string";
  if (!isAdmin) {
    const { headers } = await ask("/healthz");
    return headers["x-request-id"] === undefined
      ? [fault("headers_lost_back", { names: "x-request-id" })]
      : [ok("headers_some"), skipped(admin)];
  }
  const { headers, text } = await ask("/admin/doctor/request", { headers: { ...SENT, ...admin } });
  const { headers: arrived, sent } = jsonObject(text);
  const there = missing(Object.keys(SENT), new Set(textsIn(arrived)));
  const back = missing(textsIn(sent), new Set(Object.keys(headers)));
  const findings: Finding[] = [];
  if (there !== "") findings.push(fault("headers_lost_there", { names: there }));
  if (back !== "") findings.push(fault("headers_lost_back", { names: back }));
  return findings.length > 0 ? findings : [ok("headers_ok")];
};

function missing(wanted: readonly string[], found: ReadonlySet<string>): string {
  return wanted.filter((name) => !found.has(name)).join(", ");
}

function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
