/** Answers too large to be held, and readers of what becomes of them. */
import { once } from "node:events";
import { request } from "node:http";
import type { Behaviour, Exchange } from "../../support/upstream.ts";
import { bearer, EMBEDDER } from "./support.ts";

export const LARGE_BYTES = 1_048_576;
export const embedding = { model: EMBEDDER, input: "hi" };
export const usage = { prompt_tokens: 12_345, completion_tokens: 0, total_tokens: 12_345 };
const about = `"model":"${EMBEDDER}","id":"answer-1","usage":${JSON.stringify(usage)}`;
const data = (bytes: number) => `"data":["${"x".repeat(bytes)}"]`;

export const usageFirst = (bytes = LARGE_BYTES) => `{${about},${data(bytes)}}`;
export const usageLast = (bytes = LARGE_BYTES) => `{${data(bytes)},${about}}`;

const JSON_TYPE = { "content-type": "application/json" };

/** Sends these parts one by one, in chunks, and does what is left to do. */
export function parts(
  texts: readonly string[],
  end: (exchange: Exchange) => unknown = ({ response }) => response.end(),
): Behaviour {
  return {
    name: "parts",
    run: async (exchange) => {
      exchange.response.writeHead(200, JSON_TYPE);
      for (const text of texts) await exchange.write(text);
      await end(exchange);
    },
  };
}

/** Announces the length of the text, and sends it. */
export const announced = (text: string): Behaviour => ({
  name: "announced",
  run: ({ response }) => {
    response.writeHead(200, { ...JSON_TYPE, "content-length": Buffer.byteLength(text) });
    response.end(text);
  },
});

export interface Received {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
  /** The response has ended as its framing says. */
  readonly isWhole: boolean;
}

export interface Receiving {
  readonly onData?: (bytes: number) => void;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a client has of a response, also of one that breaks off. */
export async function receive(
  url: string,
  token: string,
  body: unknown = embedding,
  { onData, headers: more }: Receiving = {},
): Promise<Received> {
  const headers = { ...bearer(token), "content-type": "application/json", ...more };
  const sent = request(url, { method: "POST", agent: false, headers });
  sent.end(JSON.stringify(body));
  const [response] = await once(sent, "response");
  const chunks: Buffer[] = [];
  let bytes = 0;
  response.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    onData?.(bytes);
  });
  response.on("error", () => undefined);
  await new Promise((resolve) => response.once("close", resolve));
  const { statusCode: status, complete: isWhole } = response;
  return { status, headers: response.headers, text: String(Buffer.concat(chunks)), isWhole };
}
