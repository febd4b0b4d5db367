import type { Conversation, Conversations, Path } from "../../core/conversations/conversations.ts";
import { MAX_SHARED_CONVERSATIONS, PUBLIC } from "../../core/conversations/owner.ts";
import { openChat } from "../../core/conversations/turns.ts";
import { ProxyError } from "../../core/errors.ts";

/** An owner's chats by their names. Unknown ones are a `conversation_not_found`. */
export interface NamedChats {
  find(owner: string, name: string): Promise<Conversation>;
  /** Makes the chat if there is none, with a copy of the global prompt as it is then. */
  open(owner: string, name: string): Promise<Conversation>;
  /** Makes the chat if there is none. `""`: the global prompt as it is now; null: none. */
  setPrompt(owner: string, name: string, prompt: string | null): Promise<void>;
  history(owner: string, name: string): Promise<Path>;
  /** False when there was none. */
  remove(owner: string, name: string): Promise<boolean>;
}

export function createNamedChats(conversations: Conversations): NamedChats {
  const room = (owner: string) =>
    owner === PUBLIC ? { maxConversations: MAX_SHARED_CONVERSATIONS } : {};
  const find = async (owner: string, name: string) => {
    const chat = await conversations.findByName(owner, name);
    if (chat === null) throw new ProxyError("conversation_not_found");
    return chat;
  };
  return {
    find,
    open: (owner, name) =>
      openChat(conversations, owner, name, async () => {
        return { ...room(owner), systemPrompt: await conversations.globalPrompt() };
      }),
    async setPrompt(owner, name, prompt) {
      const systemPrompt = prompt === "" ? await conversations.globalPrompt() : prompt;
      const whenNew = async () => ({ ...room(owner), systemPrompt });
      const { id } = await openChat(conversations, owner, name, whenNew);
      await conversations.setSystemPrompt(owner, id, systemPrompt);
    },
    history: async (owner, name) => conversations.path(owner, (await find(owner, name)).id),
    async remove(owner, name) {
      const chat = await conversations.findByName(owner, name);
      return chat !== null && (await conversations.delete(owner, chat.id));
    },
  };
}
