/** Plain clients for tests: one connection a request, no retries, nothing read that was not sent. */
import {
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
} from "node:http";
import { createConnection } from "node:net";

export interface SendOptions {
  /** POST, unless given. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly signal?: AbortSignal;
  /** To come from another address of this machine, such as 127.0.0.2. */
  readonly localAddress?: string;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The parsed text, or undefined where it is not JSON. */
  readonly json: unknown;
}

/** Sends strings and bytes as they are, undefined as no body, anything else as JSON. */
export async function postJson(
  url: string,
  body: unknown,
  options: SendOptions = {},
): Promise<Reply> {
  const { response } = await send(url, body, options);
  const text = await readText(response);
  const { statusCode: status = 0, headers } = response;
  return { status, headers, text, json: parseOrUndefined(text) };
}

export interface OpenStream {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /**
   * The data of each event, once. Ends where the answer ends or after hangUp, whole events only;
   * throws when the connection breaks before.
   */
  readonly events: AsyncIterable<string>;
  /** The rest of the body as it is, instead of `events`. */
  text(): Promise<string>;
  /** Drops the connection at once. */
  hangUp(): void;
}

/** Resolves with the headers; the body is read as fast as `events` is, and not before. */
export async function openStream(
  url: string,
  body: unknown,
  options: SendOptions = {},
): Promise<OpenStream> {
  const { sent, response } = await send(url, body, options);
  const { statusCode: status = 0, headers } = response;
  let hungUp = false;
  return {
    status,
    headers,
    events: readEvents(response, () => hungUp),
    text: () => readText(response),
    hangUp: () => {
      hungUp = true;
      sent.destroy();
    },
  };
}

export interface RawOptions {
  readonly timeoutMs: number;
  readonly label: string;
  /** How long the peer must be quiet after its first byte to count as done. */
  readonly idleMs?: number;
}

/** Writes the bytes to the port and returns what came back until the peer closed or fell quiet. */
export function rawExchange(
  port: number,
  bytes: string | Uint8Array,
  { timeoutMs, label, idleMs = 100 }: RawOptions,
): Promise<string> {
  const socket = createConnection({ port, host: "127.0.0.1" });
  const received: Buffer[] = [];
  const exchange = new Promise<string>((resolve, reject) => {
    const finish = (): void => resolve(Buffer.concat(received).toString("utf8"));
    let connected = false;
    socket.once("connect", () => {
      connected = true;
      socket.write(bytes);
    });
    // A reset is an end like any other here; what came before it is the answer.
    socket.once("error", (error) => (connected ? finish() : reject(error)));
    socket.once("close", finish);
    socket.once("end", finish);
    socket.once("timeout", finish);
    socket.on("data", (part) => {
      received.push(Buffer.from(part));
      socket.setTimeout(idleMs);
    });
  });
  return deadline(exchange, timeoutMs, label).finally(() => socket.destroy());
}

/** The promise's result, or an error that names what was waited for. */
export async function deadline<T>(promise: Promise<T>, ms: number, label: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`${label}: not within ${ms} ms`)), ms);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function send(
  url: string,
  body: unknown,
  { method = "POST", headers = {}, ...rest }: SendOptions,
): Promise<{ sent: ClientRequest; response: IncomingMessage }> {
  return new Promise((resolve, reject) => {
    const raw = typeof body === "string" || body instanceof Uint8Array;
    const bytes = raw ? Buffer.from(body) : Buffer.from(JSON.stringify(body) ?? "");
    const described = body === undefined ? {} : { "content-type": "application/json" };
    const length = { "content-length": String(bytes.length) };
    const sent = request(url, {
      method,
      agent: false,
      headers: { ...described, ...length, ...headers },
      ...rest,
    });
    // Stays for the whole exchange: the break of a body is told by the response instead.
    sent.on("error", reject);
    sent.once("response", (response) => resolve({ sent, response }));
    sent.end(bytes);
  });
}

async function* readEvents(
  response: IncomingMessage,
  hungUp: () => boolean,
): AsyncGenerator<string, void, undefined> {
  response.setEncoding("utf8");
  let rest = "";
  try {
    for await (const part of response) {
      const blocks = `${rest}${part}`.split(/\r\n\r\n|\n\n|\r\r/);
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const data = dataOf(block);
        if (data !== null) yield data;
      }
    }
  } catch (error) {
    if (!hungUp()) throw error;
  }
}

/** The lines that begin with `data:`, joined; null for a block that has none, such as a comment. */
function dataOf(block: string): string | null {
  const lines = block.split(/\r\n|\n|\r/).filter((line) => line.startsWith("data:"));
  return lines.length === 0 ? null : lines.map((line) => line.replace(/^data: ?/, "")).join("\n");
}

async function readText(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part);
  return Buffer.concat(parts).toString("utf8");
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
