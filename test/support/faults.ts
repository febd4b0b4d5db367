/**
 * What can go wrong upstream, each with a name. Unless it says otherwise a fault strikes in the form
 * the client asked for, JSON or server-sent events, and strikes every request until told otherwise.
 */
import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import {
  answer,
  type Behaviour,
  composeAnswer,
  createAnswer,
  type Exchange,
  goodHeaders,
  openAiError,
  type RecordedRequest,
  wantsStream,
} from "./upstream.ts";

/** Stands in every text of a refusal, so that a test can look for it where it must not be. */
export const canary = "canary-upstream-text";

// Refusals

export interface RefuseOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly message?: string;
  readonly type?: string;
  readonly code?: string | null;
}

export const refuse = (status: number, options: RefuseOptions = {}): Behaviour => ({
  name: `refuse ${status}`,
  run: ({ request, response }) => {
    const { headers = {}, message = `${canary}: refused with ${status}` } = options;
    const { type, code } = { ...refusalKind(status), ...options };
    response.writeHead(status, { ...goodHeaders(request, jsonType), ...headers });
    response.end(JSON.stringify(openAiError(message, type, code)));
  },
});

/** A gateway's page in front of the service. */
export const refuseHtml = (status = 502): Behaviour => ({
  name: `refuse ${status} html`,
  run: ({ response }) => {
    response.writeHead(status, { "content-type": "text/html" }).end(page);
  },
});

export type RetryAfterForm = "seconds" | "date" | "milliseconds" | "day" | "garbage";

/** 429 that says when to come back, in each way seen in the field. `date` is seven seconds off. */
export const rateLimited = (form: RetryAfterForm): Behaviour => ({
  name: `refuse 429, Retry-After as ${form}`,
  run: (exchange) => refuse(429, { headers: retryAfterHeaders[form]() }).run(exchange),
});

export const redirect = (status: 301 | 302 | 307 | 308, location: string): Behaviour => ({
  name: `redirect ${status}`,
  run: ({ response }) => {
    response.writeHead(status, { location }).end();
  },
});

// Silence and broken connections

export const silent: Behaviour = { name: "silent", run: () => undefined };

/** Waits before the headers, then answers well. */
export const slow = (ms: number): Behaviour => ({
  name: `slow by ${ms} ms`,
  run: async (exchange) => {
    await exchange.pause(ms);
    await answer.run(exchange);
  },
});

/** Sends the headers at once and the first byte of the body later. */
export const firstTokenAfter = (ms: number): Behaviour => ({
  name: `first token after ${ms} ms`,
  run: async (exchange) => {
    begin(exchange).flushHeaders();
    await exchange.pause(ms);
    exchange.response.end(goodBody(exchange.request));
  },
});

export const resetBeforeHeaders: Behaviour = {
  name: "reset before headers",
  run: ({ cut }) => cut("reset"),
};

/** Promises a length, sends half of it and resets. */
export const resetMidBody: Behaviour = {
  name: "reset mid-body",
  run: async (exchange) => {
    const [first, rest] = halves(exchange.request);
    begin(exchange, { "content-length": Buffer.byteLength(first + rest) });
    await exchange.write(first);
    await exchange.cut("reset");
  },
};

export const stallAfterHeaders: Behaviour = {
  name: "stall after headers",
  run: (exchange) => begin(exchange).flushHeaders(),
};

export const stallMidStream: Behaviour = {
  name: "stall mid-stream",
  run: async (exchange) => {
    begin(exchange);
    await exchange.write(halves(exchange.request)[0]);
  },
};

export const resetMidStream: Behaviour = {
  name: "reset mid-stream",
  run: async (exchange) => {
    await stallMidStream.run(exchange);
    await exchange.cut("reset");
  },
};

/** The connection is closed in order, but the chunked body was never ended. */
export const closeMidStream: Behaviour = {
  name: "connection closed mid-stream",
  run: async (exchange) => {
    await stallMidStream.run(exchange);
    await exchange.cut("fin");
  },
};

/** The body ends as HTTP wants it, between two events, without [DONE]. */
export const finMidStream: Behaviour = {
  name: "clean end mid-stream",
  run: async (exchange) => {
    await stallMidStream.run(exchange);
    exchange.response.end();
  },
};

/** The body ends as HTTP wants it, in the middle of an event. */
export const cutInsideEvent: Behaviour = {
  name: "clean end inside an event",
  run: async (exchange) => {
    const [first, rest] = halves(exchange.request);
    begin(exchange);
    await exchange.write(first);
    exchange.response.end(rest.slice(0, 30));
  },
};

