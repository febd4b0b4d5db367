/** Reads the answers of /chat_complete strictly: whatever is not one fails the test. */
import { z } from "zod";
import {
  type OpenStream,
  openStream,
  postJson,
  type Reply,
  type SendOptions,
} from "../../support/http.ts";
import { OWN_KEY, type Scene, type SceneOptions, startScene } from "../../support/scene.ts";
import { ADMIN_ENV, type Issued, issue, setPrice } from "../openai/support.ts";

export const OWN = { "openai-token": OWN_KEY };

export interface CompletionScene extends Scene {
  /** The address of /chat_complete. */
  readonly at: string;
}

export async function startCompletion(
  env: Readonly<Record<string, string>> = {},
  options: SceneOptions = {},
): Promise<CompletionScene> {
  const scene = await startScene(env, options);
  return { ...scene, at: `${scene.parley.origin}/chat_complete` };
}

export interface HolderScene extends CompletionScene, Issued {}

/** With an operator who has set prices and issued a token. */
export async function startWithToken(
  env: Readonly<Record<string, string>> = {},
  options: SceneOptions = {},
): Promise<HolderScene> {
  const scene = await startCompletion({ ...ADMIN_ENV, ...env }, options);
  for (const model of ["gpt-4o-mini", "gpt-4o"]) await setPrice(scene.parley.origin, model);
  return { ...scene, ...(await issue(scene.parley.origin)) };
}

const success = z.strictObject({
  id: z.string(),
  object: z.literal("chat.completion"),
  created: z.int(),
  model: z.string(),
  system_fingerprint: z.string(),
  choices: z.array(z.unknown()),
  usage: z.looseObject({ total_tokens: z.int() }),
  text: z.string(),
  status: z.literal("ok"),
});

const failure = z.looseObject({
  text: z.string().min(1),
  status: z.literal("error"),
  code: z.string(),
  field: z.string().optional(),
});
export type Failure = z.output<typeof failure>;

export async function complete(url: string, body: unknown, options?: SendOptions) {
  const reply = await postJson(url, body, options);
  if (reply.status !== 200) throw new Error(`${reply.status}: ${reply.text}`);
  return success.parse(reply.json);
}

export interface Refusal extends Failure {
  readonly reply: Reply;
}

export async function completeInVain(
  url: string,
  body: unknown,
  options?: SendOptions,
): Promise<Refusal> {
  const reply = await postJson(url, body, options);
  if (reply.status < 400) throw new Error(`${reply.status}: ${reply.text}`);
  return { ...failure.parse(reply.json), reply };
}

const chunk = z.looseObject({
  object: z.literal("chat.completion.chunk"),
  choices: z.array(z.looseObject({ delta: z.looseObject({}) })),
  text: z.string(),
  status: z.literal("ok"),
});
type Chunk = z.output<typeof chunk>;

export interface ReadStream {
  readonly head: OpenStream;
  readonly chunks: readonly Chunk[];
  readonly text: string;
  readonly failure: Failure | null;
  /** [DONE] was the end. */
  readonly done: boolean;
}

/** Reads a stream to its end and checks the order: chunks, then [DONE] or a failure. */
export async function completeStream(
  url: string,
  body: { readonly generate_params?: object } & object,
  options?: SendOptions,
): Promise<ReadStream> {
  const params = { ...body.generate_params, stream: true };
  const head = await openStream(url, { ...body, generate_params: params }, options);
  const texts = await Array.fromAsync(head.events);
  const done = texts.at(-1) === "[DONE]";
  const events = (done ? texts.slice(0, -1) : texts).map((text): unknown => JSON.parse(text));
  const failed = done ? null : failure.parse(events.pop());
  const chunks = events.map((event) => chunk.parse(event));
  return { head, chunks, text: chunks.map(({ text }) => text).join(""), failure: failed, done };
}
