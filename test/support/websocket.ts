/** A WebSocket client for tests: frames in their order, every wait with a deadline. */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { WebSocket } from "ws";
import { deadline } from "./http.ts";

const WAIT_MS = 30_000;

export interface ConnectOptions {
  /** Text frames without one. */
  readonly protocol?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly localAddress?: string;
}

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

export interface WebSocketClient {
  readonly ws: WebSocket;
  /** The headers of the handshake's answer. */
  readonly headers: IncomingMessage["headers"];
  /** Strings and bytes as they are, anything else as JSON. */
  send(frame: unknown): void;
  /** The next frame that was not taken yet. Rejects when the connection is closed before. */
  next(label?: string): Promise<string>;
  /** The same as JSON. */
  nextJson(label?: string): Promise<Record<string, unknown>>;
  /** Frames that nobody has taken. */
  readonly waiting: readonly string[];
  closed(): Promise<Closed>;
  close(): Promise<Closed>;
}

export async function connect(url: string, options: ConnectOptions = {}): Promise<WebSocketClient> {
  const { protocol, ...rest } = options;
  const ws = new WebSocket(url.replace(/^http/, "ws"), protocol === undefined ? [] : [protocol], {
    perMessageDeflate: false,
    ...rest,
  });
  const waiting: string[] = [];
  let takers: { resolve(text: string): void; reject(error: Error): void }[] = [];
  let end: Closed | null = null;
  ws.on("message", (data) => {
    const taker = takers.shift();
    if (taker === undefined) waiting.push(String(data));
    else taker.resolve(String(data));
  });
  const closed = new Promise<Closed>((resolve) => {
    ws.once("close", (code, reason) => {
      end = { code, reason: String(reason) };
      for (const { reject } of takers) reject(endedBy(end));
      takers = [];
      resolve(end);
    });
  });
  let headers: IncomingMessage["headers"] = {};
  ws.once("upgrade", (response) => {
    headers = response.headers;
  });
  await deadline(once(ws, "open"), WAIT_MS, `connected to ${url}`);
  ws.on("error", () => undefined); // told by `closed()`

  const next = (label = "a frame") => {
    const frame = waiting.shift();
    if (frame !== undefined) return Promise.resolve(frame);
    if (end !== null) return Promise.reject(endedBy(end));
    const arrival = new Promise<string>((resolve, reject) => takers.push({ resolve, reject }));
    return deadline(arrival, WAIT_MS, label);
  };
  return {
    ws,
    headers,
    waiting,
    closed: () => deadline(closed, 4 * WAIT_MS, "the connection is closed"),
    send(frame) {
      const raw = typeof frame === "string" || frame instanceof Uint8Array;
      ws.send(raw ? frame : JSON.stringify(frame));
    },
    next,
    nextJson: async (label) => JSON.parse(await next(label)) as Record<string, unknown>,
    close() {
      ws.close();
      return deadline(closed, WAIT_MS, "the connection is closed");
    },
  };
}

function endedBy({ code, reason }: Closed): Error {
  return new Error(`closed with ${code} ${reason}`);
}

export interface Refused {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly json: unknown;
}

/** A handshake that is to fail. */
export async function connectInVain(url: string, options: ConnectOptions = {}): Promise<Refused> {
  const { protocol, ...rest } = options;
  const ws = new WebSocket(
    url.replace(/^http/, "ws"),
    protocol === undefined ? [] : [protocol],
    rest,
  );
  ws.on("error", () => undefined);
  const refused = new Promise<Refused>((resolve, reject) => {
    ws.once("open", () => reject(new Error("the handshake was accepted")));
    ws.once("error", reject);
    ws.once("unexpected-response", (_request, response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.once("end", () => {
        const { statusCode: status = 0, headers } = response;
        const text = Buffer.concat(parts).toString("utf8");
        resolve({ status, headers, json: JSON.parse(text) as unknown });
      });
    });
  });
  try {
    return await deadline(refused, WAIT_MS, "the handshake is refused");
  } finally {
    ws.terminate();
  }
}

/** Deltas joined, up to the frame that ends a question in text. */
export async function readText(client: WebSocketClient): Promise<{ text: string; end: string }> {
  let text = "";
  for (;;) {
    const frame = await client.next("the end of the answer");
    if (/^<\|(end|err)\|>\$/.test(frame)) return { text, end: frame };
    text += frame;
  }
}

/** The conversation and the parent that an end names. */
export function placeOf(end: string): { conversation: string; parent: string } {
  const [, conversation = "", parent = ""] = /^<\|end\|>\$([^$]+)\$([^$]+)$/.exec(end) ?? [];
  if (conversation === "") throw new Error(`no end: ${end}`);
  return { conversation, parent };
}