/** Answers well, offers to keep the connection and closes it: the next use meets a dead socket. */
export const closeIdleSocket: Behaviour = {
  name: "idle socket closed",
  run: async (exchange) => {
    const { response } = exchange;
    const { socket } = response;
    response.once("finish", () => socket?.end());
    await answer.run(exchange);
  },
};

// Bodies that lie

export const badJsonEvent: Behaviour = mangle("event that is not JSON", (events) =>
  events.toSpliced(middle(events), 0, 'data: {"choices":[{"delta":\n\n'),
);

export const invalidJson200: Behaviour = plain(
  "200 that is not JSON",
  200,
  "application/json",
  () => '{"id":"chatcmpl-1","choices":[{"message":',
);

export const html200: Behaviour = plain("200 html", 200, "text/html", () => page);

export const empty200: Behaviour = plain("200 empty", 200, "application/json", () => "");

export const status204: Behaviour = {
  name: "204",
  run: ({ response }) => {
    response.writeHead(204).end();
  },
};

/** The whole answer as JSON, also where events were asked for. */
export const jsonWhereSseAsked: Behaviour = plain(
  "JSON for SSE",
  200,
  "application/json",
  (request) => JSON.stringify(composeAnswer(request).json),
);

export const errorJson200WhereSseAsked: Behaviour = plain(
  "error as 200",
  200,
  "application/json",
  () => JSON.stringify(openAiError(`${canary}: not now`, "server_error", null)),
);

/** Events, also where JSON was asked for. */
export const sseWhereJsonAsked: Behaviour = plain(
  "SSE for JSON",
  200,
  "text/event-stream",
  (request) => composeAnswer(request).events.join(""),
);

/** Some deltas, an error event and the end, without [DONE]. */
export const errorEventMidStream: Behaviour = mangle("error event mid-stream", (events) => [
  ...events.slice(0, middle(events)),
  `data: ${JSON.stringify(openAiError(`${canary}: broke while answering`, "server_error", null))}\n\n`,
]);

export const usageMissing: Behaviour = named("usage missing", createAnswer({ tokens: null }));

export const usageNegative: Behaviour = named(
  "usage negative",
  createAnswer({ tokens: { prompt: -5, completion: -7 } }),
);

/** More tokens than a 64-bit integer holds. */
export const usageHuge: Behaviour = named(
  "usage huge",
  createAnswer({ tokens: { prompt: 1e20, completion: 1e20 } }),
);

// Unusual, but right: a good client reads these as the good answer

export const crlfStream: Behaviour = mangle("CRLF line ends", (events) =>
  events.map((event) => event.replaceAll("\n", "\r\n")),
);

export const commentsInStream: Behaviour = mangle("comments in the stream", (events) =>
  events.flatMap((event) => [": keep-alive\n\n", event]),
);

/** Each byte in a chunk of its own, so that characters, lines and events are all split. */
export const splitEveryByte: Behaviour = {
  name: "every byte on its own",
  run: async (exchange) => {
    begin(exchange);
    for (const byte of Buffer.from(goodBody(exchange.request))) {
      await exchange.write(Uint8Array.of(byte));
    }
    exchange.response.end();
  },
};

/** One byte every so often: never quiet for long, never done. */
export const drip = (everyMs: number): Behaviour => ({
  name: `drip, 1 byte / ${everyMs} ms`,
  run: async (exchange) => {
    begin(exchange);
    for (const byte of Buffer.from(goodBody(exchange.request))) {
      await exchange.write(Uint8Array.of(byte));
      await exchange.pause(everyMs);
    }
    exchange.response.end();
  },
});

/** The good answer, its events at the pace of somebody typing. */
export const paced = (everyMs: number): Behaviour => ({
  name: `paced, 1 event / ${everyMs} ms`,
  run: async (exchange) => {
    begin(exchange);
    for (const event of goodParts(exchange.request)) {
      await exchange.write(event);
      await exchange.pause(everyMs);
    }
    exchange.response.end();
  },
});

export const http10: Behaviour = {
  name: "HTTP/1.0",
  run: ({ request, cut }) => {
    const type = wantsStream(request) ? sseType : jsonType;
    return cut("fin", `HTTP/1.0 200 OK\r\ncontent-type: ${type}\r\n\r\n${goodBody(request)}`);
  },
};

// Headers

