/** Tokens, prices and the ledger of a Parley under test, and answers richer than an echo. */
import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import OpenAI from "openai";
import { closeAfterFile } from "../../support/cleanup.ts";
import { postJson, type Reply, type SendOptions } from "../../support/http.ts";
import { type Scene, type SceneOptions, startScene } from "../../support/scene.ts";
import {
  type Behaviour,
  goodHeaders,
  type ScriptedUpstream,
  startUpstream,
  type UpstreamOptions,
  wantsStream,
} from "../../support/upstream.ts";

const ADMIN_TOKEN = "admin-0123456789-0123456789-0123456789";
export const ADMIN_ENV = { ADMIN_TOKEN, SECRET_KEY: "0123456789-0123456789-0123456789-0123456789" };
export const MODEL = "gpt-4o-mini";
export const EMBEDDER = "text-embedding-3-small";
export const INSTRUCT = "gpt-3.5-turbo-instruct";
export const WAIT_MS = 5_000;
export const question = { model: MODEL, messages: [{ role: "user", content: "Hello?" }] };
/** Dollars per million tokens. */
export const PRICE = { input: "0.15", output: "0.6" };

export interface Issued {
  readonly id: string;
  readonly token: string;
}

export interface TokenScene extends Scene, Issued {
  /** The address of chat completions. */
  readonly chat: string;
  /** Posts a chat with the token. */
  ask(body?: unknown, options?: SendOptions): Promise<Reply>;
  issue(fields?: object): Promise<Issued>;
  /** The official client, told nothing but the address and the token. */
  client(token?: string): OpenAI;
  rows(): readonly Row[];
}

/** A scene with an operator: one token without limits, and prices for the models used here. */
export async function startTokenScene(
  env: Readonly<Record<string, string>> = {},
  options: SceneOptions = {},
): Promise<TokenScene> {
  const scene = await startScene({ ...ADMIN_ENV, ...env }, options);
  const { origin, config } = scene.parley;
  for (const model of [MODEL, EMBEDDER, INSTRUCT]) await setPrice(origin, model);
  const issued = await issue(origin);
  const chat = `${origin}/v1/chat/completions`;
  return {
    ...scene,
    ...issued,
    chat,
    ask: (body = question, { headers, ...rest } = {}) =>
      postJson(chat, body, { ...rest, headers: { ...bearer(issued.token), ...headers } }),
    issue: (fields) => issue(origin, fields),
    client: (token = issued.token) => createClient(`${origin}/v1`, token),
    rows: () => rowsIn(config.DATA_DIR),
  };
}

/** An upstream to be asked without Parley between, until the file ends. */
export async function startAlone(options: UpstreamOptions = {}): Promise<ScriptedUpstream> {
  return closeAfterFile(await startUpstream(options));
}

export const createClient = (baseURL: string, apiKey: string): OpenAI =>
  new OpenAI({ baseURL, apiKey, maxRetries: 0 });

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

export async function issue(origin: string, fields: object = {}): Promise<Issued> {
  const reply = await admin(origin, "POST", "/tokens", {
    name: `a holder ${randomUUID()}`,
    ...fields,
  });
  return reply.json as Issued;
}

export const setPrice = (origin: string, model: string): Promise<Reply> =>
  admin(origin, "PUT", `/prices/${model}`, PRICE);

export async function admin(
  origin: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<Reply> {
  const headers = bearer(ADMIN_TOKEN);
  const reply = await postJson(`${origin}/admin${path}`, body, { method, headers });
  if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status} ${reply.text}`);
  return reply;
}

export interface Row {
  readonly request_id: string;
  readonly payer_kind: string;
  readonly token_id: string | null;
  readonly key_digest: string | null;
  readonly dialect: string;
  readonly model: string;
  readonly answered_by: string | null;
  readonly prompt_tokens: number | null;
  readonly completion_tokens: number | null;
  readonly total_tokens: number | null;
  /** Whole picodollars. */
  readonly cost: number | null;
  readonly provenance: string;
  readonly outcome: string;
  readonly on_disconnect: string;
  readonly error: string | null;
  readonly first_token_ms: number | null;
  readonly duration_ms: number | null;
  readonly upstream_id: string | null;
}

/** The ledger, oldest first, through a connection of its own. */
export function rowsIn(folder: string): readonly Row[] {
  const file = new DatabaseSync(`${folder}/parley.sqlite`, { readOnly: true });
  try {
    return file.prepare("SELECT * FROM ledger ORDER BY id").all() as unknown as Row[];
  } finally {
    file.close();
  }
}

/** Answers every request with this object, or with these events where a stream is asked for. */
export const tell = (json: unknown, events: readonly unknown[] = []): Behaviour => ({
  name: "tell",
  run: async ({ request, response, write }) => {
    const streams = wantsStream(request);
    const type = streams ? "text/event-stream" : "application/json";
    response.writeHead(200, goodHeaders(request, type));
    for (const event of streams ? events : []) await write(`data: ${JSON.stringify(event)}\n\n`);
    response.end(streams ? "data: [DONE]\n\n" : JSON.stringify(json));
  },
});

/** Sends these pieces of a stream one by one, then ends it. */
export const sendPieces = (pieces: Iterable<string | Uint8Array>): Behaviour => ({
  name: "pieces",
  run: async ({ request, response, write }) => {
    response.writeHead(200, goodHeaders(request, "text/event-stream; charset=utf-8"));
    for (const piece of pieces) await write(piece);
    response.end();
  },
});

/** What OpenAI puts into an error. */
export interface OpenAIError {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
}

/** The error of an answer, after a look at its shape. */
export function errorOf({ json, text, headers }: Reply): OpenAIError {
  const error: unknown =
    typeof json === "object" && json !== null && Object.keys(json).join() === "error"
      ? Reflect.get(json, "error")
      : null;
  const isError =
    typeof error === "object" &&
    error !== null &&
    ["message", "type", "param", "code"].every((name) => name in error) &&
    headers["content-type"]?.startsWith("application/json") === true;
  if (!isError) throw new Error(`not an OpenAI error: ${text}`);
  return error as OpenAIError;
}
