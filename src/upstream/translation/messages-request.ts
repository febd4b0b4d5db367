import type { Dropped } from "./dropped.ts";
import { thinkingFields } from "./effort.ts";
import { defined, fieldsOf, isGiven, type JsonFields, listed, unsupported } from "./fields.ts";
import { messagesTurns } from "./messages-turns.ts";
import { messagesToolChoice, messagesTools } from "./tools.ts";

/** JsonFields of OpenAI's requests that are translated, or mean nothing here. */
const KNOWN: ReadonlySet<string> = new Set([
  "model",
  "messages",
  "max_tokens",
  "max_completion_tokens",
  "stop",
  "temperature",
  "top_p",
  "stream",
  "stream_options",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "response_format",
  "reasoning_effort",
  "n",
]);
/** Asked for in another way today. */
const REFUSED = ["functions", "function_call"];
/** Anthropic's largest; OpenAI's is 2. */
const MAX_TEMPERATURE = 1;

/** OpenAI's request as Anthropic's, which must have a bound: `usualTokens` where there is none. */
export function toMessagesRequest(
  request: JsonFields,
  usualTokens: number,
  dropped: Dropped,
): JsonFields {
  refuse(request);
  const { model, stream, stop, top_p } = request;
  const maxTokens = boundOf(request) ?? usualTokens;
  const tools = messagesTools(request.tools, dropped);
  const { output_config: effort, ...thinking } = thinkingFields(request, maxTokens, dropped);
  const format = outputFormat(fieldsOf(request.response_format), dropped);
  const config = { ...fieldsOf(effort), ...format };
  const translated = defined({
    model,
    ...messagesTurns(request.messages, dropped),
    max_tokens: maxTokens,
    temperature: temperatureOf(request, dropped),
    top_p: top_p ?? undefined,
    stop_sequences: stopsOf(stop),
    tools,
    ...messagesToolChoice(
      request.tool_choice,
      request.parallel_tool_calls,
      listed(tools).length > 0,
    ),
    ...thinking,
    output_config: Object.keys(config).length > 0 ? config : undefined,
    stream: stream === true || undefined,
  });
  dropped.others(request, KNOWN);
  return translated;
}

function refuse(request: JsonFields): void {
  for (const name of REFUSED) if (isGiven(request[name])) throw unsupported(name);
  if (isGiven(request.n) && Number(request.n) !== 1) throw unsupported("n");
}

/** A bound of 0 or less is none: there are servers that read it so. */
function boundOf({
  max_completion_tokens: newer,
  max_tokens: older,
}: JsonFields): number | undefined {
  return [newer, older].find((bound): bound is number => typeof bound === "number" && bound > 0);
}

function temperatureOf({ temperature }: JsonFields, dropped: Dropped): unknown {
  if (typeof temperature !== "number" || temperature <= MAX_TEMPERATURE) {
    return temperature ?? undefined;
  }
  dropped.add("temperature");
  return MAX_TEMPERATURE;
}

function stopsOf(stop: unknown): readonly unknown[] | undefined {
  if (typeof stop === "string") return [stop];
  return listed(stop).length > 0 ? listed(stop) : undefined;
}

function outputFormat(format: JsonFields, dropped: Dropped): JsonFields {
  const { type, json_schema: named } = format;
  if (type === "json_schema") return { format: { type, schema: fieldsOf(named).schema } };
  if (isGiven(type) && type !== "text") dropped.add("response_format");
  return {};
}