/** More header bytes than Node reads by default (16 KiB in all). */
export const bigHeaders = (bytes = 20 * 1024): Behaviour => ({
  name: "big headers",
  run: (exchange) => {
    begin(exchange, { "x-filler": "h".repeat(bytes) }).end(goodBody(exchange.request));
  },
});

export const duplicateHeaders: Behaviour = {
  name: "duplicate headers",
  run: ({ request, response }) => {
    const type = wantsStream(request) ? sseType : jsonType;
    const twice = ["content-type", type, "content-type", "text/plain"];
    const ids = ["x-request-id", "req_first", "x-request-id", "req_second"];
    response.writeHead(200, [...twice, ...ids, "retry-after", "1", "retry-after", "2"]);
    response.end(goodBody(request));
  },
};

/** A header line that no HTTP parser accepts. */
export const illegalHeaders: Behaviour = {
  name: "illegal headers",
  run: ({ request, cut }) => {
    const head = `HTTP/1.1 200 OK\r\ncontent-type: ${jsonType}\r\nbad name\u0001: x\r\n`;
    return cut("fin", `${head}connection: close\r\n\r\n${goodBody(request)}`);
  },
};

/** Promises so many bytes more (or, below zero, fewer) than it sends, then closes. */
export const wrongContentLength = (surplus: number): Behaviour => ({
  name: `content-length off by ${surplus}`,
  run: async (exchange) => {
    const body = goodBody(exchange.request);
    begin(exchange, { "content-length": Buffer.byteLength(body) + surplus });
    await exchange.write(body);
    await exchange.cut("fin");
  },
});

/** The good answer, compressed although nobody asked for it. */
export const gzipped: Behaviour = {
  name: "gzip unasked",
  run: (exchange) => sendGzip(exchange, [goodBody(exchange.request)], 1),
};

/** Says gzip and is not. */
export const gzipLie: Behaviour = {
  name: "gzip that is none",
  run: (exchange) => {
    begin(exchange, { "content-encoding": "gzip" }).end(goodBody(exchange.request));
  },
};

// Sizes

/** About a thousand times fewer bytes on the wire than `decodedBytes`; more layers, fewer still. */
export const gzipBomb = (decodedBytes: number, layers = 1): Behaviour => ({
  name: `gzip bomb of ${decodedBytes} bytes, ${layers} deep`,
  run: (exchange) => {
    const { request } = exchange;
    const body = wantsStream(request)
      ? deltas(request, decodedBytes)
      : filled(request, decodedBytes);
    return sendGzip(exchange, body, layers);
  },
});

/** A right JSON answer whose text has `bytes` characters, also where events were asked for. */
export const hugeBody = (bytes: number): Behaviour => ({
  name: `body of ${bytes} bytes`,
  run: async (exchange) => {
    exchange.response.writeHead(200, goodHeaders(exchange.request, jsonType));
    for (const part of filled(exchange.request, bytes)) await exchange.write(part);
    exchange.response.end();
  },
});

/** One event line of `bytes` bytes that never ends in a newline. */
export const endlessLine = (bytes: number): Behaviour => ({
  name: `line of ${bytes} bytes`,
  run: async (exchange) => {
    exchange.response.writeHead(200, goodHeaders(exchange.request, sseType));
    await exchange.write('data: {"choices":[{"index":0,"delta":{"content":"');
    for (const part of filler(bytes)) await exchange.write(part);
    exchange.response.end();
  },
});

export interface CountingBehaviour extends Behaviour {
  /** Bytes of body handed to the connections so far. */
  written(): number;
}

/** Right deltas of 1 KiB as fast as the reader takes them, up to `bytes`, then the right end. */
export const endlessStream = (bytes: number): CountingBehaviour => {
  let written = 0;
  return {
    name: `stream of ${bytes} bytes`,
    written: () => written,
    run: async (exchange) => {
      exchange.response.writeHead(200, goodHeaders(exchange.request, sseType));
      for (const part of deltas(exchange.request, bytes)) {
        written += Buffer.byteLength(part);
        await exchange.write(part);
      }
      exchange.response.end();
    },
  };
};

// One after the other

/** One behaviour a request, in their order of arrival; the last one repeats. */
export const sequence = (behaviours: readonly [Behaviour, ...Behaviour[]]): Behaviour => {
  let next = 0;
  return {
    name: `sequence of ${behaviours.map(({ name }) => name).join(", ")}`,
    run: (exchange) => {
      const behaviour = behaviours[Math.min(next, behaviours.length - 1)] ?? behaviours[0];
      next += 1;
      return behaviour.run(exchange);
    },
  };
};

