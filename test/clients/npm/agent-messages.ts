/** The agent's model at a service of Anthropic's kind. */
import { anthropicAnswer, send } from "../../support/anthropic.ts";
import { type Behaviour, type Exchange, wantsStream } from "../../support/upstream.ts";
import { decide, type Fields, fieldsOf } from "./agent-model.ts";

/** What is no question, such as a count of tokens, is answered as by the service of all tests. */
export const anthropicAgent: Behaviour = {
  name: "an agent's model of Anthropic's",
  run: (exchange) => {
    const [path] = exchange.request.path.split("?");
    return path === "/v1/messages" ? writeMessage(exchange) : anthropicAnswer.run(exchange);
  },
};

async function writeMessage(exchange: Exchange): Promise<void> {
  const { serial, json } = exchange.request;
  const decision = decide(exchange.request);
  const block: Fields =
    "text" in decision
      ? { type: "text", text: decision.text }
      : { type: "tool_use", id: `toolu_${serial}`, name: decision.tool, input: decision.input };
  const stop_reason = block.type === "text" ? "end_turn" : "tool_use";
  const usage = { input_tokens: 11, output_tokens: 7 };
  const base = { id: `msg_${serial}`, type: "message", role: "assistant" };
  const { model } = fieldsOf(json);
  const message = { ...base, model, content: [block], stop_reason, stop_sequence: null, usage };
  if (wantsStream(exchange.request)) return sendEvents(exchange, message, block);
  const body = JSON.stringify(message);
  exchange.response.writeHead(200, { "content-type": "application/json" });
  exchange.response.end(body);
}

async function sendEvents(exchange: Exchange, message: Fields, block: Fields): Promise<void> {
  exchange.response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  const isText = block.type === "text";
  const start = { ...message, content: [], stop_reason: null };
  const content_block = { ...block, ...(isText ? { text: "" } : { input: {} }) };
  const delta = isText
    ? { type: "text_delta", text: block.text }
    : { type: "input_json_delta", partial_json: JSON.stringify(block.input) };
  const { stop_reason } = message;
  const events: readonly Fields[] = [
    { type: "message_start", message: start },
    { type: "content_block_start", index: 0, content_block },
    { type: "content_block_delta", index: 0, delta },
    { type: "content_block_stop", index: 0 },
    {
      type: "message_delta",
      delta: { stop_reason, stop_sequence: null },
      usage: { output_tokens: 7 },
    },
    { type: "message_stop" },
  ];
  for (const event of events) await send(exchange, event);
  exchange.response.end();
}
