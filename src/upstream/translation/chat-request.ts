import { usualTokenField } from "../ask.ts";
import { chatMessages } from "./chat-messages.ts";
import type { Dropped } from "./dropped.ts";
import { reasoningEffort } from "./effort.ts";
import {
  defined,
  fieldsOf,
  isGiven,
  type JsonFields,
  listed,
  stringOf,
  unsupported,
} from "./fields.ts";
import { chatToolChoice, chatTools } from "./tools.ts";

/** JsonFields of Anthropic's requests that are translated, or refused. */
const KNOWN: ReadonlySet<string> = new Set([
  "model",
  "messages",
  "system",
  "max_tokens",
  "stop_sequences",
  "temperature",
  "top_p",
  "stream",
  "tools",
  "tool_choice",
  "thinking",
  "output_config",
  "mcp_servers",
  "stream_options",
]);

/** Anthropic's request as OpenAI's. Throws for what can't be asked that way. */
export function toChatRequest(request: JsonFields, dropped: Dropped): JsonFields {
  if (listed(request.mcp_servers).length > 0) throw unsupported("mcp_servers");
  const { model, stream, temperature, top_p, stop_sequences: stops } = request;
  const streamed = stream === true;
  const translated = defined({
    model,
    messages: chatMessages(request, dropped),
    [usualTokenField(stringOf(model))]: request.max_tokens,
    temperature: temperature ?? undefined,
    top_p: top_p ?? undefined,
    stop: listed(stops).length > 0 ? stops : undefined,
    tools: chatTools(request.tools, dropped),
    ...chatToolChoice(request.tool_choice),
    reasoning_effort: reasoningEffort(request, dropped),
    response_format: responseFormat(fieldsOf(request.output_config), dropped),
    stream: streamed || undefined,
    stream_options: streamed && asksForUsage(request) ? { include_usage: true } : undefined,
  });
  dropped.others(request, KNOWN);
  return translated;
}

/** Anthropic's streams always have it. Only where a service has refused it, the field of OpenAI's is there. */
function asksForUsage({ stream_options: options }: JsonFields): boolean {
  return fieldsOf(options).include_usage !== false;
}

const CONFIG: ReadonlySet<string> = new Set(["effort", "format"]);

function responseFormat(config: JsonFields, dropped: Dropped): JsonFields | undefined {
  const { format } = config;
  const { type, schema } = fieldsOf(format);
  const isSchema = type === "json_schema";
  const hasOthers = Object.keys(config).some((name) => !CONFIG.has(name));
  if (hasOthers || (isGiven(format) && !isSchema)) dropped.add("output_config");
  return isSchema ? { type, json_schema: { name: "answer", schema } } : undefined;
}
