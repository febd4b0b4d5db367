import { documentText, paragraphs, searchResultText } from "./documents.ts";
import type { Dropped } from "./dropped.ts";
import { fieldsOf, isGiven, type JsonFields, listed, stringOf, unsupported } from "./fields.ts";
import { imagePart } from "./images.ts";

/** Anthropic's system prompt and messages as OpenAI's messages. */
export function chatMessages(
  { system, messages }: JsonFields,
  dropped: Dropped,
): readonly JsonFields[] {
  const all: JsonFields[] = [];
  if (isGiven(system)) all.push({ role: "system", content: plainText(system, "system", dropped) });
  for (const [index, message] of listed(messages).entries()) {
    all.push(...messagesOf(fieldsOf(message), `messages[${index}]`, dropped));
  }
  return all;
}

function messagesOf({ role, content }: JsonFields, path: string, dropped: Dropped): JsonFields[] {
  const at = `${path}.content`;
  switch (role) {
    case "user":
      return typeof content === "string"
        ? [{ role, content }]
        : userMessages(listed(content), at, dropped);
    case "assistant":
      return [typeof content === "string" ? { role, content } : assistant(content, at, dropped)];
    case "system":
      return [{ role, content: plainText(content, at, dropped) }];
    default:
      throw unsupported(`${path}.role`);
  }
}

/** What tools have said becomes messages of its own, which come before the rest of the turn. */
function userMessages(blocks: readonly unknown[], path: string, dropped: Dropped): JsonFields[] {
  const results: JsonFields[] = [];
  const parts: JsonFields[] = [];
  for (const [index, one] of blocks.entries()) {
    const block = fieldsOf(one);
    const at = `${path}[${index}]`;
    if (block.type !== "tool_result") {
      parts.push(partOf(block, at, dropped));
      continue;
    }
    const { text, images } = toolResult(block, at, dropped);
    results.push({ role: "tool", tool_call_id: block.tool_use_id, content: text });
    // messages of tools hold text only
    parts.push(...images);
  }
  if (parts.length === 0 && results.length > 0) return results;
  return [...results, { role: "user", content: contentOf(parts) }];
}

/** A single text is sent as one: some services take nothing else. */
function contentOf(parts: readonly JsonFields[]): unknown {
  const [only] = parts;
  if (only === undefined) return "";
  return parts.length === 1 && only.type === "text" ? only.text : parts;
}

function toolResult(block: JsonFields, path: string, dropped: Dropped) {
  noteExtras(block, dropped);
  if (block.is_error === true) dropped.add("is_error");
  const { content } = block;
  if (typeof content === "string") return { text: content, images: [] };
  const parts = listed(content).map((one, index) =>
    partOf(fieldsOf(one), `${path}.content[${index}]`, dropped),
  );
  const texts = parts.map((part) => stringOf(part.text));
  return { text: paragraphs(texts), images: parts.filter(({ type }) => type !== "text") };
}

function partOf(block: JsonFields, path: string, dropped: Dropped): JsonFields {
  noteExtras(block, dropped);
  switch (block.type) {
    case "text":
      return { type: "text", text: block.text };
    case "image":
      return imagePart(fieldsOf(block.source), path);
    case "document":
      return { type: "text", text: documentText(block, path) };
    case "search_result":
      return { type: "text", text: searchResultText(block) };
    default:
      throw unsupported(path);
  }
}

function assistant(content: unknown, path: string, dropped: Dropped): JsonFields {
  let text = "";
  const calls: JsonFields[] = [];
  for (const [index, one] of listed(content).entries()) {
    const block = fieldsOf(one);
    noteExtras(block, dropped);
    if (block.type === "text") text += stringOf(block.text);
    else if (block.type === "tool_use") calls.push(callOf(block));
    else if (block.type === "thinking" || block.type === "redacted_thinking")
      dropped.add("thinking");
    else throw unsupported(`${path}[${index}]`);
  }
  const message = { role: "assistant", content: text === "" && calls.length > 0 ? null : text };
  return calls.length === 0 ? message : { ...message, tool_calls: calls };
}

function callOf({ id, name, input }: JsonFields): JsonFields {
  return { id, type: "function", function: { name, arguments: JSON.stringify(input ?? {}) } };
}

function plainText(content: unknown, path: string, dropped: Dropped): string {
  if (typeof content === "string") return content;
  const texts = listed(content).map((one, index) => {
    const block = fieldsOf(one);
    noteExtras(block, dropped);
    if (block.type !== "text") throw unsupported(`${path}[${index}]`);
    return stringOf(block.text);
  });
  return paragraphs(texts);
}

function noteExtras(block: JsonFields, dropped: Dropped): void {
  dropped.field(block, "cache_control");
  dropped.field(block, "citations");
}
