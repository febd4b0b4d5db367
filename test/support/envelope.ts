/** Reads envelopes strictly: whatever is not one fails the test. */
import { z } from "zod";
import { type OpenStream, openStream, postJson, type Reply, type SendOptions } from "./http.ts";

const turn = z.strictObject({ role: z.string(), content: z.string() });

const success = z.strictObject({
  code: z.literal(200),
  msg: z.string().min(1),
  data: z.strictObject({
    response: z.string(),
    model: z.string(),
    usage: z
      .strictObject({
        prompt_tokens: z.int(),
        completion_tokens: z.int(),
        total_tokens: z.int(),
      })
      .nullable(),
    finish_reason: z.string().nullable(),
    continuous: z.array(turn),
    done: z.literal(true).optional(),
  }),
  done: z.literal(true).optional(),
  current_response: z.string().optional(),
  result: z.array(turn).optional(),
});
type Success = z.output<typeof success>;

export const failure = z.strictObject({
  code: z.int().min(400).max(599),
  msg: z.string().min(1),
  data: z.looseObject({
    response: z.string().min(1),
    error: z.string(),
    field: z.string().optional(),
  }),
});
export type Failure = z.output<typeof failure>;

const delta = z.strictObject({
  code: z.literal(200),
  msg: z.string().min(1),
  data: z.strictObject({ delta: z.string().min(1) }),
});

/** Posts a question and reads a good answer. */
export async function ask(url: string, body: unknown, options?: SendOptions): Promise<Success> {
  const reply = await postJson(url, body, options);
  if (reply.status !== 200) throw new Error(`${reply.status}: ${reply.text}`);
  return success.parse(reply.json);
}

export interface Refusal extends Failure {
  readonly reply: Reply;
}

/** Posts and reads a failure; its code is the HTTP status. */
export async function askInVain(
  url: string,
  body: unknown,
  options?: SendOptions,
): Promise<Refusal> {
  const reply = await postJson(url, body, options);
  const envelope = failure.parse(reply.json);
  if (envelope.code !== reply.status) {
    throw new Error(`status ${reply.status} says ${envelope.code}: ${reply.text}`);
  }
  return { ...envelope, reply };
}

export interface ReadStream {
  readonly head: OpenStream;
  readonly deltas: readonly string[];
  readonly last: Success | null;
  readonly failure: Failure | null;
  /** [DONE] was the end. */
  readonly done: boolean;
}

/** Reads a stream to its end and checks the order: deltas, the whole answer, [DONE]; or a failure. */
export async function askStream(
  url: string,
  body: object,
  options?: SendOptions,
): Promise<ReadStream> {
  const head = await openStream(url, { stream: true, ...body }, options);
  const texts = await Array.fromAsync(head.events);
  const done = texts.at(-1) === "[DONE]";
  const events = (done ? texts.slice(0, -1) : texts).map((text): unknown => JSON.parse(text));
  const end = events.at(-1);
  const failed = failure.safeParse(end).data ?? null;
  const last =
    failed === null ? (success.required({ done: true }).safeParse(end).data ?? null) : null;
  const deltaEvents = failed === null && last === null ? events : events.slice(0, -1);
  const deltas = deltaEvents.map((event) => delta.parse(event).data.delta);
  return { head, deltas, last, failure: failed, done };
}
