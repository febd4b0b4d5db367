/** A model that works as an agent's does: it has a command run first, and then tells what came out. */
import type { RecordedRequest } from "../../support/upstream.ts";

export const QUESTION = "What does note.txt say?";
export const NOTE = "the kettle is blue, 水壶是蓝色的 🫖";
/** Qwen Code at times loses what a command prints that ends at once. */
export const COMMAND = "cat note.txt && sleep 0.5";
/** How clients call what runs a command. */
const RUNS_COMMANDS = /^(bash|shell|shell_command|exec_command|run_shell_command|run_commands?)$/i;

export type Fields = Readonly<Record<string, unknown>>;

export type Decision =
  | { readonly text: string }
  | { readonly tool: string; readonly input: Fields };

interface Tool {
  readonly name: string;
  readonly schema: Fields;
}

/** A request without tools, such as one for a title, gets a text at once. */
export function decide({ json, bodyText }: RecordedRequest): Decision {
  const body = fieldsOf(json);
  const tools = listed(body.tools).map(toolOf);
  if (tools.length === 0) return { text: "A note" };
  const results = resultsIn(body);
  if (results.length > 0) {
    const heard = results.some((result) => result.includes(NOTE)) ? NOTE : results.join("\n");
    return { text: `It says: ${heard}.` };
  }
  if (!bodyText.includes(QUESTION)) return { text: "You asked for nothing" };
  const tool = tools.find(({ name }) => RUNS_COMMANDS.test(name));
  if (tool === undefined) {
    return { text: `No tool runs commands: ${tools.map(({ name }) => name).join(", ")}` };
  }
  return { tool: tool.name, input: inputFor(tool.schema) };
}

/** In the form of chat completions, of responses or of Anthropic's messages. */
function toolOf(value: unknown): Tool {
  const fields = fieldsOf(value);
  const own = fieldsOf(fields.function ?? fields);
  return { name: String(own.name), schema: fieldsOf(own.parameters ?? own.input_schema) };
}

/** What the tools of the client returned, as text. */
export function resultsIn(body: Fields): readonly string[] {
  return listed(body.messages ?? body.input)
    .map(fieldsOf)
    .flatMap((turn) => {
      if (turn.role === "tool") return [textOf(turn.content)];
      if (turn.type === "function_call_output") return [textOf(turn.output)];
      const blocks = listed(turn.content).map(fieldsOf);
      return blocks.filter(({ type }) => type === "tool_result").map((one) => textOf(one.content));
    });
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  return listed(content)
    .map((part) => textOf(fieldsOf(part).text))
    .join("\n");
}

/** What the schema requires, and the command. */
function inputFor(schema: Fields): Fields {
  const required = listed(schema.required).map(String);
  const properties = Object.entries(fieldsOf(schema.properties));
  return Object.fromEntries(
    properties
      .filter(([name]) => required.includes(name) || /^(cmd|commands?)$/.test(name))
      .map(([name, property]) => [name, valueFor(name, fieldsOf(property))]),
  );
}

function valueFor(name: string, { type, enum: values }: Fields): unknown {
  if (name === "commands") return [COMMAND];
  if (/^(cmd|command)$/.test(name)) return type === "array" ? ["sh", "-c", COMMAND] : COMMAND;
  if (type === "boolean") return false;
  if (type === "number" || type === "integer") return 10_000;
  return listed(values)[0] ?? "Shows the note";
}

export function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

export function listed(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
