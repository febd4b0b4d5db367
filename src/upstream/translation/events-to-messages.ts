import type { Usage } from "../../core/call/messages.ts";
import { saidInMessage } from "../../core/call/said.ts";
import { ProxyError } from "../../core/errors.ts";
import { failureIn } from "../reading/failure.ts";
import { isObject, jsonIn } from "../reading/json.ts";
import { usageIn } from "../reading/usage.ts";
import { messageHead } from "./answer-to-messages.ts";
import { COMMENT, type EventTranslation, errorEvent } from "./events.ts";
import { fieldsOf, isGiven, type JsonFields, jsonText, listed, stringOf } from "./fields.ts";
import { stopReason } from "./stop-reasons.ts";
import { messagesUsage } from "./usage-forms.ts";

const PING = 'event: ping\ndata: {"type": "ping"}\n\n';

/**
 * OpenAI's chunks as Anthropic's events. Blocks follow each other: the next one begins when the one
 * before has ended. What the model thinks is left out: without a signature nobody takes it back.
 */
export class EventsToMessages implements EventTranslation {
  #id = "";
  #hasBegun = false;
  #isOver = false;
  /** Number of the block that is open, or of the next one. */
  #block = 0;
  #open: "text" | "tool" | null = null;
  /** OpenAI's number of the latest call. */
  #call = -1;
  #finish: unknown = null;
  #isRefused = false;
  #usage: Usage | null = null;

  get ping(): string {
    return this.#hasBegun ? PING : COMMENT;
  }

  next(data: string): string {
    if (this.#isOver) return "";
    if (data === "[DONE]") return this.#finished();
    const chunk = jsonIn(data);
    if (!isObject(chunk)) throw new ProxyError("upstream_bad_answer");
    const [first] = listed(fieldsOf(chunk).choices);
    const choice = fieldsOf(first);
    const delta = fieldsOf(choice.delta);
    if (failureIn(chunk, isSilent(delta), () => data) !== null) return errorEvent(data);
    this.#usage = usageIn(chunk, this.#usage).usage ?? this.#usage;
    if (isGiven(choice.finish_reason)) this.#finish = choice.finish_reason;
    // Azure tells of its filters first, with no id and no model
    if (first === undefined) return "";
    return this.#begin(fieldsOf(chunk)) + this.#said(delta);
  }

  end(): string {
    return !this.#isOver && this.#finish !== null ? this.#finished() : "";
  }

  #begin(chunk: JsonFields): string {
    if (this.#hasBegun) return "";
    this.#hasBegun = true;
    this.#id = stringOf(chunk.id);
    return event("message_start", {
      message: {
        ...messageHead(chunk),
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: messagesUsage(null),
      },
    });
  }

  #said(delta: JsonFields): string {
    const text = saidInMessage({ content: delta.content });
    const refusal = stringOf(delta.refusal);
    if (refusal !== "") this.#isRefused = true;
    const said = text === "" && refusal === "" ? "" : this.#text(text + refusal);
    return listed(delta.tool_calls).reduce<string>(
      (events, call) => events + this.#called(fieldsOf(call)),
      said,
    );
  }

  #text(text: string): string {
    const begun = this.#open === "text" ? "" : this.#start("text", { type: "text", text: "" });
    return begun + this.#delta({ type: "text_delta", text });
  }

  #called({ index, id, function: called }: JsonFields): string {
    const { name, arguments: given } = fieldsOf(called);
    const number = typeof index === "number" ? index : this.#call + (isGiven(id) ? 1 : 0);
    // a call that another one has followed has ended
    if (number < this.#call) throw new ProxyError("upstream_bad_answer");
    const isNew = number > this.#call || this.#open !== "tool";
    this.#call = number;
    const begun = isNew ? this.#start("tool", this.#use(id, name)) : "";
    const input = jsonText(given);
    return input === ""
      ? begun
      : begun + this.#delta({ type: "input_json_delta", partial_json: input });
  }

  /** Some services give no id, by which the client would tell what its tool has said. */
  #use(id: unknown, name: unknown): JsonFields {
    const known = stringOf(id) || `${this.#id || "call"}_${this.#call}`;
    return { type: "tool_use", id: known, name: stringOf(name), input: {} };
  }

  #start(kind: "text" | "tool", block: JsonFields): string {
    const ended = this.#stop();
    this.#open = kind;
    return ended + event("content_block_start", { index: this.#block, content_block: block });
  }

  #delta(delta: JsonFields): string {
    return event("content_block_delta", { index: this.#block, delta });
  }

  #stop(): string {
    if (this.#open === null) return "";
    this.#open = null;
    const index = this.#block;
    this.#block += 1;
    return event("content_block_stop", { index });
  }

  #finished(): string {
    if (!this.#hasBegun) throw new ProxyError("upstream_failed");
    this.#isOver = true;
    const reason = this.#isRefused ? "refusal" : stopReason(this.#finish, this.#call >= 0);
    const delta = { stop_reason: reason, stop_sequence: null };
    const usage = messagesUsage(this.#usage);
    return this.#stop() + event("message_delta", { delta, usage }) + event("message_stop", {});
  }
}

function isSilent(delta: JsonFields): boolean {
  return saidInMessage(delta) === "" && listed(delta.tool_calls).length === 0;
}

function event(type: string, fields: JsonFields): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}
