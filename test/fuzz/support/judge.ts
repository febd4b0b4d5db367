/** What is wrong with an answer to a request that nobody would send. */
import { createCheck } from "../../dialects/docs/schemas.ts";
import { readOpenAPI } from "../../dialects/docs/support.ts";
import type { RawReply } from "./keep-alive.ts";
import type { FuzzedRequest } from "./requests.ts";

export type Judge = (sent: FuzzedRequest, reply: RawReply | null) => string | null;

/** `secrets`: what no answer may hold. The forms of failures are those of /openapi.json. */
export async function createJudge(origin: string, secrets: readonly string[]): Promise<Judge> {
  const document = await readOpenAPI(origin);
  const check = createCheck(document);
  const components = Reflect.get(document, "components");
  const forms = Object.keys(Object(Reflect.get(Object(components), "schemas")));
  const isFailure = (json: unknown) =>
    forms.some((name) => check(["components", "schemas", name], json) === null);

  const faultOfJson = (status: number, text: string): string | null => {
    try {
      return isFailure(JSON.parse(text)) ? null : `${status} has no form of ours: ${text}`;
    } catch {
      return `${status} is not JSON: ${text.slice(0, 200)}`;
    }
  };
  const faultOfBody = ({ status, headers, body }: RawReply): string | null => {
    const text = body.toString("utf8");
    if (secrets.some((secret) => text.includes(secret))) return `${status} tells a secret`;
    if (headers.get("content-type")?.startsWith("text/event-stream") === true) {
      return text.endsWith("\n\n") ? null : `a stream without its end: ${text}`;
    }
    return status < 300 ? null : faultOfJson(status, text);
  };
  return ({ method }, reply) => {
    if (reply === null) return "no answer";
    const { status, headers, body } = reply;
    if (status >= 500 || Number.isNaN(status)) return `status ${status}: ${body.toString()}`;
    if (!headers.has("x-request-id")) return `${status} without x-request-id`;
    const isEmpty = method === "HEAD" || [204, 304, 308].includes(status);
    return isEmpty ? null : faultOfBody(reply);
  };
}
