import { APIError } from "openai/core/error";
import type { CallSignal } from "../core/call/call.ts";
import type { OutboundAnswer } from "./exchange.ts";
import type { Transport } from "./transport.ts";

/** One request, ready but for being sent. */
export interface ReadyRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body: string | Uint8Array | null;
  readonly key: string;
  readonly signal: CallSignal;
  readonly headMs: number;
  /** Most bytes the body may have, and most of it that may be read as one text. */
  readonly maxBytes: number;
  readonly maxTextBytes: number;
}

/**
 * Sends a request and has the openai package judge the answer: a status outside 2xx is thrown as
 * the APIError of its class. The package's client itself is not in the way of calls: even with its
 * request building replaced it was 18 % of a call's CPU (promises, log details, a URL a call).
 */
export async function askUpstream(
  transport: Transport,
  request: ReadyRequest,
): Promise<UpstreamAnswer> {
  const { path, method, body, key, signal, headMs, maxBytes, maxTextBytes } = request;
  const headers: Record<string, string> = {
    authorization: `Bearer ${key}`,
    accept: "application/json, text/event-stream",
    "accept-encoding": "identity",
  };
  if (body !== null) headers["content-type"] = "application/json";
  const head = await transport.send({ path, method, headers, body, signal, headMs, maxBytes });
  const answer = createUpstreamAnswer(head, maxTextBytes);
  if (head.status >= 200 && head.status < 300) return answer;
  // the status has said it: a refusal whose text breaks is still that refusal
  const text = await answer.text().catch(() => "");
  const json = asObject(text);
  const message = json === undefined ? text : undefined;
  // the package reads one header of it, by get()
  throw APIError.generate(head.status, json, message, answer.headers as unknown as Headers);
}

/** As much of a Response as anybody looks at, without web streams behind it. */
export interface UpstreamAnswer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly chunks: OutboundAnswer["body"];
  bytes(): Promise<Buffer>;
  text(): Promise<string>;
}

function createUpstreamAnswer(head: OutboundAnswer, maxTextBytes: number): UpstreamAnswer {
  const bytes = () => head.body.whole(maxTextBytes);
  return {
    status: head.status,
    headers: {
      /** The first value where a server sent several. */
      get(name) {
        const value = head.headers[name.toLowerCase()];
        return (Array.isArray(value) ? value[0] : value) ?? null;
      },
    },
    chunks: head.body,
    bytes,
    text: async () => (await bytes()).toString("utf8"),
  };
}

function asObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
