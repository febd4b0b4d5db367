import type { Dropped } from "./dropped.ts";
import {
  defined,
  fieldsOf,
  isGiven,
  type JsonFields,
  listed,
  stringOf,
  unsupported,
} from "./fields.ts";

const TOOL: ReadonlySet<string> = new Set([
  "type",
  "name",
  "description",
  "input_schema",
  "strict",
]);
const FUNCTION: ReadonlySet<string> = new Set(["name", "description", "parameters", "strict"]);
/** A tool that takes nothing. */
const NO_INPUT = { type: "object", properties: {} };

/** Anthropic's tools as OpenAI's. Tools that a service brings itself have a type, and no equal. */
export function chatTools(tools: unknown, dropped: Dropped): readonly JsonFields[] | undefined {
  if (!isGiven(tools)) return undefined;
  return listed(tools).map((one, index) => {
    const tool = fieldsOf(one);
    const { type, name, description, input_schema: parameters, strict } = tool;
    if (isGiven(type) && type !== "custom") throw unsupported(`tools[${index}]`);
    dropped.others(tool, TOOL);
    return { type: "function", function: defined({ name, description, parameters, strict }) };
  });
}

export function messagesTools(tools: unknown, dropped: Dropped): readonly JsonFields[] | undefined {
  if (!isGiven(tools)) return undefined;
  return listed(tools).map((one, index) => {
    const tool = fieldsOf(one);
    if (tool.type !== "function") throw unsupported(`tools[${index}]`);
    const about = fieldsOf(tool.function);
    dropped.others(about, FUNCTION);
    const { name, description, parameters, strict } = about;
    const schema = isGiven(parameters) ? parameters : NO_INPUT;
    return defined({
      name,
      description: description ?? undefined,
      input_schema: schema,
      strict: strict === true ? true : undefined,
    });
  });
}

/** Which tool is to be called, and whether several may be at once. */
export function chatToolChoice(choice: unknown): JsonFields {
  if (!isGiven(choice)) return {};
  const { type, name, disable_parallel_tool_use: alone } = fieldsOf(choice);
  return defined({
    tool_choice: chatChoice(stringOf(type), name),
    parallel_tool_calls: alone === true ? false : undefined,
  });
}

function chatChoice(type: string, name: unknown): unknown {
  if (type === "auto" || type === "none") return type;
  if (type === "any") return "required";
  if (type === "tool") return { type: "function", function: { name } };
  throw unsupported("tool_choice");
}

export function messagesToolChoice(
  choice: unknown,
  parallel: unknown,
  hasTools: boolean,
): JsonFields {
  const chosen = messagesChoice(choice);
  if (parallel !== false || !hasTools || chosen?.type === "none") {
    return defined({ tool_choice: chosen });
  }
  return { tool_choice: { type: "auto", ...chosen, disable_parallel_tool_use: true } };
}

function messagesChoice(choice: unknown): JsonFields | undefined {
  if (!isGiven(choice)) return undefined;
  if (choice === "auto" || choice === "none") return { type: choice };
  if (choice === "required") return { type: "any" };
  const { type, function: named } = fieldsOf(choice);
  if (type !== "function") throw unsupported("tool_choice");
  return { type: "tool", name: fieldsOf(named).name };
}
