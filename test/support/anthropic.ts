/** How the scripted upstream behaves as a service of Anthropic's kind. */
import type { Behaviour, Exchange, RecordedRequest } from "./upstream.ts";

export const anthropicError = (type: string, message: string) => ({
  type: "error",
  error: { type, message },
  request_id: "req_011",
});

export interface AnthropicUsage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly [name: string]: unknown;
}

interface AnthropicOptions {
  readonly usage?: AnthropicUsage;
  readonly thinking?: string;
  /** Holds the connection of a stream open behind its last event. */
  readonly holds?: () => Promise<void>;
  /** What happens behind the first block of a stream. */
  readonly breaks?: (exchange: Exchange) => Promise<void>;
}

type Fields = Readonly<Record<string, unknown>>;

/** Repeats what the user said last; with a tool, calls it. */
export const createAnthropicAnswer = (options: AnthropicOptions = {}): Behaviour => ({
  name: "an answer of Anthropic's",
  run: async (exchange) => {
    const { request } = exchange;
    const refused = refusalOf(request);
    if (refused !== null) return sendJson(exchange, ...refused);
    const [path = ""] = request.path.split("?");
    if (path.startsWith("/v1/models")) return sendJson(exchange, 200, modelsAt(path));
    if (path === "/v1/messages/count_tokens") {
      return sendJson(exchange, 200, { input_tokens: 42 });
    }
    if (path !== "/v1/messages") {
      return sendJson(exchange, 404, anthropicError("not_found_error", `Not found: ${path}`));
    }
    const body = fieldsOf(request.json);
    const message = messageFor(body, request.serial, options);
    if (body.stream !== true) return sendJson(exchange, 200, message);
    await sendEvents(exchange, message, options);
  },
});

export const anthropicAnswer: Behaviour = createAnthropicAnswer();

function refusalOf(request: RecordedRequest): readonly [number, object] | null {
  const { headers, method } = request;
  const key = String(headers["x-api-key"] ?? "");
  if (key === "" || key.includes("bad")) {
    return [401, anthropicError("authentication_error", "invalid x-api-key")];
  }
  if (headers["anthropic-version"] === undefined) {
    return [400, anthropicError("invalid_request_error", "anthropic-version: header is required")];
  }
  if (key.includes("limited")) {
    return [429, anthropicError("rate_limit_error", "This request would exceed your limit.")];
  }
  const { max_tokens: bound } = fieldsOf(request.json);
  const needsBound = method === "POST" && request.path.split("?")[0] === "/v1/messages";
  if (!needsBound || typeof bound === "number") return null;
  return [400, anthropicError("invalid_request_error", "max_tokens: Field required")];
}

function messageFor(body: Fields, serial: number, { usage, thinking }: AnthropicOptions) {
  const said = lastText(body.messages);
  const [tool] = listed(body.tools).map(fieldsOf);
  const content: Fields[] = [{ type: "text", text: `echo: ${said}` }];
  if (thinking !== undefined) {
    content.unshift({ type: "thinking", thinking, signature: "c2lnbmVk" });
  }
  if (tool !== undefined) {
    content.push({ type: "tool_use", id: `toolu_${serial}`, name: tool.name, input: { q: said } });
  }
  return {
    id: `msg_${serial}`,
    type: "message",
    role: "assistant",
    model: body.model,
    content,
    stop_reason: tool === undefined ? "end_turn" : "tool_use",
    stop_sequence: null,
    usage: usage ?? { input_tokens: 11, output_tokens: 7 },
  };
}

async function sendEvents(
  exchange: Exchange,
  message: ReturnType<typeof messageFor>,
  { breaks, holds }: AnthropicOptions,
): Promise<void> {
  exchange.response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  const { content, usage, stop_reason, stop_sequence } = message;
  const asked = { ...usage, output_tokens: 1 };
  const start = { ...message, content: [], stop_reason: null, usage: asked };
  await send(exchange, { type: "message_start", message: start });
  await send(exchange, { type: "ping" });
  for (const [index, block] of content.entries()) {
    await sendBlock(exchange, index, block);
    if (breaks !== undefined) return breaks(exchange);
  }
  const { output_tokens, output_tokens_details } = usage;
  const used = {
    output_tokens,
    ...(output_tokens_details !== undefined && { output_tokens_details }),
  };
  await send(exchange, {
    type: "message_delta",
    delta: { stop_reason, stop_sequence },
    usage: used,
  });
  await send(exchange, { type: "message_stop" });
  await holds?.();
  exchange.response.end();
}

async function sendBlock(exchange: Exchange, index: number, block: Fields): Promise<void> {
  const { empty, kind, field, whole } = partsOf(block);
  await send(exchange, { type: "content_block_start", index, content_block: empty });
  for (let at = 0; at < whole.length; at += 4) {
    const delta = { type: kind, [field]: whole.slice(at, at + 4) };
    await send(exchange, { type: "content_block_delta", index, delta });
  }
  if (block.type === "thinking") {
    const delta = { type: "signature_delta", signature: block.signature };
    await send(exchange, { type: "content_block_delta", index, delta });
  }
  await send(exchange, { type: "content_block_stop", index });
}

function partsOf(block: Fields) {
  if (block.type === "tool_use") {
    const whole = JSON.stringify(block.input);
    return {
      empty: { ...block, input: {} },
      kind: "input_json_delta",
      field: "partial_json",
      whole,
    };
  }
  const field = block.type === "thinking" ? "thinking" : "text";
  const empty = { ...block, [field]: "", ...(field === "thinking" && { signature: "" }) };
  return { empty, kind: `${field}_delta`, field, whole: String(block[field]) };
}

/** An event as the service writes it. */
export function send({ write }: Exchange, event: Fields): Promise<void> {
  return write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
}

function sendJson({ response }: Exchange, status: number, json: object): void {
  const body = JSON.stringify(json);
  const headers = { "content-type": "application/json", "request-id": "req_011" };
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
  response.end(body);
}

const models = ["claude-sonnet-5", "claude-haiku-4-5"].map((id) => ({
  type: "model",
  id,
  display_name: id,
  created_at: "2026-01-02T03:04:05Z",
}));

function modelsAt(path: string): object {
  const id = path.slice("/v1/models/".length);
  const found = models.find((model) => model.id === id);
  if (found !== undefined) return found;
  return { data: models, has_more: false, first_id: models[0]?.id, last_id: models.at(-1)?.id };
}

function lastText(messages: unknown): string {
  const users = listed(messages)
    .map(fieldsOf)
    .filter(({ role }) => role === "user");
  const { content } = users.at(-1) ?? {};
  if (typeof content === "string") return content;
  return listed(content)
    .map((block) => String(fieldsOf(block).text ?? fieldsOf(block).content ?? ""))
    .join("");
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function listed(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
