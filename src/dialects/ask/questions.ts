import type { Call, Principal } from "../../core/call/call.ts";
import type { Conversations, Tree } from "../../core/conversations/conversations.ts";
import { ANONYMOUS, ownerOf } from "../../core/conversations/owner.ts";
import type { Dialogue, Turn, TurnEvent } from "../../core/conversations/turn.ts";
import { checkModel, type ModelRules } from "../../http/body/model-choice.ts";
import type { TreeQuestion } from "./wire.ts";

/** Questions in conversation trees, the same for all transports. */
export interface TreeDialogue {
  ask(call: Call, question: TreeQuestion): Promise<Turn>;
  stream(call: Call, question: TreeQuestion): Promise<AsyncIterable<TurnEvent>>;
  tree(principal: Principal, conversationId: string): Promise<Tree>;
  /** False if there was none. */
  remove(principal: Principal, conversationId: string): Promise<boolean>;
}

export interface TreeDialogueOptions {
  readonly conversations: Conversations;
  readonly dialogue: Dialogue;
  readonly digestKey: (key: string) => string;
  readonly rules: ModelRules;
}

export function createTreeDialogue(options: TreeDialogueOptions): TreeDialogue {
  const { conversations, dialogue, digestKey, rules } = options;

  /** The caller, or ANONYMOUS: a conversation begun without a credential is open to all who know its id. */
  const ownerOfConversation = async (principal: Principal, conversationId: string | null) => {
    const own = ownerOf(principal, digestKey) ?? ANONYMOUS;
    if (conversationId === null || own === ANONYMOUS) return own;
    return (await conversations.find(own, conversationId)) === null ? ANONYMOUS : own;
  };
  const turnOf = async ({ principal }: Call, question: TreeQuestion) => {
    checkModel(principal, question.model, rules);
    return {
      owner: await ownerOfConversation(principal, question.conversationId),
      conversationId: question.conversationId,
      parentId: question.parentId,
      onlyAtNewest: false,
      question: question.prompt,
      model: question.model,
      maxTokens: question.maxTokens,
    };
  };
  return {
    ask: async (call, question) => dialogue.ask(call, await turnOf(call, question)),
    stream: async (call, question) => dialogue.stream(call, await turnOf(call, question)),
    tree: async (principal, id) => conversations.tree(await ownerOfConversation(principal, id), id),
    remove: async (principal, id) =>
      conversations.delete(await ownerOfConversation(principal, id), id),
  };
}
