import { z } from "zod";
import { wantsNewerTokenField } from "../../core/call/messages.ts";
import { reservedTokens } from "../../core/call/reserved-tokens.ts";

/** What we have to understand of a request that is passed on; all the rest is the upstream's. */
export const relayFields = z.looseObject({
  model: z.string().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: z.int().min(0).nullish(),
  max_completion_tokens: z.int().min(0).nullish(),
  max_output_tokens: z.int().min(0).nullish(),
});

export type RelayFields = z.output<typeof relayFields>;

/** More than any call can come to; keeps what is reserved, money too, inside 64 bits. */
const MAX_RESERVED_TOKENS = 1_000_000_000;

/** An answer's bound holds for each of the answers that are asked for, to each of the prompts. */
export function reservedForRelay(fields: RelayFields, bytes: number): number {
  const bound = fields.max_completion_tokens ?? fields.max_output_tokens ?? fields.max_tokens;
  const prompts = Array.isArray(fields.prompt)
    ? fields.prompt.filter((one) => typeof one !== "number").length
    : 1;
  const answers = Math.max(1, prompts) * Math.max(countOf(fields.n), countOf(fields.best_of));
  const others = (answers - 1) * reservedTokens(0, bound ?? null);
  return Math.min(reservedTokens(bytes, bound ?? null) + others, MAX_RESERVED_TOKENS);
}

/** How many answers; anything else than a number is the upstream's to refuse. */
function countOf(value: unknown): number {
  return typeof value === "number" && value > 1 ? Math.ceil(value) : 1;
}

/** Whether a stream has to be asked for its usage, which its client then is not to see. */
export function lacksUsage({ stream, stream_options: options }: RelayFields): boolean {
  return stream === true && options?.include_usage !== true;
}

/** The same request, asking for usage. */
export function askingForUsage(body: object): object {
  const options: unknown = Reflect.get(body, "stream_options");
  // an object or null, as the schema has it
  return { ...body, stream_options: { ...(options as object | null), include_usage: true } };
}

/** The same chat request, with the bound of the answer under the name that the model wants. */
export function withTokenField(body: object, model: string): object {
  const renames =
    "max_tokens" in body && !("max_completion_tokens" in body) && wantsNewerTokenField(model);
  if (!renames) return body;
  const { max_tokens, ...rest } = body;
  return { ...rest, max_completion_tokens: max_tokens };
}
