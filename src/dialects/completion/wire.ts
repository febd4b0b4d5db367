import { z } from "zod";
import type { RelayCall } from "../../core/call/pipeline.ts";
import { ProxyError } from "../../core/errors.ts";
import { withExactNumbers } from "../../core/exact-numbers.ts";
import type { RelayRequest } from "../../core/upstream-ports.ts";
import { wellFormedJson } from "../../core/well-formed.ts";
import { chosenModel, type ModelRules, type PassedOn } from "../../http/body/model-choice.ts";
import { parsed } from "../../http/body/parsed.ts";
import {
  askingForUsage,
  CHAT_BOUNDS,
  expectedOfRelay,
  needsUsageOption,
  relayFields,
  usageOption,
  withoutLookalikes,
  withTokenField,
} from "../../http/body/relay-fields.ts";

/** More messages than any model's window; checked before the messages themselves. */
const MAX_MESSAGES = 4_096;

const message = z.looseObject({ role: z.string().min(1), content: z.unknown() });
const messages = z.array(z.unknown()).max(MAX_MESSAGES).pipe(z.array(message));

const generateParams = relayFields.extend({ model_name: z.string().nullish() });

const completionBody = z.object({
  prompt: z.string().nullish(),
  messages: messages.nullish(),
  generate_params: generateParams.nullish(),
  api_key: z.string().nullish(),
});

/** A prompt wins: `messages` is then ignored, whatever it holds. */
const bodyWithPrompt = completionBody.omit({ messages: true });

/** What is checked step by step, as one schema for /openapi.json. */
export const describedBody = z.union([
  bodyWithPrompt.extend({ prompt: z.string().min(1) }),
  completionBody.extend({ messages: z.array(message).min(1).max(MAX_MESSAGES) }),
]);

export interface CompletionQuestion {
  readonly relayCall: RelayCall;
  /** For the operator's rules, which depend on the caller. */
  readonly passedOn: PassedOn;
  readonly apiKey: string | null;
}

/** Throws the first mistake, naming the field. Ignores unknown fields outside `generate_params`. */
export function parseCompletionBody(
  json: unknown,
  bytes: Buffer,
  rules: ModelRules,
): CompletionQuestion {
  const { prompt, generate_params, api_key } = parsed(bodyWithPrompt, json);
  const params = generate_params ?? {};
  const field = params.model_name ? "model_name" : "model";
  const model = chosenModel(params[field], rules);
  // the schema has checked it, except the messages: those come next
  const exact = withExactNumbers(json as object, bytes) as ExactBody;
  const asked = prompt ? [{ role: "user", content: prompt }] : messagesOf(json, exact);
  const expectedFields = { ...params, prompt: undefined, input: undefined, messages: asked };
  const hideUsage = needsUsageOption(params);
  const own = withoutOurs(exact.generate_params ?? {});
  const requestFor = (name: string): RelayRequest => {
    const body = { model: name, messages: asked, ...own };
    const whole = hideUsage ? askingForUsage(body) : body;
    return {
      method: "POST",
      path: "/chat/completions",
      body: wellFormedJson(withTokenField(whole, name)),
      streamed: params.stream === true,
      hideUsage,
      isRewritten: true,
      usageOption: usageOption(params, name, hideUsage, () =>
        wellFormedJson(withTokenField(body, name)),
      ),
      named: requestFor,
    };
  };
  return {
    relayCall: {
      model,
      expected: expectedOfRelay(expectedFields, bytes.length, CHAT_BOUNDS),
      request: requestFor(model),
    },
    passedOn: {
      model,
      fields: expectedFields,
      bounds: CHAT_BOUNDS,
      modelField: `generate_params.${field}`,
      prefix: "generate_params.",
    },
    apiKey: api_key || null,
  };
}

interface ExactBody {
  readonly messages?: unknown;
  readonly generate_params?: object | null;
}

/** Fields that Parley sets, and one that would give a credential to the upstream. */
const NOT_PASSED_ON = new Set(["model_name", "model", "messages", "prompt", "api_key"]);

function withoutOurs(params: object): object {
  const entries = Object.entries(withoutLookalikes(params));
  return Object.fromEntries(entries.filter(([name]) => !NOT_PASSED_ON.has(name)));
}

/** The client's messages, checked but otherwise unchanged. */
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

/** Text or parts; an assistant's tool call may have neither. */
function checkContent(content: unknown, role: string, field: string): void {
  if (typeof content === "string" || Array.isArray(content)) return;
  const isMissing = content === undefined || content === null;
  if (isMissing && role === "assistant") return;
  const params = isMissing ? { field } : { field, expected: "content" };
  throw new ProxyError(isMissing ? "field_missing" : "field_type", { params, details: { field } });
}
