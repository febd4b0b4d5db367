import type Anthropic from "@anthropic-ai/sdk";
import { expect } from "vitest";

/** Puts the events of a stream together, and checks their order on the way. */
export function gathered(text: string): Anthropic.Message {
  const events = eventsIn(text);
  const [start, ...rest] = events;
  if (start?.type !== "message_start") throw new Error(`begins with ${start?.type}`);
  const message = structuredClone(start.message);
  expect(events.at(-1)).toEqual({ type: "message_stop" });
  expect(events.filter(({ type }) => type === "message_delta")).toHaveLength(1);
  const blocks = new Blocks(message.content);
  for (const event of rest) {
    blocks.take(event);
    if (event.type !== "message_delta") continue;
    Object.assign(message, event.delta);
    Object.assign(message.usage, event.usage);
  }
  return message;
}

/** One block after the other, each with a beginning and an end. */
class Blocks {
  readonly #content: Anthropic.ContentBlock[];
  #open = -1;
  #json = "";

  constructor(content: Anthropic.ContentBlock[]) {
    this.#content = content;
  }

  take(event: Anthropic.MessageStreamEvent): void {
    if (event.type === "content_block_start") this.#start(event);
    else if (event.type === "content_block_delta") this.#add(event);
    else if (event.type === "content_block_stop") this.#stop(event.index);
    // the library's types leave out a ping, which may come anywhere
    else if (String(event.type) !== "ping") expect(this.#open).toBe(-1);
  }

  #start({ index, content_block: block }: Anthropic.ContentBlockStartEvent): void {
    expect([this.#open, index]).toEqual([-1, this.#content.length]);
    this.#open = index;
    this.#json = "";
    this.#content.push(block);
  }

  #add({ index, delta }: Anthropic.ContentBlockDeltaEvent): void {
    expect(index).toBe(this.#open);
    const block = this.#content[index];
    if (delta.type === "text_delta" && block?.type === "text") block.text += delta.text;
    else if (delta.type === "input_json_delta" && block?.type === "tool_use") {
      this.#json += delta.partial_json;
    } else throw new Error(`a ${delta.type} in a ${block?.type}`);
  }

  #stop(index: number): void {
    expect(index).toBe(this.#open);
    const block = this.#content[index];
    if (block?.type === "tool_use") block.input = JSON.parse(this.#json || "{}");
    this.#open = -1;
  }
}

/** The events, whose names are those in their data. */
export function eventsIn(text: string): Anthropic.MessageStreamEvent[] {
  const events = text.split("\n\n").filter((one) => one !== "" && !one.startsWith(":"));
  return events.map((one) => {
    // a text may have line ends that are none of events
    const [, name, data = ""] = /^event: (\w+)\ndata: ([^\n]*)$/.exec(one) ?? [];
    const event = JSON.parse(data);
    expect(event.type).toBe(name);
    return event;
  });
}
