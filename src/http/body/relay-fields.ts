import { z } from "zod";
import { wantsNewerTokenField } from "../../core/call/messages.ts";
import {
  type ExpectedTokens,
  expectedAnswer,
  expectedQuestion,
} from "../../core/call/reserved-tokens.ts";
import type { UsageOption } from "../../core/upstream-ports.ts";
import { binaryPartsOf } from "./binary-parts.ts";

/** Servers differ in which fields bound an answer; some take -1 for no bound. */
const bound = z.int().min(-1).nullish();

/** The fields of a relayed request that Parley reads. The upstream checks all others. */
export const relayFields = z.looseObject({
  model: z.string().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: bound,
  max_completion_tokens: bound,
  max_output_tokens: bound,
});

export type RelayFields = z.output<typeof relayFields>;

/** The fields that bound the answer of an endpoint. Others mean nothing to it. */
export type BoundField = "max_tokens" | "max_completion_tokens" | "max_output_tokens";

export const CHAT_BOUNDS: readonly BoundField[] = ["max_completion_tokens", "max_tokens"];

/** The largest bound that an endpoint may read, and its field; null if there is none. */
export function boundOf(
  fields: RelayFields,
  names: readonly BoundField[],
): { readonly field: BoundField; readonly tokens: number } | null {
  let largest = null;
  for (const field of names) {
    const tokens = fields[field] ?? 0;
    if (tokens > (largest?.tokens ?? 0)) largest = { field, tokens };
  }
  return largest;
}

/**
 * `bytes`: the length of the body. `names`: the fields that bound each answer; null if the model writes
 * none.
 */
export function expectedOfRelay(
  fields: RelayFields,
  bytes: number,
  names: readonly BoundField[] | null,
): ExpectedTokens {
  const binary = binaryPartsOf(fields);
  const question = expectedQuestion(Math.max(0, bytes - binary.characters), binary.tokens);
  if (names === null) return { question, answer: 0, answers: 0 };
  const answer = expectedAnswer(boundOf(fields, names)?.tokens);
  const inBackground = fields.background === true && names.includes("max_output_tokens");
  return { question, answer, answers: answersOf(fields), ...(inBackground && { inBackground }) };
}

/** The bound applies to each answer to each prompt. */
export function answersOf(fields: RelayFields): number {
  const prompts = Array.isArray(fields.prompt)
    ? fields.prompt.filter((one) => typeof one !== "number").length
    : 1;
  return Math.max(1, prompts) * Math.max(countOf(fields.n), countOf(fields.best_of));
}

/** Number of answers. Some services take a number in quotes, none takes anything else. */
function countOf(value: unknown): number {
  const count = typeof value === "string" ? Number(value) : value;
  return typeof count === "number" && count > 1 ? Math.ceil(count) : 1;
}

/** Whether Parley must ask for the usage of a stream, and hide it from the client. */
export function needsUsageOption({ stream, stream_options: options }: RelayFields): boolean {
  return stream === true && options?.include_usage !== true;
}

/** How to take the option back; undefined if the client has set options of its own. */
export function usageOption(
  { stream_options: own }: RelayFields,
  model: string,
  isAsked: boolean,
  without: () => string,
): UsageOption | undefined {
  return isAsked && (own === undefined || own === null) ? { model, without } : undefined;
}

/** The same request with usage asked for. */
export function askingForUsage(body: object): object {
  const options: unknown = Reflect.get(body, "stream_options");
  // an object or null: the schema was applied
  return { ...body, stream_options: { ...(options as object | null), include_usage: true } };
}

/** Fields that decide what a call may take, and those that the others stand beside. */
const READ: ReadonlySet<string> = new Set([
  ...Object.keys(relayFields.shape),
  ...["n", "best_of", "background", "messages", "input", "prompt"],
  ...["previous_response_id", "conversation", "store"],
]);
const LONGEST_READ = Math.max(...[...READ].map(({ length }) => length));

/**
 * The same request without `Model`, `MAX_TOKENS` and the like. Servers in Go take a name in any case
 * and the last one wins: it would be another model, or another bound, than was admitted.
 */
export function withoutLookalikes<T extends object>(body: T): T {
  const names = Object.keys(body);
  if (!names.some(isLookalike)) return body;
  // Cast: what was taken out is not in the type
  return Object.fromEntries(Object.entries(body).filter(([name]) => !isLookalike(name))) as T;
}

/** Whether a service may take the name for one that Parley reads. */
export function isLookalike(name: string): boolean {
  return !READ.has(name) && name.length <= LONGEST_READ && READ.has(folded(name));
}

/** Capitals first: two letters beyond ASCII are `s` and `k` in any case. */
function folded(name: string): string {
  return name.toUpperCase().toLowerCase();
}

/** The same chat request, with the bound of the answer under the name that the model requires. */
export function withTokenField(body: object, model: string): object {
  const renames =
    "max_tokens" in body && !("max_completion_tokens" in body) && wantsNewerTokenField(model);
  if (!renames) return body;
  const { max_tokens, ...rest } = body;
  return { ...rest, max_completion_tokens: max_tokens };
}
