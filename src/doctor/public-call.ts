import { type IncomingMessage, request as plain } from "node:http";
import { request as secure } from "node:https";

export interface PublicCallOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs?: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  /** At most 64 KiB of it. */
  readonly text: string;
}

const ANSWER_MS = 10_000;
const MAX_TEXT_BYTES = 65_536;

/** One request on a connection of its own. Redirects are not followed: they would take credentials along. */
export async function callPublic(url: URL, options: PublicCallOptions = {}): Promise<Answer> {
  const { method = "GET", headers = {}, body = "", timeoutMs = ANSWER_MS } = options;
  const length = body === "" ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const sent = requestTo(url)(url, { method, agent: false, headers: { ...length, ...headers } });
  const late = setTimeout(() => sent.destroy(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
  try {
    const response = await responseTo(sent, body);
    const { statusCode: status = 0, headers: answered } = response;
    return { status, headers: answered, text: await textOf(response) };
  } finally {
    clearTimeout(late);
    sent.destroy();
  }
}

export function requestTo(url: URL): typeof plain {
  return url.protocol === "https:" ? secure : plain;
}

/** A response that comes before all of the body was sent counts, even if the connection then breaks. */
function responseTo(sent: ReturnType<typeof plain>, body: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once("response", resolve);
    sent.on("error", reject);
    sent.end(body);
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = "";
  try {
    for await (const piece of response.setEncoding("utf8")) {
      text += piece;
      if (text.length >= MAX_TEXT_BYTES) break;
    }
  } catch {
    // what came is judged
  }
  return text;
}

/** The path below a base without a slash at its end. */
export function below(base: URL, path: string): URL {
  const url = new URL(base);
  const [pathname = "", search = ""] = path.split("?", 2);
  url.pathname = base.pathname.replace(/\/$/, "") + pathname;
  url.search = search;
  return url;
}

/** The object in a JSON text; empty if it is none. */
export function jsonObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    // cast: any object has fields of unknown types
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
