import { z } from "zod";
import { reservedTokens } from "../../core/call/reserved-tokens.ts";
import { chosenModel } from "../../http/body/model-choice.ts";
import { parsed } from "../../http/body/parsed.ts";
import { readJsonCall } from "../../http/call/json-call.ts";
import type { AppContext } from "../../http/call/request-context.ts";
import type { Route } from "../../http/dialect.ts";
import { ALREADY_SENT } from "../../http/reply/event-stream.ts";
import { respondJson } from "../../http/reply/json-response.ts";
import { answer, responseHeaders } from "../../http/reply/response-headers.ts";
import { collect } from "../../http/reply/whole-answer.ts";
import { content } from "./content.ts";
import { type ChatsOptions, NAME, ownerIn } from "./options.ts";
import { globalPrompt, globalPromptBody } from "./prompts.ts";

/** The body of `POST /mod`. */
const moderationBody = z.object({
  content,
  model: z.string().nullish().describe("MODERATION_MODEL by default"),
  api_key: z.string().nullish(),
});

/** The prompt that new chats copy, and moderation. */
export function globalRoutes(options: ChatsOptions): readonly Route[] {
  const { access, conversations } = options;
  const who = access.open ? ({ credential: "optional" } as const) : {};

  const show = async (c: AppContext) => {
    await ownerIn(c, options);
    return respondJson(c, 200, { content: await conversations.globalPrompt() });
  };
  const set = async (c: AppContext) => {
    if (!access.open) access.checkOperator(c.env.incoming.headers);
    const { json, open } = await readJsonCall(c, NAME, options);
    const { content: prompt, api_key: key } = parsed(globalPromptBody, json);
    if (access.open) await open(key || null);
    if (prompt !== "") await conversations.setGlobalPrompt(prompt);
    return respondJson(c, 200, {});
  };
  return [
    {
      method: "GET",
      path: "/system",
      counted: true,
      handle: show,
      doc: { summary: "Shows the prompt that new chats copy", answer: globalPrompt, ...who },
    },
    {
      method: "POST",
      path: "/system",
      counted: true,
      handle: set,
      doc: {
        summary: "Sets the prompt that new chats copy",
        body: globalPromptBody,
        answer: z.object({}),
        credential: access.open ? "optional" : "admin",
      },
    },
    {
      method: "POST",
      path: "/mod",
      counted: true,
      handle: createModeration(options),
      doc: {
        summary: "Moderates a message; the answer is the upstream's own",
        body: moderationBody,
        answer: z.looseObject({ id: z.string(), model: z.string(), results: z.array(z.unknown()) }),
        ...who,
      },
    },
  ];
}

function createModeration(options: ChatsOptions): Route["handle"] {
  const { access, pipeline, moderationModel, rules } = options;
  const { allowedModels: allowed } = rules;
  const moderation = {
    ...rules,
    model: moderationModel,
    allowedModels: allowed.length === 0 ? [] : [...allowed, moderationModel],
  };
  return async function moderate(c) {
    const { json, open } = await readJsonCall(c, NAME, options);
    const { content: input, model: asked, api_key: key } = parsed(moderationBody, json);
    const model = chosenModel(asked, moderation);
    const call = await open(key || null);
    access.ownerOf(call.principal);
    const body = JSON.stringify({ model, input });
    const request = { method: "POST", path: "/moderations", body } as const;
    const answered = await pipeline.relay(call, {
      model,
      reservedTokens: reservedTokens(Buffer.byteLength(body), 0),
      request: { ...request, streamed: false, hideUsage: false },
    });
    const { status, bytes, contentType } = await collect(answered);
    if (c.env.outgoing.destroyed) return ALREADY_SENT;
    return answer(status, bytes, responseHeaders(c.env.context, contentType));
  };
}
