import type { ProxyError } from "../../core/errors.ts";
import type { WriteBreak } from "../../http/reply/pass-on.ts";
import type { Endpoint } from "./endpoints.ts";

/** `describe` writes OpenAI's error object, or has the upstream's own words. */
export function createWriteBreak(
  endpoint: Pick<Endpoint, "numbersEvents">,
  describe: (error: ProxyError) => string,
): WriteBreak {
  return (error, answer) => {
    const said = objectIn(describe(error));
    if (!endpoint.numbersEvents) return `data: ${JSON.stringify(asErrorObject(said))}\n\n`;
    const sequence = answer.kind === "streamed" ? answer.nextSequence() : 0;
    return `event: error\ndata: ${JSON.stringify(asErrorEvent(said, sequence))}\n\n`;
  };
}

/** An upstream's event passes as it is if it has an error in the usual place. */
function asErrorObject(said: object): object {
  if ("error" in said) return said;
  return { error: { ...about(said), type: textOrNull(fieldOf(said, "type")) } };
}

function asErrorEvent(said: object, sequence: number): object {
  if (fieldOf(said, "type") === "error" && "message" in said) {
    return { sequence_number: sequence, ...said };
  }
  const inner = fieldOf(said, "error");
  return { type: "error", ...about(inner ?? said), sequence_number: sequence };
}

function about(error: unknown) {
  const code = fieldOf(error, "code") ?? null;
  return {
    code: typeof code === "number" ? String(code) : code,
    message: textOrNull(typeof error === "string" ? error : fieldOf(error, "message")) ?? "",
    param: textOrNull(fieldOf(error, "param")),
  };
}

function objectIn(json: string): object {
  const value: unknown = JSON.parse(json);
  return typeof value === "object" && value !== null ? value : { error: value };
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
