/** A service with OpenAI's API, as far as the demo needs it. */
import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { type Answering, beginAnswer, contentText, spoken, think } from "./answering.ts";
import { createResponses } from "./responses.ts";
import { tokensOf } from "./tokens.ts";

const CREATED = 1_790_000_000;
const DIMENSIONS = 1_536;

interface ChatFields {
  readonly model?: string;
  readonly messages?: unknown;
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
  readonly max_tokens?: number;
  readonly max_completion_tokens?: number;
}

export function createOpenAi(models: readonly string[]): Hono {
  const app = new Hono();
  app.get("/models", (c) => c.json({ object: "list", data: models.map(shownModel) }));
  app.get("/models/:id", (c) => {
    const id = c.req.param("id");
    return models.includes(id) ? c.json(shownModel(id)) : noModel(c, id);
  });
  app.post("/chat/completions", async (c) => {
    const fields: ChatFields = await c.req.json();
    const { model = "", messages } = fields;
    if (!models.includes(model)) return noModel(c, model);
    const most = fields.max_completion_tokens ?? fields.max_tokens;
    const answering = beginAnswer(messages, null, most);
    if (fields.stream === true) return streamed(c, fields, answering);
    await think(answering, c.req.raw.signal);
    const message = { role: "assistant", content: answering.tokens.join(""), refusal: null };
    const choice = { index: 0, message, logprobs: null, finish_reason: reasonOf(answering) };
    const head = headOf("chat.completion", model, answering);
    return c.json({ ...head, choices: [choice], usage: usageOf(answering) });
  });
  app.post("/embeddings", async (c) => {
    const { model = "", input = "" } = await c.req.json<{ model?: string; input?: unknown }>();
    const inputs = Array.isArray(input) ? input : [input];
    const used = inputs.reduce((sum, one) => sum + tokensOf(contentText(one)).length, 0);
    const data = inputs.map((one, index) => ({
      object: "embedding",
      index,
      embedding: vectorOf(contentText(one)),
    }));
    const usage = { prompt_tokens: used, total_tokens: used };
    return c.json({ object: "list", model, data, usage });
  });
  app.route(
    "/responses",
    createResponses((c, model) => (models.includes(model) ? null : noModel(c, model))),
  );
  app.post("/moderations", async (c) => {
    const { input, model = "" } = await c.req.json<{ input?: unknown; model?: string }>();
    const inputs = Array.isArray(input) ? input : [input];
    const results = inputs.map(() => ({ flagged: false, categories: {}, category_scores: {} }));
    return c.json({ id: "modr-demo", model, results });
  });
  app.all("*", (c) =>
    c.json(refusal(`The demo has no ${c.req.method} ${c.req.path}.`, "unknown_url"), 404),
  );
  return app;
}

function streamed(c: Context, { model, stream_options }: ChatFields, answering: Answering) {
  const head = headOf("chat.completion.chunk", model ?? "", answering);
  return streamSSE(
    c,
    async (stream) => {
      const send = (fields: object) =>
        stream.writeSSE({ data: JSON.stringify({ ...head, ...fields }) });
      const delta = (part: object, reason: string | null = null) =>
        send({ choices: [{ index: 0, delta: part, logprobs: null, finish_reason: reason }] });
      let isFirst = true;
      for await (const content of spoken(answering, c.req.raw.signal)) {
        await delta(isFirst ? { role: "assistant", content } : { content });
        isFirst = false;
      }
      await delta({}, reasonOf(answering));
      if (stream_options?.include_usage === true) {
        await send({ choices: [], usage: usageOf(answering) });
      }
      await stream.writeSSE({ data: "[DONE]" });
    },
    async () => undefined,
  );
}

function headOf(object: string, model: string, { serial }: Answering) {
  return { id: `chatcmpl-demo-${serial}`, object, created: CREATED + serial, model };
}

function reasonOf({ isCut }: Answering): string {
  return isCut ? "length" : "stop";
}

function usageOf({ promptTokens, tokens }: Answering) {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: tokens.length,
    total_tokens: promptTokens + tokens.length,
    prompt_tokens_details: { cached_tokens: 0 },
  };
}

function shownModel(id: string) {
  return { id, object: "model", created: CREATED, owned_by: "demo" };
}

function noModel(c: Context, model: string) {
  return c.json(refusal(`The model \`${model}\` does not exist.`, "model_not_found"), 404);
}

function refusal(message: string, code: string) {
  return { error: { message, type: "invalid_request_error", param: null, code } };
}

/** Of length 1, and the same for the same text. */
function vectorOf(text: string): readonly number[] {
  const vector = new Array<number>(DIMENSIONS).fill(0);
  for (const token of tokensOf(text.toLowerCase())) {
    let hash = 2_166_136_261;
    for (const letter of token) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 16_777_619);
    const at = (hash >>> 0) % DIMENSIONS;
    vector[at] = (vector[at] ?? 0) + (hash % 2 === 0 ? 1 : -1);
  }
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}
