/**
 * The scripted upstream: a real HTTP server on the loopback interface that speaks OpenAI's API.
 * As it is, it answers well; `behave` makes it stall, cut, drip, lie or fail (see faults.ts).
 */
import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

export interface RecordedRequest {
  /** Counts from 1; part of the ids in the answer. */
  readonly serial: number;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly bodyText: string;
  /** The parsed body, or undefined where it is not JSON. */
  readonly json: unknown;
}

/** One request on its way to its answer, as a behaviour sees it. */
export interface Exchange {
  readonly request: RecordedRequest;
  readonly response: ServerResponse;
  /** Aborts when the connection is gone. */
  readonly gone: AbortSignal;
  /**
   * Sends one chunk and waits until the system has taken it: as long as the reader is slow. Rejects
   * once the reader has left.
   */
  write(bytes: string | Uint8Array): Promise<void>;
  /** Rejects once the reader has left. */
  pause(ms: number): Promise<void>;
  /** Ends the connection on purpose: what was written arrives, then RST or FIN. */
  cut(how: "reset" | "fin", lastBytes?: string): Promise<void>;
}

export interface Behaviour {
  readonly name: string;
  run(exchange: Exchange): void | Promise<void>;
}

export type Choose = (request: RecordedRequest) => Behaviour;

/** Answers whose client went away before their end. */
export interface ClosedEarly {
  readonly count: number;
  /** When, by performance.now(), oldest first; the last 5,000. */
  readonly atMs: readonly number[];
}

export interface WaitOptions {
  readonly label: string;
  readonly timeoutMs: number;
}

export interface ScriptedUpstream {
  readonly url: string;
  readonly port: number;
  /** Requests whose body has arrived: the last 5,000, and at most 64 Mi characters of them. */
  readonly requests: readonly RecordedRequest[];
  readonly closedEarly: ClosedEarly;
  /** Requests that wait for the end of their answer on an open connection. */
  open(): number;
  behave(next: Behaviour | Choose): void;
  /** Looks again at each arrival, write, end and close; never polls. */
  waitFor(predicate: () => boolean, options: WaitOptions): Promise<void>;
  /** Drops every connection. Rejects when a behaviour broke by its own fault. */
  close(): Promise<void>;
}

export interface UpstreamOptions {
  /** What to do until `behave` says otherwise: a good answer, unless given. */
  readonly behaviour?: Behaviour | Choose;
}

const maxRecorded = 5_000;
/** Lets a test send many large bodies without keeping them all. */
const maxRecordedChars = 64 * 1024 * 1024;
/** For buffered bytes to leave and the peer to read them: a reset discards what is still queued. */
const flushMs = 5;
/** Longer than any test, so that only closeIdleSocket closes a connection that may be used again. */
const keepAliveMs = 120_000;

