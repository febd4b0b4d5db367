/** A service with Anthropic's API, as far as the demo needs it. */
import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { type Answering, beginAnswer, spoken, think } from "./answering.ts";

const CREATED = "2026-09-01T00:00:00Z";

interface MessagesFields {
  readonly model?: string;
  readonly messages?: unknown;
  readonly system?: unknown;
  readonly max_tokens?: number;
  readonly stream?: boolean;
}

export function createAnthropic(models: readonly string[]): Hono {
  const app = new Hono();
  app.get("/models", (c) => {
    const data = models.map((id) => ({
      type: "model",
      id,
      display_name: id,
      created_at: CREATED,
    }));
    return c.json({ data, has_more: false, first_id: models[0], last_id: models.at(-1) });
  });
  app.post("/messages/count_tokens", async (c) => {
    const { messages, system }: MessagesFields = await c.req.json();
    return c.json({ input_tokens: beginAnswer(messages, system, 0).promptTokens });
  });
  app.post("/messages", async (c) => {
    const fields: MessagesFields = await c.req.json();
    const { model = "", messages, system } = fields;
    if (!models.includes(model)) return c.json(refusalOf(`model: ${model}`), 404);
    const answering = beginAnswer(messages, system, fields.max_tokens);
    if (fields.stream === true) return streamedMessage(c, model, answering);
    await think(answering, c.req.raw.signal);
    const content = [{ type: "text", text: answering.tokens.join("") }];
    return c.json({ ...messageOf(model, answering), content, ...endingOf(answering) });
  });
  app.all("*", (c) => c.json(refusalOf(`Not found: ${c.req.path}`), 404));
  return app;
}

function streamedMessage(c: Context, model: string, answering: Answering) {
  const text = (fields: object) => ({ index: 0, ...fields });
  return streamSSE(
    c,
    async (stream) => {
      const send = (type: string, fields: object) =>
        stream.writeSSE({ event: type, data: JSON.stringify({ type, ...fields }) });
      await send("message_start", { message: messageOf(model, answering) });
      await send("content_block_start", text({ content_block: { type: "text", text: "" } }));
      for await (const piece of spoken(answering, c.req.raw.signal)) {
        await send("content_block_delta", text({ delta: { type: "text_delta", text: piece } }));
      }
      await send("content_block_stop", text({}));
      const { usage, ...delta } = endingOf(answering);
      await send("message_delta", { delta, usage });
      await send("message_stop", {});
    },
    async () => undefined,
  );
}

function messageOf(model: string, { serial, promptTokens }: Answering) {
  const usage = { input_tokens: promptTokens, output_tokens: 1 };
  const unfinished = { content: [], stop_reason: null, stop_sequence: null, usage };
  return { id: `msg_demo_${serial}`, type: "message", role: "assistant", model, ...unfinished };
}

function endingOf({ isCut, promptTokens, tokens }: Answering) {
  return {
    stop_reason: isCut ? "max_tokens" : "end_turn",
    stop_sequence: null,
    usage: { input_tokens: promptTokens, output_tokens: tokens.length },
  };
}

function refusalOf(message: string) {
  return { type: "error", error: { type: "not_found_error", message } };
}
