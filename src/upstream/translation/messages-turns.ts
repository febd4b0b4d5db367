import { documentBlock } from "./documents.ts";
import type { Dropped } from "./dropped.ts";
import { fieldsOf, isGiven, type JsonFields, listed, stringOf, unsupported } from "./fields.ts";
import { imageBlock } from "./images.ts";
import { objectIn } from "./object-in.ts";

/** OpenAI's messages as Anthropic's system prompt and turns. */
export interface Turns {
  readonly system: string | readonly JsonFields[] | undefined;
  readonly messages: readonly JsonFields[];
}

interface Turn {
  readonly role: "user" | "assistant";
  content: unknown;
  /** It begins with what tools have said, and takes what follows. */
  readonly results: boolean;
}

/** Where each system message stood is not kept: there is one place for them. */
export function messagesTurns(messages: unknown, dropped: Dropped): Turns {
  const system: JsonFields[] = [];
  const turns: Turn[] = [];
  for (const [index, one] of listed(messages).entries()) {
    const message = fieldsOf(one);
    const path = `messages[${index}]`;
    dropped.field(message, "name");
    if (message.role === "system" || message.role === "developer") {
      system.push(...textBlocks(message.content, `${path}.content`));
    } else {
      addTurn(turns, turnOf(message, path, dropped));
    }
  }
  return {
    system: systemOf(system),
    messages: turns.map(({ role, content }) => ({ role, content })),
  };
}

function systemOf(blocks: readonly JsonFields[]): Turns["system"] {
  if (blocks.length === 0) return undefined;
  return blocks.length === 1 ? stringOf(blocks[0]?.text) : blocks;
}

/** All that tools have said stands in one turn, together with what the user adds. */
function addTurn(turns: Turn[], turn: Turn | null): void {
  if (turn === null) return;
  const last = turns.at(-1);
  if (last?.results !== true || turn.role !== "user") turns.push(turn);
  else last.content = [...blocksOf(last.content), ...blocksOf(turn.content)];
}

function blocksOf(content: unknown): readonly unknown[] {
  if (typeof content !== "string") return listed(content);
  return content === "" ? [] : [{ type: "text", text: content }];
}

function turnOf(message: JsonFields, path: string, dropped: Dropped): Turn | null {
  const { role, content } = message;
  const at = `${path}.content`;
  switch (role) {
    case "user":
      return { role, content: userContent(content, at, dropped), results: false };
    case "tool":
      return { role: "user", content: [resultOf(message, at)], results: true };
    case "assistant": {
      const blocks = assistantContent(message, path);
      // Anthropic takes no turn without words
      return blocks.length === 0 ? null : { role, content: blocks, results: false };
    }
    default:
      throw unsupported(`${path}.role`);
  }
}

function userContent(content: unknown, path: string, dropped: Dropped): unknown {
  if (typeof content === "string") return content;
  return listed(content).map((one, index) => blockOf(fieldsOf(one), `${path}[${index}]`, dropped));
}

function blockOf(part: JsonFields, path: string, dropped: Dropped): JsonFields {
  switch (part.type) {
    case "text":
      return { type: "text", text: part.text };
    case "image_url":
      return imageBlock(part.image_url, `${path}.image_url`, dropped);
    case "file":
      return documentBlock(fieldsOf(part.file), `${path}.file`);
    default:
      throw unsupported(path);
  }
}

function resultOf({ tool_call_id: id, content }: JsonFields, path: string): JsonFields {
  const said = typeof content === "string" ? content : textBlocks(content, path);
  return { type: "tool_result", tool_use_id: id, content: said };
}

function assistantContent(message: JsonFields, path: string): string | readonly JsonFields[] {
  const { content, refusal, tool_calls: calls } = message;
  if (isGiven(message.function_call)) throw unsupported(`${path}.function_call`);
  const said = typeof refusal === "string" ? [{ type: "text", text: refusal }] : [];
  const texts = [...textBlocks(content, `${path}.content`), ...said];
  if (listed(calls).length === 0 && typeof content === "string" && said.length === 0) {
    return content;
  }
  const uses = listed(calls).map((one, index) =>
    useOf(fieldsOf(one), `${path}.tool_calls[${index}]`),
  );
  return [...texts, ...uses];
}

function useOf({ id, type, function: called }: JsonFields, path: string): JsonFields {
  if (type !== "function" && isGiven(type)) throw unsupported(path);
  const { name, arguments: given } = fieldsOf(called);
  const input = objectIn(stringOf(given));
  if (input === null) throw unsupported(`${path}.function.arguments`);
  return { type: "tool_use", id, name, input };
}

/** The texts of a content that may have nothing else. Anthropic refuses empty ones. */
function textBlocks(content: unknown, path: string): JsonFields[] {
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
  return listed(content).flatMap((one, index) => {
    const { type, text, refusal } = fieldsOf(one);
    if (type !== "text" && type !== "refusal") throw unsupported(`${path}[${index}]`);
    const said = stringOf(type === "text" ? text : refusal);
    return said === "" ? [] : [{ type: "text", text: said }];
  });
}
