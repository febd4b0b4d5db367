/** Chats of a Parley under test, read strictly: an answer of another shape fails the test. */
import { expect } from "vitest";
import { z } from "zod";
import { type OpenStream, openStream, postJson, type Reply } from "../../support/http.ts";
import { startScene } from "../../support/scene.ts";

export const ADMIN_TOKEN = "admin-0123456789-0123456789-0123456789";
export const WAIT_MS = 5_000;
export const SECRET_KEY = "0123456789-0123456789-0123456789-0123456789";

const count = z.int().nullable();
const chatAnswer = z.strictObject({
  content: z.string(),
  role: z.literal("assistant"),
  tokens: z.strictObject({ completion_tokens: count, prompt_tokens: count, total_tokens: count }),
  model: z.string(),
  finish_reason: z.string().nullable(),
  omitted: z.int().min(0),
});
const lastEvent = chatAnswer.extend({ done: z.literal(true) });
const delta = z.strictObject({ delta: z.string().min(1) });
const failure = z.looseObject({
  error: z.string().min(1),
  code: z.string().regex(/^[a-z0-9_]+$/),
  field: z.string().optional(),
});
const history = z.array(
  z.strictObject({
    role: z.enum(["system", "user", "assistant"]),
    content: z.union([z.string(), z.array(z.unknown())]),
    state: z.literal("interrupted").optional(),
  }),
);

export type ChatAnswer = z.output<typeof chatAnswer>;
export type History = z.output<typeof history>;

/** How one caller asks. */
export interface Caller {
  send(method: string, path: string, body?: unknown): Promise<Reply>;
  /** Expects 200 and returns the parsed body. */
  get(path: string): Promise<unknown>;
  post(path: string, body?: unknown): Promise<unknown>;
  delete(path: string): Promise<unknown>;
  /** Asks in a chat. */
  ask(chat: string, content: unknown, more?: object): Promise<ChatAnswer>;
  history(chat: string): Promise<History>;
  /** Expects a failure in the dialect's form; `status code` as one text, to be compared. */
  refused(method: string, path: string, body?: unknown): Promise<string>;
  open(chat: string, content: unknown): Promise<OpenStream>;
}

export function createCaller(
  origin: string,
  headers: Readonly<Record<string, string>> = {},
): Caller {
  const send: Caller["send"] = (method, path, body) =>
    postJson(origin + path, body, { method, headers });
  const good = async (method: string, path: string, body?: unknown) => {
    const reply = await send(method, path, body);
    if (reply.status !== 200) throw new Error(`${method} ${path}: ${reply.status} ${reply.text}`);
    return reply.json;
  };
  return {
    send,
    get: (path) => good("GET", path),
    post: (path, body) => good("POST", path, body),
    delete: (path) => good("DELETE", path),
    ask: async (chat, content, more = {}) =>
      chatAnswer.parse(await good("POST", `/${chat}/chat`, { content, ...more })),
    history: async (chat) => history.parse(await good("GET", `/${chat}/chat`)),
    refused: async (method, path, body) => {
      const reply = await send(method, path, body);
      const { code } = failureOf(reply);
      return `${reply.status} ${code}`;
    },
    open: (chat, content) =>
      openStream(`${origin}/${chat}/chat`, { content, stream: true }, { headers }),
  };
}

export function failureOf(reply: Reply): z.output<typeof failure> {
  expect(reply.headers["content-type"]).toBe("application/json; charset=utf-8");
  return failure.parse(reply.json);
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** Callers with keys of their own, whom the upstream serves. */
export const keyed = (origin: string, name = "ann"): Caller =>
  createCaller(origin, bearer(`sk-${name}-0123456789`));

export const visitor = (origin: string): Caller => createCaller(origin);

export async function startChats(
  env: Readonly<Record<string, string>> = {},
  options: Parameters<typeof startScene>[1] = {},
) {
  const scene = await startScene({ ADMIN_TOKEN, ...env }, options);
  const { origin } = scene.parley;
  return {
    ...scene,
    origin,
    ann: keyed(origin),
    admin: createCaller(origin, bearer(ADMIN_TOKEN)),
    nobody: visitor(origin),
    /** The messages of the last question that reached the upstream. */
    asked: () => z.looseObject({ messages: history }).parse(scene.upstream.requests.at(-1)?.json),
  };
}

export interface ReadChatStream {
  readonly deltas: readonly string[];
  readonly last: z.output<typeof lastEvent> | null;
  readonly failure: z.output<typeof failure> | null;
  /** [DONE] was the end. */
  readonly done: boolean;
}

/** Reads a stream to its end and checks the order: deltas, the whole answer, [DONE]; or a failure. */
export async function readStream({ events }: OpenStream): Promise<ReadChatStream> {
  const texts = await Array.fromAsync(events);
  const done = texts.at(-1) === "[DONE]";
  const all = (done ? texts.slice(0, -1) : texts).map((text): unknown => JSON.parse(text));
  const end = all.at(-1);
  const last = lastEvent.safeParse(end).data ?? null;
  const failed = failure.safeParse(end).data ?? null;
  const before = last === null && failed === null ? all : all.slice(0, -1);
  const deltas = before.map((event) => delta.parse(event).delta);
  return { deltas, last, failure: failed, done };
}

/** The lines of an export. */
export function linesOf(reply: Reply): readonly Record<string, unknown>[] {
  expect(reply.headers["content-type"]).toBe("application/x-ndjson");
  expect(reply.text === "" || reply.text.endsWith("\n")).toBe(true);
  const lines = reply.text.split("\n").slice(0, -1);
  return lines.map((line) => z.record(z.string(), z.unknown()).parse(JSON.parse(line)));
}

/** Throws unless every message has its parent, every question its answer, and all are counted. */
export function checkWhole(lines: readonly Record<string, unknown>[]): number {
  const messages = lines.filter(({ type }) => type === "message");
  const ids = new Set(messages.map(({ id }) => id));
  const answered = new Set(
    messages.filter(({ role }) => role === "assistant").map((one) => one.parent_id),
  );
  const parents = messages.map((one) => one.parent_id).filter((id) => id !== null);
  if (new Set(parents).size !== parents.length) throw new Error("a chat with branches");
  for (const message of messages) {
    if (message.parent_id !== null && !ids.has(message.parent_id)) throw new Error("an orphan");
    if (message.role === "user" && !answered.has(message.id)) throw new Error("half a turn");
  }
  const counted = lines.reduce(
    (sum, one) => sum + (one.type === "conversation" ? Number(one.messages) : 0),
    0,
  );
  if (counted !== messages.length) throw new Error(`${counted} counted, ${messages.length} there`);
  return messages.length;
}
