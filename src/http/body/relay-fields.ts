import { z } from "zod";
import { wantsNewerTokenField } from "../../core/call/messages.ts";
import { reservedTokens } from "../../core/call/reserved-tokens.ts";

/** The fields of a relayed request that Parley reads. The upstream checks all others. */
export const relayFields = z.looseObject({
  model: z.string().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: z.int().min(0).nullish(),
  max_completion_tokens: z.int().min(0).nullish(),
  max_output_tokens: z.int().min(0).nullish(),
});

export type RelayFields = z.output<typeof relayFields>;

/** More than any call can use. Keeps reserved tokens and money within 64 bits. */
const MAX_RESERVED_TOKENS = 1_000_000_000;

/** The bound applies to each answer to each prompt. */
export function reservedForRelay(fields: RelayFields, bytes: number): number {
  const bound = fields.max_completion_tokens ?? fields.max_output_tokens ?? fields.max_tokens;
  const prompts = Array.isArray(fields.prompt)
    ? fields.prompt.filter((one) => typeof one !== "number").length
    : 1;
  const answers = Math.max(1, prompts) * Math.max(countOf(fields.n), countOf(fields.best_of));
  const others = (answers - 1) * reservedTokens(0, bound ?? null);
  return Math.min(reservedTokens(bytes, bound ?? null) + others, MAX_RESERVED_TOKENS);
}

/** Number of answers. The upstream refuses anything but a number. */
function countOf(value: unknown): number {
  return typeof value === "number" && value > 1 ? Math.ceil(value) : 1;
}

/** Whether Parley must ask for the usage of a stream, and hide it from the client. */
export function needsUsageOption({ stream, stream_options: options }: RelayFields): boolean {
  return stream === true && options?.include_usage !== true;
}

/** The same request with usage asked for. */
export function askingForUsage(body: object): object {
  const options: unknown = Reflect.get(body, "stream_options");
  // an object or null: the schema was applied
  return { ...body, stream_options: { ...(options as object | null), include_usage: true } };
}

/** The same chat request, with the bound of the answer under the name that the model requires. */
export function withTokenField(body: object, model: string): object {
  const renames =
    "max_tokens" in body && !("max_completion_tokens" in body) && wantsNewerTokenField(model);
  if (!renames) return body;
  const { max_tokens, ...rest } = body;
  return { ...rest, max_completion_tokens: max_tokens };
}
