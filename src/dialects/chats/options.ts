import type { Pipeline } from "../../core/call/pipeline.ts";
import type { Conversations } from "../../core/conversations/conversations.ts";
import type { Dialogue } from "../../core/conversations/dialogue.ts";
import type { ModelRules } from "../../http/body/model-choice.ts";
import { type CallOptions, openEmptyCall } from "../../http/call/json-call.ts";
import type { AppContext } from "../../http/call/request-context.ts";
import type { Translate } from "../../locales.ts";
import type { ChatAccess } from "./access.ts";

export interface ChatsOptions extends CallOptions {
  readonly conversations: Conversations;
  readonly dialogue: Dialogue;
  readonly pipeline: Pick<Pipeline, "relay">;
  readonly access: ChatAccess;
  readonly rules: ModelRules;
  /** Of a chat's history, to travel upstream at most. */
  readonly maxMessages: number;
  readonly moderationModel: string;
  readonly translate: Translate;
}

export const NAME = "chats";

/** The caller of a request without a body, as the owner of the chats they talk in. */
export async function ownerIn(c: AppContext, options: ChatsOptions): Promise<string> {
  return options.access.ownerOf((await openEmptyCall(c, NAME, options)).principal);
}

/** The same for what is never shared. */
export async function personIn(c: AppContext, options: ChatsOptions): Promise<string> {
  return options.access.personOf((await openEmptyCall(c, NAME, options)).principal);
}
