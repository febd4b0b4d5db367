/** What a model said in one choice: chat writes a message, its streams a delta, completions a text. */
export function saidIn(choice: unknown): string {
  const message = fieldOf(choice, "message") ?? fieldOf(choice, "delta");
  return saidInMessage(message) || textIn(fieldOf(choice, "text"));
}

/** The text of a message or delta; a refusal is one, too. */
export function saidInMessage(message: unknown): string {
  return textIn(fieldOf(message, "content")) || textIn(fieldOf(message, "refusal"));
}

/** A text, or a list of parts: those that are text are joined, thoughts and others left out. */
function textIn(content: unknown): string {
  if (typeof content === "string") return content;
  return Array.isArray(content) ? content.map(textOfPart).join("") : textOfPart(content);
}

function textOfPart(part: unknown): string {
  if (typeof part === "string") return part;
  const text = fieldOf(part, "text") ?? fieldOf(part, "refusal");
  return typeof text === "string" && !isThought(part) ? text : "";
}

function isThought(part: unknown): boolean {
  const type = fieldOf(part, "type");
  return typeof type === "string" && /think|reason|thought/.test(type);
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
