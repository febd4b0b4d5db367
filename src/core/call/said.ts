/** What a model said in one choice: chat writes a message, its streams a delta, completions a text. */
export function saidIn(choice: unknown): string {
  const message = fieldOf(choice, "message") ?? fieldOf(choice, "delta");
  return saidInMessage(message) || textIn(fieldOf(choice, "text"));
}

/** What a choice has beside its text and is billed, too: thoughts, and the calls of tools. */
export function unsaidIn(choice: unknown): string {
  const message = fieldOf(choice, "message") ?? fieldOf(choice, "delta");
  if (message === undefined) return "";
  const content = fieldOf(message, "content");
  const calls = fieldOf(message, "tool_calls");
  return [
    THOUGHTS.map((name) => fieldOf(message, name)).find(isText) ?? "",
    Array.isArray(content) ? content.map(thoughtOfPart).join("") : "",
    Array.isArray(calls) ? calls.map(argumentsOf).join("") : "",
    argumentsOf(message),
  ].join("");
}

/** The same text under the names that services have for it. */
const THOUGHTS = ["reasoning_content", "reasoning", "thinking"];

/** Of a tool call, or of the older form of one, which stands in the message itself. */
function argumentsOf(holder: unknown): string {
  const called =
    fieldOf(holder, "function") ?? fieldOf(holder, "function_call") ?? fieldOf(holder, "custom");
  const given = fieldOf(called, "arguments") ?? fieldOf(called, "input");
  return isText(given) ? given : "";
}

function thoughtOfPart(part: unknown): string {
  if (!isThought(part)) return "";
  const thought = fieldOf(part, "thinking") ?? fieldOf(part, "text");
  return isText(thought) ? thought : textIn(thought);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** The text of a message or delta; a refusal is one, too. */
export function saidInMessage(message: unknown): string {
  return textIn(fieldOf(message, "content")) || textIn(fieldOf(message, "refusal"));
}

/** Parts stand within parts no deeper; functions that call themselves have a limit. */
const MAX_DEPTH = 4;

/** A text, or a list of parts: those that are text are joined, thoughts and others left out. */
function textIn(content: unknown, depth = 0): string {
  if (typeof content === "string") return content;
  if (depth > MAX_DEPTH) return "";
  if (Array.isArray(content)) return content.map((part) => textIn(part, depth + 1)).join("");
  return isThought(content) ? "" : textIn(innerText(content), depth + 1);
}

/** What a part has to say, under the names that services have for it. */
function innerText(part: unknown): unknown {
  for (const name of ["text", "refusal", "value", "content", "parts"]) {
    const text = fieldOf(part, name);
    if (text !== undefined && text !== null) return text;
  }
  return "";
}

function isThought(part: unknown): boolean {
  const type = fieldOf(part, "type");
  if (fieldOf(part, "thought") === true) return true;
  return typeof type === "string" && /think|reason|thought|summary/.test(type);
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