const jsonType = "application/json";
const sseType = "text/event-stream; charset=utf-8";
const page = `<html><body><h1>${canary}</h1></body></html>`;

const retryAfterHeaders: Readonly<Record<RetryAfterForm, () => Record<string, string>>> = {
  seconds: () => ({ "retry-after": "7" }),
  date: () => ({ "retry-after": new Date(Date.now() + 7_000).toUTCString() }),
  milliseconds: () => ({ "retry-after-ms": "250" }),
  day: () => ({ "retry-after": "86400" }),
  garbage: () => ({ "retry-after": "soon" }),
};

function refusalKind(status: number): { type: string; code: string | null } {
  if (status === 401) return { type: "invalid_request_error", code: "invalid_api_key" };
  if (status === 429) return { type: "requests", code: "rate_limit_exceeded" };
  return { type: status >= 500 ? "server_error" : "invalid_request_error", code: null };
}

function named(name: string, { run }: Behaviour): Behaviour {
  return { name, run };
}

function plain(
  name: string,
  status: number,
  type: string,
  body: (request: RecordedRequest) => string,
): Behaviour {
  return {
    name,
    run: ({ request, response }) => {
      response.writeHead(status, goodHeaders(request, type)).end(body(request));
    },
  };
}

/** The good events, changed; a client that asked for JSON gets the good answer. */
function mangle(name: string, change: (events: readonly string[]) => readonly string[]): Behaviour {
  return {
    name,
    run: async (exchange) => {
      begin(exchange);
      const parts = goodParts(exchange.request);
      for (const part of wantsStream(exchange.request) ? change(parts) : parts) {
        await exchange.write(part);
      }
      exchange.response.end();
    },
  };
}

const begin = ({ request, response }: Exchange, extra: Record<string, string | number> = {}) =>
  response.writeHead(200, {
    ...goodHeaders(request, wantsStream(request) ? sseType : jsonType),
    ...extra,
  });

/** The good body in the form that was asked for: events, or JSON as one part. */
function goodParts(request: RecordedRequest): readonly string[] {
  const { json, events } = composeAnswer(request);
  return wantsStream(request) ? events : [JSON.stringify(json)];
}

const goodBody = (request: RecordedRequest): string => goodParts(request).join("");

/** Breaks the good body after some text has gone out: between two events, or inside the JSON. */
function halves(request: RecordedRequest): readonly [string, string] {
  const parts = goodParts(request);
  const body = parts.join("");
  const first = parts.slice(0, middle(parts)).join("").length;
  const at = wantsStream(request) ? first : Math.floor(body.length / 2);
  return [body.slice(0, at), body.slice(at)];
}

/** Comes after the first text and before the last, in the events of every endpoint. */
const middle = (events: readonly string[]): number => Math.floor(events.length / 2);

async function sendGzip(
  exchange: Exchange,
  body: Iterable<string | Uint8Array>,
  layers: number,
): Promise<void> {
  let packed = Readable.from(body, { objectMode: true });
  for (let layer = 0; layer < layers; layer += 1) packed = packed.pipe(createGzip());
  begin(exchange, { "content-encoding": Array(layers).fill("gzip").join(", ") });
  for await (const part of packed) await exchange.write(part);
  exchange.response.end();
}

const block = Buffer.alloc(64 * 1024, "a");

function* filler(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= block.length) yield block.subarray(0, left);
}

function* filled(request: RecordedRequest, bytes: number): Generator<string | Buffer> {
  const mark = "<filler>";
  const [head = "", tail = ""] = JSON.stringify(
    composeAnswer(request, { text: () => mark }).json,
  ).split(mark);
  yield head;
  yield* filler(bytes);
  yield tail;
}

/** Parts of about 64 KiB, so that a big stream costs few writes. */
function* deltas(request: RecordedRequest, bytes: number): Generator<string> {
  const text = () => "a".repeat(5 * 1024);
  const { events } = composeAnswer(request, { text });
  const isDelta = (event: string) => event.length > 1024 && event.length < 2048;
  const delta = events.find(isDelta) ?? "";
  const first = events.findIndex(isDelta);
  yield events.slice(0, first).join("");
  const part = delta.repeat(64);
  for (let left = bytes; left > 0; left -= part.length) yield part;
  yield events.slice(events.findLastIndex(isDelta) + 1).join("");
}