export async function startUpstream(options: UpstreamOptions = {}): Promise<ScriptedUpstream> {
  const watch = createWatch();
  const recorder = createRecorder();
  const mistakes: unknown[] = [];
  let choose = toChoice(options.behaviour ?? answer);

  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const tracked = watch.track(response);
    try {
      const request = recorder.record(incoming, await readText(incoming));
      watch.changed();
      await choose(request).run(createExchange(request, response, tracked, watch.changed));
    } catch (error) {
      // A behaviour that writes to a reader who has left is interrupted here: that is no mistake.
      if (tracked.gone.aborted) return;
      mistakes.push(error);
      response.socket?.destroy();
    }
  };
  const server = createServer({ keepAliveTimeout: keepAliveMs, requestTimeout: 0 });
  server.on("request", (incoming, response) => void serve(incoming, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the upstream has no port");

  return {
    url: `http://127.0.0.1:${address.port}/v1`,
    port: address.port,
    requests: recorder.requests,
    closedEarly: watch.closedEarly,
    open: watch.open,
    behave: (next) => {
      choose = toChoice(next);
    },
    waitFor: watch.waitFor,
    close: async () => {
      watch.stop();
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
      if (mistakes.length > 0) throw new AggregateError(mistakes, "a behaviour broke");
    },
  };
}

const toChoice = (next: Behaviour | Choose): Choose =>
  typeof next === "function" ? next : () => next;

interface Tracked {
  readonly gone: AbortSignal;
  /** Says that the end of this connection is our own doing. */
  meantToEnd(): void;
}

/** Knows which answers are open, which were left, and who waits for a change of that. */
function createWatch() {
  const live = new Set<ServerResponse>();
  const checks = new Set<() => void>();
  const atMs: number[] = [];
  const closedEarly = { count: 0, atMs };
  let stopped = false;

  const changed = (): void => {
    for (const check of checks) check();
  };
  const track = (response: ServerResponse): Tracked => {
    const gone = new AbortController();
    let ended = false;
    live.add(response);
    // A write can meet a socket that is gone before its "close" is told: "close" says all we need.
    response.on("error", () => undefined);
    response.once("finish", () => {
      ended = true;
      live.delete(response);
      changed();
    });
    response.once("close", () => {
      live.delete(response);
      if (!ended && !stopped) {
        closedEarly.count += 1;
        if (atMs.push(performance.now()) > maxRecorded) atMs.shift();
      }
      gone.abort();
      changed();
    });
    const meantToEnd = (): void => {
      ended = true;
    };
    return { gone: gone.signal, meantToEnd };
  };
  const waitFor = (predicate: () => boolean, { label, timeoutMs }: WaitOptions): Promise<void> =>
    new Promise((resolve, reject) => {
      const settle = (done: () => void): void => {
        clearTimeout(timer);
        checks.delete(check);
        done();
      };
      const check = (): void => {
        try {
          if (predicate()) settle(resolve);
        } catch (error) {
          settle(() => reject(error));
        }
      };
      const late = (): Error =>
        new Error(
          `${label}: not within ${timeoutMs} ms (${live.size} open, ${closedEarly.count} closed early)`,
        );
      const timer = setTimeout(() => settle(() => reject(late())), timeoutMs);
      checks.add(check);
      check();
    });
  const stop = (): void => {
    stopped = true;
  };
  return { track, changed, waitFor, closedEarly, open: () => live.size, stop };
}

function createRecorder() {
  const requests: RecordedRequest[] = [];
  let serial = 0;
  let chars = 0;
  const record = (incoming: IncomingMessage, bodyText: string): RecordedRequest => {
    serial += 1;
    const { method = "", url: path = "", headers } = incoming;
    const request = { serial, method, path, headers, bodyText, json: parseOrUndefined(bodyText) };
    requests.push(request);
    chars += bodyText.length;
    while (requests.length > maxRecorded || (chars > maxRecordedChars && requests.length > 1)) {
      chars -= requests.shift()?.bodyText.length ?? 0;
    }
    return request;
  };
  return { requests, record };
}

function createExchange(
  request: RecordedRequest,
  response: ServerResponse,
  { gone, meantToEnd }: Tracked,
  changed: () => void,
): Exchange {
  return {
    request,
    response,
    gone,
    write: async (bytes) => {
      gone.throwIfAborted();
      const taken = Promise.withResolvers<void>();
      const leave = (): void => taken.reject(gone.reason);
      gone.addEventListener("abort", leave, { once: true });
      // Writes of one turn would share a chunk, so each waits for its own end. A failed one means
      // that the connection is going: `gone` tells that.
      response.write(bytes, (error) => {
        if (!error) taken.resolve();
      });
      changed();
      await taken.promise.finally(() => gone.removeEventListener("abort", leave));
    },
    pause: async (ms) => {
      await sleep(ms, undefined, { signal: gone });
    },
    cut: async (how, lastBytes = "") => {
      await sleep(flushMs, undefined, { signal: gone });
      meantToEnd();
      if (how === "reset") response.socket?.resetAndDestroy();
      else response.socket?.end(lastBytes);
    },
  };
}

async function readText(incoming: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part);
  return Buffer.concat(parts).toString("utf8");
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// What a good service answers.

export interface TokenCounts {
  readonly prompt: number;
  readonly completion: number;
}

export interface AnswerOptions {
  /** What the model says; it repeats the last thing the user said, unless given. */
  readonly text?: (lastUserContent: string) => string;
  /** Tokens to report instead of the lengths in UTF-16 units; null leaves usage out. */
  readonly tokens?: TokenCounts | null;
}

/** A good answer in both its forms: the JSON object and the server-sent events, each complete. */
export interface GoodAnswer {
  readonly status: number;
  readonly json: unknown;
  readonly events: readonly string[];
}

export const createAnswer = (options: AnswerOptions = {}): Behaviour => ({
  name: "answer",
  run: async (exchange) => {
    const { request, response } = exchange;
    const refused = refuseKey(request);
    if (refused === null && request.path === "/v1/audio/speech") {
      response.writeHead(200, goodHeaders(request, "audio/mpeg"));
      response.end(String(toObject(request.json).input));
      return;
    }
    const { status, json, events } = refused ?? composeAnswer(request, options);
    if (wantsStream(request) && status === 200 && events.length > 0) {
      response.writeHead(200, goodHeaders(request, "text/event-stream; charset=utf-8"));
      for (const event of events) await exchange.write(event);
      response.end();
      return;
    }
    const body = JSON.stringify(json);
    const extra = { "content-length": Buffer.byteLength(body), ...refused?.headers };
    response.writeHead(status, { ...goodHeaders(request, "application/json"), ...extra });
    response.end(body);
  },
});

export const answer: Behaviour = createAnswer();

/** The headers OpenAI sends, those that are nobody's business included. */
export const goodHeaders = (request: RecordedRequest, contentType: string) => ({
  "content-type": contentType,
  "x-request-id": `req_${request.serial}`,
  "openai-organization": "org-scripted",
  "openai-processing-ms": "12",
  "openai-version": "2020-10-01",
  "x-ratelimit-limit-requests": "10000",
  "x-ratelimit-remaining-requests": "9999",
  "x-ratelimit-reset-requests": "6ms",
  "set-cookie": "__cf_bm=scripted; path=/; HttpOnly",
});

export const openAiError = (message: string, type: string, code: string | null) => ({
  error: { message, type, param: null, code },
});

export const wantsStream = (request: RecordedRequest): boolean =>
  toObject(request.json).stream === true;

type JsonObject = Readonly<Record<string, unknown>>;

/** Keys that tell the service to refuse: sk-bad…, sk-limited…, sk-broke…. */
function refuseKey({ headers }: RecordedRequest) {
  const key = /^Bearer (.*)$/i.exec(headers.authorization ?? "")?.[1] ?? "";
  const refuse = (status: number, json: unknown, extra: Record<string, string> = {}) => ({
    status,
    json,
    events: [],
    headers: extra,
  });
  if (key.startsWith("sk-bad")) {
    const masked = `${key.slice(0, 8)}${"*".repeat(Math.max(4, key.length - 12))}${key.slice(-4)}`;
    const message = `Incorrect API key provided: ${masked}.`;
    return refuse(401, openAiError(message, "invalid_request_error", "invalid_api_key"));
  }
  if (key.startsWith("sk-limited")) {
    const message = "Rate limit reached for requests in organization org-scripted.";
    const json = openAiError(message, "requests", "rate_limit_exceeded");
    return refuse(429, json, { "retry-after": "7" });
  }
  if (key.startsWith("sk-broke")) {
    const message = "You exceeded your current quota.";
    return refuse(429, openAiError(message, "insufficient_quota", "insufficient_quota"));
  }
  return null;
}

/** Composes the same answer to the same request: ids from its serial, tokens from lengths. */
export function composeAnswer(request: RecordedRequest, options: AnswerOptions = {}): GoodAnswer {
  const path = request.path.split("?", 1)[0] ?? "";
  const other = composeOther(request, path);
  if (other !== null) return other;
  const compose = request.method === "POST" ? composers.get(path) : undefined;
  if (compose === undefined) {
    return refusal(404, `Invalid URL (${request.method} ${path})`);
  }
  const body = toObject(request.json);
  if (typeof body.model !== "string" && path !== "/v1/moderations") {
    return refusal(400, "you must provide a model parameter");
  }
  const source = body.messages ?? body.input ?? body.prompt;
  if (source === undefined) return refusal(400, "you must provide something to answer");
  const prompts = readPrompts(source);
  const text = (options.text ?? ((last: string) => `echo: ${last}`))(prompts.last);
  const counted = { prompt: prompts.all.join("").length, completion: text.length };
  const tokens = options.tokens === undefined ? counted : options.tokens;
  if (compose === undefined) return ok({ text });
  return compose({
    body,
    model: String(body.model),
    serial: request.serial,
    prompts,
    text,
    tokens,
  });
}

const KEPT = /^\/v1\/(?:conversations\b|responses\/)/;

/** What is answered without a question. */
function composeOther({ method, json }: RecordedRequest, path: string): GoodAnswer | null {
  if (method === "GET" && path.startsWith("/v1/models")) return showModels(path);
  if (/^\/v1\/(files|batches)\b/.test(path)) return ok({ id: "some", object: "some" });
  if (KEPT.test(path)) return ok({ id: path.split("/")[3] ?? "conv_123", object: "some" });
  if (path.startsWith("/v1/audio/trans")) return ok({ text: "heard" });
  return method === "POST" && IMAGES.test(path) ? composeImages(toObject(json)) : null;
}

interface Material {
  readonly body: JsonObject;
  readonly model: string;
  readonly serial: number;
  readonly prompts: Prompts;
  readonly text: string;
  readonly tokens: TokenCounts | null;
}

interface Prompts {
  readonly all: readonly string[];
  /** The last thing a user said. */
  readonly last: string;
}

/** 2023-11-14, for ever: answers are the same in every run. */
const created = 1_700_000_000;
const endOfEvents = "data: [DONE]\n\n";

function composeChat({ body, model, serial, text, tokens }: Material): GoodAnswer {
  const base = { id: `chatcmpl-${serial}`, created, model, system_fingerprint: "fp_scripted" };
  const usage = tokens === null ? {} : { usage: chatUsage(tokens) };
  const message = { role: "assistant", content: text, refusal: null };
  const choice = { index: 0, message, logprobs: null, finish_reason: "stop" };
  const withUsage = asksForUsage(body);
  const chunk = (choices: readonly unknown[], extra: object): string =>
    data({ ...base, object: "chat.completion.chunk", choices, ...extra });
  const part = (delta: object, finish_reason: string | null): string =>
    chunk([{ index: 0, delta, logprobs: null, finish_reason }], withUsage ? { usage: null } : {});
  const events = [
    part({ role: "assistant", content: "", refusal: null }, null),
    ...pieces(text).map((content) => part({ content }, null)),
    part({}, "stop"),
    ...(withUsage && tokens !== null ? [chunk([], usage)] : []),
    endOfEvents,
  ];
  return ok({ ...base, object: "chat.completion", choices: [choice], ...usage }, events);
}

function composeText({ body, model, serial, text, tokens }: Material): GoodAnswer {
  const base = { id: `cmpl-${serial}`, object: "text_completion", created, model };
  const usage = tokens === null ? {} : { usage: chatUsage(tokens) };
  const choice = (piece: string, finish_reason: string | null) => ({
    choices: [{ index: 0, text: piece, logprobs: null, finish_reason }],
  });
  const events = [
    ...pieces(text).map((piece) => data({ ...base, ...choice(piece, null) })),
    data({ ...base, ...choice("", "stop") }),
    ...(asksForUsage(body) && tokens !== null ? [data({ ...base, choices: [], ...usage })] : []),
    endOfEvents,
  ];
  return ok({ ...base, ...choice(text, "stop"), ...usage }, events);
}

function composeResponse({ model, serial, text, tokens }: Material): GoodAnswer {
  const usage = tokens === null ? {} : { usage: responseUsage(tokens) };
  const part = { type: "output_text", text, annotations: [], logprobs: [] };
  const emptyPart = { ...part, text: "" };
  const item = { id: `msg_${serial}`, type: "message", role: "assistant" };
  const finishedItem = { ...item, status: "completed", content: [part] };
  const startedItem = { ...item, status: "in_progress", content: [] };
  const base = {
    id: `resp_${serial}`,
    object: "response",
    created_at: created,
    model,
    error: null,
  };
  const finished = { ...base, status: "completed", output: [finishedItem], ...usage };
  const started = { ...base, status: "in_progress", output: [], usage: null };
  const at = { item_id: item.id, output_index: 0, content_index: 0 };
  const typed: readonly (readonly [string, object])[] = [
    ["response.created", { response: started }],
    ["response.in_progress", { response: started }],
    ["response.output_item.added", { output_index: 0, item: startedItem }],
    ["response.content_part.added", { ...at, part: emptyPart }],
    ...pieces(text).map((delta): [string, object] => [
      "response.output_text.delta",
      { ...at, delta, logprobs: [] },
    ]),
    ["response.output_text.done", { ...at, text, logprobs: [] }],
    ["response.content_part.done", { ...at, part }],
    ["response.output_item.done", { output_index: 0, item: finishedItem }],
    ["response.completed", { response: finished }],
  ];
  const events = typed.map(
    ([type, fields], sequence_number) =>
      `event: ${type}\n${data({ type, sequence_number, ...fields })}`,
  );
  return ok(finished, events);
}

function composeEmbeddings({ body, model, prompts, tokens }: Material): GoodAnswer {
  const size = typeof body.dimensions === "number" ? body.dimensions : 8;
  const list = prompts.all.map((text, index) => {
    // Sixteenths survive the way through 32-bit floats unchanged.
    const vector = Float32Array.from({ length: size }, (_, i) => ((text.length + i) % 16) / 16);
    const packed = Buffer.from(vector.buffer).toString("base64");
    const embedding = body.encoding_format === "base64" ? packed : Array.from(vector);
    return { object: "embedding", index, embedding };
  });
  const prompt_tokens = tokens?.prompt ?? 0;
  const usage = tokens === null ? {} : { usage: { prompt_tokens, total_tokens: prompt_tokens } };
  return ok({ object: "list", data: list, model, ...usage });
}

function composeModeration({ serial, prompts }: Material): GoodAnswer {
  const results = prompts.all.map((text) => {
    const flagged = text.includes("violence");
    return {
      flagged,
      categories: { violence: flagged, harassment: false },
      category_scores: { violence: flagged ? 0.75 : 0.125, harassment: 0.125 },
    };
  });
  return ok({ id: `modr-${serial}`, model: "omni-moderation-latest", results });
}

const composers: ReadonlyMap<string, (material: Material) => GoodAnswer> = new Map([
  ["/v1/chat/completions", composeChat],
  ["/v1/completions", composeText],
  ["/v1/responses", composeResponse],
  ["/v1/embeddings", composeEmbeddings],
  ["/v1/moderations", composeModeration],
]);

const IMAGES = /^\/v1\/images\/(?:generations|edits)$/;

function composeImages({ prompt, n }: JsonObject): GoodAnswer {
  if (typeof prompt !== "string") return refusal(400, "you must provide a prompt");
  const image = { b64_json: Buffer.from(prompt).toString("base64") };
  return ok({ created, data: Array.from({ length: typeof n === "number" ? n : 1 }, () => image) });
}

const modelList = {
  object: "list",
  data: ["gpt-4o-mini", "gpt-4o", "gpt-3.5-turbo-instruct", "text-embedding-3-small"].map((id) => ({
    id,
    object: "model",
    created,
    owned_by: "system",
  })),
};

function showModels(path: string): GoodAnswer {
  if (path === "/v1/models") return ok(modelList);
  const id = decodeURIComponent(path.slice("/v1/models/".length));
  const found = modelList.data.find((model) => model.id === id);
  if (found !== undefined) return ok(found);
  const message = `The model '${id}' does not exist`;
  const error = { message, type: "invalid_request_error", param: "model", code: "model_not_found" };
  return { status: 404, json: { error }, events: [] };
}

const ok = (json: unknown, events: readonly string[] = []): GoodAnswer => ({
  status: 200,
  json,
  events,
});

const refusal = (status: number, message: string): GoodAnswer => ({
  status,
  json: openAiError(message, "invalid_request_error", null),
  events: [],
});

const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;

/** Cuts a text into at most five parts, never inside a character. */
function pieces(text: string): string[] {
  const points = Array.from(text);
  const size = Math.max(1, Math.ceil(points.length / 5));
  const count = Math.ceil(points.length / size);
  return Array.from({ length: count }, (_, i) => points.slice(i * size, (i + 1) * size).join(""));
}

const asksForUsage = (body: JsonObject): boolean =>
  toObject(body.stream_options).include_usage === true;

const chatUsage = ({ prompt, completion }: TokenCounts) => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
  prompt_tokens_details: { cached_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0 },
});

const responseUsage = ({ prompt, completion }: TokenCounts) => ({
  input_tokens: prompt,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: completion,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: prompt + completion,
});

/** Reads `messages`, `input` and `prompt` alike: a text, texts, or turns that have a role. */
function readPrompts(source: unknown): Prompts {
  const turns: readonly unknown[] = Array.isArray(source) ? source : [source];
  const last = turns.findLast((turn) => typeof turn === "string" || toObject(turn).role === "user");
  return { all: turns.map(textOf), last: textOf(last) };
}

function textOf(turn: unknown): string {
  if (typeof turn === "string") return turn;
  const { content, text } = toObject(turn);
  if (Array.isArray(content)) return content.map(textOf).join("");
  const own = content ?? text;
  return typeof own === "string" ? own : "";
}

const toObject = (value: unknown): JsonObject =>
  typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
