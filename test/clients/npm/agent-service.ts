/** A service whose model works as an agent's, in each of the forms that clients ask for. */
import type { Behaviour, Exchange } from "../../support/upstream.ts";
import { answer, wantsStream } from "../../support/upstream.ts";
import { type Decision, decide, type Fields, fieldsOf } from "./agent-model.ts";

type Writer = (exchange: Exchange, decision: Decision) => Promise<void>;

const CREATED = 1_700_000_000;
const TOKENS = { prompt: 11, completion: 7 };

/** What it has no form for, such as the list of models, is answered as by the service of all tests. */
export const openAiAgent: Behaviour = {
  name: "an agent's model",
  run: (exchange) => {
    const write = writers.get(exchange.request.path.split("?")[0] ?? "");
    if (write === undefined) return answer.run(exchange);
    return write(exchange, decide(exchange.request));
  },
};

const writers: ReadonlyMap<string, Writer> = new Map([
  ["/v1/chat/completions", writeChat],
  ["/v1/responses", writeResponse],
]);

async function writeChat(exchange: Exchange, decision: Decision): Promise<void> {
  const { serial, json } = exchange.request;
  const { model, stream_options: options } = fieldsOf(json);
  const base = { id: `chatcmpl-${serial}`, created: CREATED, model };
  const usage = {
    prompt_tokens: TOKENS.prompt,
    completion_tokens: TOKENS.completion,
    total_tokens: TOKENS.prompt + TOKENS.completion,
  };
  const message = "text" in decision ? { content: decision.text } : callOf(serial, decision);
  const finish_reason = "text" in decision ? "stop" : "tool_calls";
  if (!wantsStream(exchange.request)) {
    const choice = { index: 0, message: { role: "assistant", ...message }, finish_reason };
    sendJson(exchange, { ...base, object: "chat.completion", choices: [choice], usage });
    return;
  }
  const chunk = (delta: object, reason: string | null = null) => ({
    ...base,
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta, finish_reason: reason }],
  });
  const withUsage = fieldsOf(options).include_usage === true;
  await sendEvents(exchange, [
    chunk({ role: "assistant", ...message }),
    chunk({}, finish_reason),
    ...(withUsage ? [{ ...chunk({}), choices: [], usage }] : []),
    "[DONE]",
  ]);
}

function callOf(serial: number, { tool, input }: Exclude<Decision, { readonly text: string }>) {
  const call = { name: tool, arguments: JSON.stringify(input) };
  const tool_calls = [{ index: 0, id: `call_${serial}`, type: "function", function: call }];
  return { content: null, tool_calls };
}

async function writeResponse(exchange: Exchange, decision: Decision): Promise<void> {
  const { serial, json } = exchange.request;
  const item = "text" in decision ? messageItem(serial, decision.text) : callItem(serial, decision);
  const base = { id: `resp_${serial}`, object: "response", created_at: CREATED, error: null };
  const usage = {
    input_tokens: TOKENS.prompt,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: TOKENS.completion,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: TOKENS.prompt + TOKENS.completion,
  };
  const { model } = fieldsOf(json);
  const started = { ...base, model, status: "in_progress", output: [], usage: null };
  const finished = { ...base, model, status: "completed", output: [item], usage };
  if (!wantsStream(exchange.request)) {
    sendJson(exchange, finished);
    return;
  }
  const said = "text" in decision ? saying(item, decision.text) : calling(item);
  const events: readonly Fields[] = [
    { type: "response.created", response: started },
    { type: "response.output_item.added", output_index: 0, item: begun(item) },
    ...said,
    { type: "response.output_item.done", output_index: 0, item },
    { type: "response.completed", response: finished },
  ];
  const numbered = events.map((event, sequence_number) => ({ ...event, sequence_number }));
  await sendEvents(exchange, numbered);
}

function saying({ id }: Fields, text: string): readonly Fields[] {
  const at = { item_id: id, output_index: 0, content_index: 0 };
  const part = { type: "output_text", text, annotations: [], logprobs: [] };
  return [
    { type: "response.content_part.added", ...at, part: { ...part, text: "" } },
    { type: "response.output_text.delta", ...at, delta: text, logprobs: [] },
    { type: "response.output_text.done", ...at, text, logprobs: [] },
    { type: "response.content_part.done", ...at, part },
  ];
}

function calling({ id, name, arguments: given }: Fields): readonly Fields[] {
  const at = { item_id: id, output_index: 0 };
  return [
    { type: "response.function_call_arguments.delta", ...at, delta: given },
    { type: "response.function_call_arguments.done", ...at, name, arguments: given },
  ];
}

const messageItem = (serial: number, text: string): Fields => ({
  id: `msg_${serial}`,
  type: "message",
  role: "assistant",
  status: "completed",
  content: [{ type: "output_text", text, annotations: [], logprobs: [] }],
});

const callItem = (
  serial: number,
  { tool, input }: Exclude<Decision, { readonly text: string }>,
): Fields => ({
  id: `fc_${serial}`,
  type: "function_call",
  status: "completed",
  call_id: `call_${serial}`,
  name: tool,
  arguments: JSON.stringify(input),
});

function begun(item: Fields): Fields {
  const empty = item.type === "message" ? { content: [] } : { arguments: "" };
  return { ...item, ...empty, status: "in_progress" };
}

async function sendEvents(exchange: Exchange, events: readonly (Fields | string)[]): Promise<void> {
  exchange.response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  for (const event of events) {
    const type =
      typeof event === "string" || event.type === undefined ? "" : `event: ${event.type}\n`;
    const data = typeof event === "string" ? event : JSON.stringify(event);
    await exchange.write(`${type}data: ${data}\n\n`);
  }
  exchange.response.end();
}

function sendJson({ response }: Exchange, json: object): void {
  const body = JSON.stringify(json);
  const headers = { "content-type": "application/json" };
  response.writeHead(200, { ...headers, "content-length": Buffer.byteLength(body) });
  response.end(body);
}
