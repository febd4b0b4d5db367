import { isObject } from "../reading/json.ts";
import { fieldsOf, type JsonFields, listed, stringOf } from "./fields.ts";

/** A list of models, or one of them, in Anthropic's form; null if it is none. */
export function toMessagesModels(answer: JsonFields): JsonFields | null {
  if (!Array.isArray(answer.data)) return isModel(answer) ? messagesModel(answer) : null;
  const data = listed(answer.data).filter(isModel).map(messagesModel);
  return {
    data,
    has_more: false,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
  };
}

/** The same in OpenAI's form. */
export function toChatModels(answer: JsonFields): JsonFields | null {
  if (!Array.isArray(answer.data)) return isModel(answer) ? chatModel(answer) : null;
  return { object: "list", data: listed(answer.data).filter(isModel).map(chatModel) };
}

function isModel(value: unknown): value is JsonFields {
  return isObject(value) && stringOf(fieldsOf(value).id) !== "";
}

function messagesModel({ id, created }: JsonFields): JsonFields {
  const seconds = typeof created === "number" && created >= 0 && created < 1e11 ? created : 0;
  const since = new Date(Math.floor(seconds) * 1_000).toISOString();
  return { type: "model", id, display_name: id, created_at: since };
}

function chatModel({ id, created_at: since }: JsonFields): JsonFields {
  const ms = Date.parse(stringOf(since));
  const created = Number.isNaN(ms) ? 0 : Math.floor(ms / 1_000);
  return { id, object: "model", created, owned_by: "anthropic" };
}
