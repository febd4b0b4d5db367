/** What is of interest at one place of an answer's JSON. */
export interface Place {
  /** Its value is kept. */
  readonly keeps?: true;
  /** A text here is the model's own: its tokens are counted. */
  readonly speaks?: true;
  /** An error, or a warning: words that may quote a secret. */
  readonly blames?: true;
  /** What the model thinks, under one of several names: the first one counts. */
  readonly thinks?: true;
  /** Differs from event to event and says nothing about the call. */
  readonly varies?: true;
  /** By key, where it is an object. */
  readonly keys?: ReadonlyMap<string, Place>;
  /** Of each element, where it is a list. */
  readonly items?: Place;
}

/** An object or list whose end has not come. */
export interface Level {
  readonly place: Place;
  readonly node: object;
  readonly isList: boolean;
  /** The name under which it thinks. */
  thought: string | null;
}

/** A part of the text, from one position up to another. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** What differs from event to event: a string's inside, or digits. */
export interface Span extends Stretch {
  readonly kind: "spoken" | "string" | "digits";
}

const kept: Place = { keeps: true };
const blaming: Place = { keeps: true, blames: true };
const spoken: Place = { speaks: true };
const thought: Place = { speaks: true, thinks: true };
const varying: Place = { varies: true };

function keys(places: Readonly<Record<string, Place>>): Place {
  return { keys: new Map(Object.entries(places)) };
}

function listOf(items: Place): Place {
  return { items };
}

/** Every place where services put token counts, apart from a choice's own. */
const usagePlaces = {
  usage: kept,
  token_usage: kept,
  tokenUsage: kept,
  "amazon-bedrock-invocationMetrics": kept,
  usage_metadata: kept,
  usageMetadata: kept,
  x_groq: kept,
  timings: kept,
  meta: kept,
  prompt_eval_count: kept,
  eval_count: kept,
};

/** Azure tells here that a filter did not work. */
const filtered = keys({ error: blaming });

const about = {
  ...usagePlaces,
  id: kept,
  model: kept,
  object: kept,
  service_tier: kept,
  error: blaming,
  base_resp: kept,
  errors: blaming,
  warning: blaming,
  warnings: blaming,
  prompt_filter_results: listOf(keys({ content_filter_results: filtered })),
};
const aboutResponse = { ...about, status: kept, background: kept, incomplete_details: blaming };

const thoughtPart: Place = { ...spoken, ...keys({ text: spoken }) };
const partPlaces = {
  text: spoken,
  refusal: spoken,
  thinking: { ...spoken, ...listOf(thoughtPart) },
};
const part = keys(partPlaces);
/** In an event of Anthropic's. */
const delta = keys({ ...partPlaces, partial_json: spoken, stop_reason: kept });
const content: Place = { ...spoken, ...listOf(part) };
const called = keys({ arguments: spoken, input: spoken });
const message = keys({
  content,
  usage: kept,
  refusal: spoken,
  reasoning: thought,
  reasoning_content: thought,
  thinking: thought,
  function_call: called,
  tool_calls: listOf(keys({ function: called, custom: called })),
  audio: keys({ transcript: spoken }),
});
const choice = {
  text: spoken,
  finish_reason: kept,
  usage: kept,
  error: blaming,
  content_filter_results: filtered,
};
const item = keys({
  content,
  summary: listOf(part),
  arguments: spoken,
  input: spoken,
  code: spoken,
  error: blaming,
});
/** An item of the responses API whose words the deltas have said. */
const repeatedItem = keys({ error: blaming });

/** A whole answer of any endpoint. A list may hold an error. */
export const wholeAnswer: Place = {
  ...keys({
    ...aboutResponse,
    type: kept,
    message: kept,
    choices: listOf(keys({ ...choice, message, delta: message })),
    output: listOf(item),
    output_text: spoken,
    text: spoken,
    duration: kept,
    content,
  }),
  ...listOf(keys({ error: blaming })),
};

/** An event of a stream. Events that repeat what deltas have said are not counted. */
export const streamEvent: Place = keys({
  ...about,
  type: kept,
  message: kept,
  code: kept,
  param: kept,
  created: varying,
  obfuscation: varying,
  sequence_number: { ...kept, ...varying },
  output_index: varying,
  content_index: varying,
  choices: listOf(keys({ ...choice, delta: message, index: varying })),
  response: keys({ ...aboutResponse, output: listOf(repeatedItem) }),
  item: repeatedItem,
  index: varying,
  delta: { ...spoken, ...delta },
});
