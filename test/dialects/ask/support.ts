/** Conversation trees of a Parley under test, read strictly: another shape fails the test. */
import { z } from "zod";
import { type OpenStream, openStream, postJson, type Reply } from "../../support/http.ts";
import type { RecordedRequest } from "../../support/upstream.ts";

const turn = z.strictObject({
  message: z.string(),
  conversation_id: z.string().regex(/^[0-9a-f]{32}$/),
  parent_id: z.string().min(1),
  model: z.string(),
  usage: z.looseObject({ total_tokens: z.int() }).nullable(),
  finish_reason: z.string().nullable(),
  omitted: z.int().min(0),
});
export const lastEvent = turn.extend({ done: z.literal(true) });
const failure = z.looseObject({ response: z.string().min(1), detail: z.string().min(1) });
const tree = z.strictObject({
  conversation_id: z.string(),
  parent_id: z.string().nullable(),
  expires_at: z.iso.datetime(),
  omitted: z.int(),
  messages: z.array(
    z.strictObject({
      id: z.string(),
      parent_id: z.string().nullable(),
      role: z.enum(["user", "assistant"]),
      content: z.unknown(),
      created_at: z.iso.datetime(),
      state: z.enum(["complete", "interrupted"]),
    }),
  ),
});

export type AskTurn = z.output<typeof turn>;
export type AskTree = z.output<typeof tree>;

/** How one caller asks. */
export interface Asker {
  ask(conversation: string, prompt: string, more?: object): Promise<AskTurn>;
  /** `status detail` of a failure in the dialect's form. */
  refused(method: string, conversation: string, body?: unknown): Promise<string>;
  tree(conversation: string): Promise<AskTree>;
  send(method: string, conversation: string, body?: unknown): Promise<Reply>;
  open(conversation: string, prompt: string, more?: object): Promise<OpenStream>;
}

export function createAsker(origin: string, key: string | null = null): Asker {
  const headers: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` };
  const send: Asker["send"] = (method, conversation, body) =>
    postJson(`${origin}/ask/${conversation}`, body, { method, headers });
  return {
    send,
    async ask(conversation, prompt, more = {}) {
      const reply = await send("POST", conversation, { prompt, ...more });
      if (reply.status !== 200) throw new Error(`${reply.status} ${reply.text}`);
      return turn.parse(reply.json);
    },
    async refused(method, conversation, body) {
      const reply = await send(method, conversation, body);
      return `${reply.status} ${failure.parse(reply.json).detail}`;
    },
    tree: async (conversation) => tree.parse((await send("GET", conversation)).json),
    open: (conversation, prompt, more = {}) =>
      openStream(`${origin}/ask/${conversation}`, { prompt, stream: true, ...more }, { headers }),
  };
}

/** What the upstream was asked last, as texts. */
export function lastAsked(requests: readonly RecordedRequest[]): readonly unknown[] {
  const messages: unknown = Reflect.get(Object(requests.at(-1)?.json), "messages");
  if (!Array.isArray(messages)) throw new Error("the upstream was not asked for a chat");
  return messages.map((message: unknown) => Reflect.get(Object(message), "content"));
}
