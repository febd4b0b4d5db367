/** OpenAI's Responses API, as far as the demo needs it: for Codex and newer libraries. */
import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { type Answering, beginAnswer, spoken, think } from "./answering.ts";

const CREATED = 1_790_000_000;

interface ResponseFields {
  readonly model?: string;
  readonly input?: unknown;
  readonly instructions?: unknown;
  readonly max_output_tokens?: number;
  readonly stream?: boolean;
}

export function createResponses(refuse: (c: Context, model: string) => Response | null): Hono {
  const app = new Hono();
  app.post("/", async (c) => {
    const fields: ResponseFields = await c.req.json();
    const { model = "", input, instructions } = fields;
    const refused = refuse(c, model);
    if (refused !== null) return refused;
    const messages = typeof input === "string" ? [{ role: "user", content: input }] : input;
    const answering = beginAnswer(messages, instructions, fields.max_output_tokens);
    if (fields.stream === true) return streamedResponse(c, model, answering);
    await think(answering, c.req.raw.signal);
    return c.json(finished(model, answering));
  });
  return app;
}

function streamedResponse(c: Context, model: string, answering: Answering) {
  const at = placeOf(answering);
  return streamSSE(
    c,
    async (stream) => {
      let serial = 0;
      const send = (type: string, fields: object) => {
        const data = JSON.stringify({ type, sequence_number: serial++, ...fields });
        return stream.writeSSE({ event: type, data });
      };
      await send("response.created", { response: headOf(model, answering) });
      const added = { ...itemOf(answering, []), status: "in_progress" };
      await send("response.output_item.added", { output_index: 0, item: added });
      await send("response.content_part.added", { ...at, part: partOf("") });
      for await (const delta of spoken(answering, c.req.raw.signal)) {
        await send("response.output_text.delta", { ...at, delta });
      }
      const text = answering.tokens.join("");
      await send("response.output_text.done", { ...at, text });
      await send("response.content_part.done", { ...at, part: partOf(text) });
      const item = itemOf(answering, [partOf(text)]);
      await send("response.output_item.done", { output_index: 0, item });
      const response = finished(model, answering);
      await send(`response.${response.status}`, { response });
    },
    async () => undefined,
  );
}

function placeOf({ serial }: Answering) {
  return { item_id: `msg_demo_${serial}`, output_index: 0, content_index: 0 };
}

function partOf(text: string) {
  return { type: "output_text", text, annotations: [] };
}

function itemOf(answering: Answering, content: readonly object[]) {
  const { item_id: id } = placeOf(answering);
  return { id, type: "message", role: "assistant", status: "completed", content };
}

function headOf(model: string, { serial }: Answering) {
  const id = `resp_demo_${serial}`;
  const base = { id, object: "response", created_at: CREATED + serial, model };
  return { ...base, status: "in_progress", error: null, output: [], usage: null };
}

function finished(model: string, answering: Answering) {
  const { isCut, promptTokens, tokens } = answering;
  return {
    ...headOf(model, answering),
    status: isCut ? "incomplete" : "completed",
    incomplete_details: isCut ? { reason: "max_output_tokens" } : null,
    output: [itemOf(answering, [partOf(tokens.join(""))])],
    usage: {
      input_tokens: promptTokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: tokens.length,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: promptTokens + tokens.length,
    },
  };
}
