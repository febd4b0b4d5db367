import { z } from "zod";
import type { RelayCall } from "../../core/call/pipeline.ts";
import { ProxyError } from "../../core/errors.ts";
import { withExactNumbers } from "../../http/body/exact-numbers.ts";
import { chosenModel, type ModelRules } from "../../http/body/model-choice.ts";
import { parsed } from "../../http/body/parsed.ts";
import {
  askingForUsage,
  lacksUsage,
  relayFields,
  reservedForRelay,
  withTokenField,
} from "../../http/body/relay-fields.ts";

/** A history longer than any model's window; checked before its entries are. */
const MAX_MESSAGES = 4_096;

const message = z.looseObject({ role: z.string().min(1), content: z.unknown() });
const messages = z.array(z.unknown()).max(MAX_MESSAGES).pipe(z.array(message));

const generateParams = relayFields.extend({ model_name: z.string().nullish() });

/** The body of `POST /chat_complete`. */
export const completionBody = z.object({
  prompt: z.string().nullish(),
  messages: messages.nullish(),
  generate_params: generateParams.nullish(),
  api_key: z.string().nullish(),
});

/** A prompt wins, whatever stands in `messages` then. */
const bodyWithPrompt = completionBody.omit({ messages: true });

/** A request that has passed its schema. */
export interface CompletionQuestion {
  readonly wish: RelayCall;
  readonly apiKey: string | null;
}

/** Throws the first mistake, naming the field. Unknown fields beside `generate_params` are passed over. */
export function parseCompletion(
  json: unknown,
  bytes: Buffer,
  rules: ModelRules,
): CompletionQuestion {
  const { prompt, generate_params, api_key } = parsed(bodyWithPrompt, json);
  const params = generate_params ?? {};
  const model = params.model_name
    ? chosenModel(params.model_name, rules, "generate_params.model_name")
    : chosenModel(params.model, rules, "generate_params.model");
  // checked by the schema, but for the messages, which are checked below
  const exact = withExactNumbers(json as object, bytes) as ExactBody;
  const asked = prompt ? [{ role: "user", content: prompt }] : messagesOf(json, exact);
  const hideUsage = lacksUsage(params);
  const body = { model, messages: asked, ...passedOn(exact.generate_params ?? {}) };
  const whole = hideUsage ? askingForUsage(body) : body;
  return {
    wish: {
      model,
      reservedTokens: reservedForRelay({ ...params, prompt: undefined }, bytes.length),
      request: {
        method: "POST",
        path: "/chat/completions",
        body: JSON.stringify(withTokenField(whole, model)),
        streamed: params.stream === true,
        hideUsage,
      },
    },
    apiKey: api_key || null,
  };
}

interface ExactBody {
  readonly messages?: unknown;
  readonly generate_params?: object | null;
}

/** What is ours to say, or would hand a credential on. */
const NOT_PASSED_ON = new Set(["model_name", "model", "messages", "prompt", "api_key"]);

function passedOn(params: object): object {
  return Object.fromEntries(Object.entries(params).filter(([name]) => !NOT_PASSED_ON.has(name)));
}

/** The messages as the client wrote them, once they are known to be some. */
function messagesOf(json: unknown, exact: ExactBody): unknown {
  const { prompt, messages: found } = parsed(completionBody, json);
  if (!found?.length) {
    const code = prompt === "" ? "field_empty" : "field_missing";
    throw new ProxyError(code, { params: { field: "prompt" }, details: { field: "prompt" } });
  }
  for (const [index, { role, content }] of found.entries()) {
    checkContent(content, role, `messages[${index}].content`);
  }
  return exact.messages;
}

/** Text or parts; an assistant that called tools has said nothing. */
function checkContent(content: unknown, role: string, field: string): void {
  if (typeof content === "string" || Array.isArray(content)) return;
  const details = { field };
  if (content !== undefined && content !== null) {
    throw new ProxyError("field_type", { params: { field, expected: "content" }, details });
  }
  if (role === "assistant") return;
  throw new ProxyError("field_missing", { params: { field }, details });
}
