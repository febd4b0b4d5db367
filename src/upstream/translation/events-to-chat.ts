import type { Usage } from "../../core/call/messages.ts";
import { ProxyError } from "../../core/errors.ts";
import { failureIn } from "../reading/failure.ts";
import { isObject, jsonIn } from "../reading/json.ts";
import { usageIn } from "../reading/usage.ts";
import { COMMENT, type EventTranslation, errorEvent } from "./events.ts";
import { fieldsOf, isGiven, type JsonFields, stringOf } from "./fields.ts";
import { finishReason } from "./stop-reasons.ts";
import { chatUsage } from "./usage-forms.ts";

/** Anthropic's events as OpenAI's chunks. `withUsage`: whether the last one has the usage. */
export class EventsToChat implements EventTranslation {
  readonly ping = COMMENT;
  readonly #created: number;
  readonly #withUsage: boolean;
  #id = "";
  #model = "";
  #tier: string | undefined;
  /** Calls so far. */
  #calls = 0;
  /** The block that is open is a call. */
  #isCall = false;
  #usage: Usage | null = null;

  constructor(seconds: number, withUsage: boolean) {
    this.#created = seconds;
    this.#withUsage = withUsage;
  }

  next(data: string): string {
    const event = jsonIn(data);
    if (!isObject(event)) throw new ProxyError("upstream_bad_answer");
    if (failureIn(event, true, () => data) !== null) return errorEvent(data);
    this.#usage = usageIn(event, this.#usage).usage ?? this.#usage;
    return this.#translated(fieldsOf(event));
  }

  /** A stream that ends without its last event was cut. */
  end(): string {
    return "";
  }

  #translated(event: JsonFields): string {
    switch (event.type) {
      case "message_start":
        return this.#begin(fieldsOf(event.message));
      case "content_block_start":
        return this.#block(fieldsOf(event.content_block));
      case "content_block_delta":
        return this.#delta(fieldsOf(event.delta));
      case "message_delta":
        return this.#ended(fieldsOf(event.delta));
      case "message_stop":
        return this.#finished();
      case "ping":
        return COMMENT;
      default:
        return "";
    }
  }

  #begin({ id, model }: JsonFields): string {
    this.#id = stringOf(id);
    this.#model = stringOf(model);
    this.#tier = this.#usage?.tier;
    return this.#chunk({ role: "assistant", content: "", refusal: null });
  }

  #block(block: JsonFields): string {
    this.#isCall = block.type === "tool_use";
    if (this.#isCall) {
      const index = this.#calls;
      this.#calls += 1;
      const called = { name: block.name, arguments: "" };
      return this.#chunk({
        tool_calls: [{ index, id: block.id, type: "function", function: called }],
      });
    }
    const text = block.type === "text" ? stringOf(block.text) : "";
    return text === "" ? "" : this.#chunk({ content: text });
  }

  #delta({ type, text, thinking, partial_json: json }: JsonFields): string {
    if (type === "text_delta") return this.#chunk({ content: stringOf(text) });
    if (type === "thinking_delta") return this.#chunk({ reasoning_content: stringOf(thinking) });
    if (type !== "input_json_delta" || !this.#isCall) return "";
    const called = { arguments: stringOf(json) };
    return this.#chunk({ tool_calls: [{ index: this.#calls - 1, function: called }] });
  }

  #ended({ stop_reason: reason }: JsonFields): string {
    return isGiven(reason) ? this.#chunk({}, finishReason(reason)) : "";
  }

  #finished(): string {
    const usage = this.#withUsage && this.#usage !== null ? this.#usageChunk(this.#usage) : "";
    return `${usage}data: [DONE]\n\n`;
  }

  #usageChunk(usage: Usage): string {
    return dataOf({ ...this.#head(), choices: [], usage: chatUsage(usage) });
  }

  #chunk(delta: JsonFields, finish: string | null = null): string {
    const choice = { index: 0, delta, logprobs: null, finish_reason: finish };
    return dataOf({
      ...this.#head(),
      choices: [choice],
      ...(this.#withUsage && { usage: null }),
    });
  }

  #head(): JsonFields {
    return {
      id: this.#id,
      object: "chat.completion.chunk",
      created: this.#created,
      model: this.#model,
      ...(this.#tier !== undefined && { service_tier: this.#tier }),
    };
  }
}

function dataOf(chunk: JsonFields): string {
  return `data: ${JSON.stringify(chunk)}\n\n`;
}
