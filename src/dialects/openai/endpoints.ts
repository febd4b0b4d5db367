import { z } from "zod";
import type { ExpectedTokens } from "../../core/call/reserved-tokens.ts";
import {
  type BoundField,
  CHAT_BOUNDS,
  type RelayFields,
  relayFields,
} from "../../http/body/relay-fields.ts";

/** One endpoint of OpenAI's API that Parley relays. */
export interface Endpoint {
  /** Below /v1, and below the upstream's base path. */
  readonly path: string;
  /** What a request must have. The upstream checks all other fields. */
  readonly body: z.ZodType<RelayFields>;
  /** A request that succeeds; `model` is the operator's MODEL. */
  example(model: string): object;
  /** Whether its streams report usage only on request. */
  readonly asksForUsage: boolean;
  /** Whether its events are numbered and named, errors among them. */
  readonly numbersEvents?: true;
  /** The fields that bound its answer. Null: the model writes no text. */
  readonly bounds: readonly BoundField[] | null;
  /** Whether OpenAI has a model for requests that name none. */
  readonly hasDefaultModel?: true;
  /** What a call is expected to take, where it makes more than text. */
  expected?(fields: RelayFields, bytes: number): ExpectedTokens;
  /** Whether it streams for another reason than `stream`. */
  isStreamed?(fields: RelayFields): boolean;
  /** The service keeps its answers, and takes their ids. */
  readonly keepsAnswers?: true;
  /** Its answers may be files, which are not repeated. */
  readonly answersFiles?: true;
}

const QUESTION = "Say hello.";

const model = z.string();
/** Text, several texts, tokens, or parts. */
const input = z.union([z.string(), z.array(z.unknown())]);

const chatBody = relayFields.extend({
  model,
  messages: z.array(z.looseObject({ role: z.string() })),
});
/** A stored prompt may name the model, and what came before may be the question. */
const responsesBody = z.union([
  relayFields.extend({ model, input }),
  relayFields.extend({ model, previous_response_id: z.string() }),
  relayFields.extend({ model, conversation: z.union([z.string(), z.looseObject({})]) }),
  relayFields.extend({ prompt: z.looseObject({ id: z.string() }) }),
]);

const compactBody = z.union([
  relayFields.extend({ model, input }),
  relayFields.extend({ model, previous_response_id: z.string() }),
]);

export const chatEndpoint: Endpoint = {
  path: "/chat/completions",
  body: chatBody,
  example: (model) => ({ model, messages: [{ role: "user", content: QUESTION }] }),
  asksForUsage: true,
  bounds: CHAT_BOUNDS,
};

/** OpenAI's models for text cannot embed, and those for chat cannot complete. */
export const endpoints: readonly Endpoint[] = [
  chatEndpoint,
  {
    path: "/completions",
    body: relayFields.extend({ model, prompt: input }),
    example: () => ({ model: "gpt-3.5-turbo-instruct", prompt: QUESTION }),
    asksForUsage: true,
    bounds: ["max_tokens"],
  },
  {
    path: "/responses",
    body: responsesBody,
    example: (model) => ({ model, input: QUESTION }),
    asksForUsage: false,
    bounds: ["max_output_tokens"],
    numbersEvents: true,
    keepsAnswers: true,
  },
  {
    path: "/responses/compact",
    body: compactBody,
    example: (model) => ({ model, input: QUESTION }),
    asksForUsage: false,
    bounds: ["max_output_tokens"],
    keepsAnswers: true,
  },
  {
    path: "/embeddings",
    body: relayFields.extend({ model, input }),
    example: () => ({ model: "text-embedding-3-small", input: QUESTION }),
    asksForUsage: false,
    bounds: null,
  },
  {
    path: "/moderations",
    body: relayFields.extend({ input }),
    example: () => ({ input: QUESTION }),
    asksForUsage: false,
    bounds: null,
    hasDefaultModel: true,
  },
];

/** First segments of OpenAI's API, for the log of what is not served here. */
export const openaiSegments: ReadonlySet<string> = new Set(
  `assistants audio batches chat chatkit completions containers conversations edits embeddings engines evals
   files fine-tunes fine_tuning images models moderations organization projects realtime responses skills
   threads uploads vector_stores videos`.split(/\s+/),
);
