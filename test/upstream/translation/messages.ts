/** Requests and answers of Anthropic's, as far as OpenAI has something like them. */
import type Anthropic from "@anthropic-ai/sdk";
import fc from "fast-check";

const text = fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" });
const name = fc.stringMatching(/^[a-z_]{1,8}$/);
const input = fc.dictionary(
  name,
  fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
  {
    maxKeys: 3,
    noNullPrototype: true,
  },
);
const textBlock = fc.record({ type: fc.constant("text" as const), text });
const image = fc.oneof(
  fc.record({
    type: fc.constant("url" as const),
    url: fc.webUrl({ validSchemes: ["https"] }),
  }),
  fc.record({
    type: fc.constant("base64" as const),
    media_type: fc.constantFrom("image/png" as const, "image/jpeg" as const),
    data: fc.base64String(),
  }),
);
const imageBlock = fc.record({ type: fc.constant("image" as const), source: image });
/** A text alone is sent as a text. */
const question = fc.oneof(
  text,
  fc.array(fc.oneof(textBlock, imageBlock), { minLength: 2, maxLength: 4 }),
);
const toolUse = fc.record({ type: fc.constant("tool_use" as const), id: name, name, input });

const exchange = fc.tuple(question, text).map(([asked, said]) => [
  { role: "user" as const, content: asked },
  { role: "assistant" as const, content: said },
]);
const toolExchange = fc
  .tuple(
    question,
    fc.option(text),
    fc.uniqueArray(toolUse, { minLength: 1, maxLength: 3, selector: ({ id }) => id }),
    text,
    fc.option(textBlock),
  )
  .map(([asked, said, uses, result, more]) => [
    { role: "user" as const, content: asked },
    {
      role: "assistant" as const,
      content: [...(said === null ? [] : [{ type: "text" as const, text: said }]), ...uses],
    },
    {
      role: "user" as const,
      content: [
        ...uses.map(({ id }) => ({
          type: "tool_result" as const,
          tool_use_id: id,
          content: result,
        })),
        ...(more === null ? [] : [more]),
      ],
    },
    { role: "assistant" as const, content: result },
  ]);

const tool = fc.record({
  name,
  description: text,
  input_schema: fc.constant({ type: "object" as const, properties: {} }),
});
const alone = fc.constantFrom({}, { disable_parallel_tool_use: true });
const toolChoice = fc.oneof(
  fc
    .tuple(fc.constantFrom("auto" as const, "any" as const), alone)
    .map(([type, more]) => ({ type, ...more })),
  fc.tuple(name, alone).map(([chosen, more]) => ({ type: "tool" as const, name: chosen, ...more })),
  fc.constant({ type: "none" as const }),
);

export const requests: fc.Arbitrary<Anthropic.MessageCreateParams> = fc.record(
  {
    model: fc.constant("gpt-4o"),
    max_tokens: fc.integer({ min: 1, max: 100_000 }),
    messages: fc
      .array(fc.oneof(exchange, toolExchange), { minLength: 1, maxLength: 3 })
      .map((turns) => turns.flat()),
    system: text,
    temperature: fc.constantFrom(0, 0.5, 1),
    top_p: fc.constantFrom(0.1, 1),
    stop_sequences: fc.array(text, { minLength: 1, maxLength: 4 }),
    stream: fc.constant(true),
    tools: fc.array(tool, { minLength: 1, maxLength: 2 }),
    tool_choice: toolChoice,
  },
  { requiredKeys: ["model", "max_tokens", "messages", "tools"] },
);

const usage = fc.record({
  input_tokens: fc.integer({ min: 1, max: 1_000 }),
  cache_creation_input_tokens: fc.nat(1_000),
  cache_read_input_tokens: fc.nat(1_000),
  output_tokens: fc.nat(1_000),
});

/** Text comes before the calls, as in OpenAI's messages. */
export const messages = fc
  .tuple(
    fc.option(text),
    fc.array(toolUse, { maxLength: 3 }),
    fc.constantFrom("end_turn", "max_tokens", "refusal"),
    usage,
  )
  .map(([said, uses, reason, used]) => ({
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "claude-sonnet-4-5",
    content: [...(said === null ? [] : [{ type: "text", text: said }]), ...uses],
    stop_reason: uses.length > 0 ? "tool_use" : reason,
    stop_sequence: null,
    usage: used,
  }));

export type AnyMessage = typeof messages extends fc.Arbitrary<infer T> ? T : never;

/** The same message as events, its texts cut into pieces. */
export function eventsOf(message: AnyMessage, piece = 3): object[] {
  const { content, stop_reason, stop_sequence, usage: used, ...head } = message;
  const blocks = content.flatMap((block, index) => {
    const isText = block.type === "text";
    const whole = "text" in block ? block.text : JSON.stringify((block as { input: object }).input);
    const pieces = Array.from({ length: Math.ceil(whole.length / piece) }, (_, at) =>
      whole.slice(at * piece, (at + 1) * piece),
    );
    const empty = isText ? { ...block, text: "" } : { ...block, input: {} };
    return [
      { type: "content_block_start", index, content_block: empty },
      ...pieces.map((one) => ({
        type: "content_block_delta",
        index,
        delta: isText
          ? { type: "text_delta", text: one }
          : { type: "input_json_delta", partial_json: one },
      })),
      { type: "content_block_stop", index },
    ];
  });
  const { output_tokens, ...asked } = used;
  const start = { ...head, content: [], stop_reason: null, stop_sequence: null };
  return [
    { type: "message_start", message: { ...start, usage: { ...asked, output_tokens: 1 } } },
    { type: "ping" },
    ...blocks,
    { type: "message_delta", delta: { stop_reason, stop_sequence }, usage: { output_tokens } },
    { type: "message_stop" },
  ];
}
