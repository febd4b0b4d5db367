import type { Conversation, Conversations, Path } from "../../core/conversations/conversations.ts";
import { MAX_SHARED_CONVERSATIONS, PUBLIC } from "../../core/conversations/owner.ts";
import { openChat } from "../../core/conversations/turn-rules.ts";
import { ProxyError } from "../../core/errors.ts";

export type NamedChats = ReturnType<typeof createNamedChats>;

/** Who opens a chat. */
export interface ChatOwner {
  readonly owner: string;
  /** See `NewConversation`. Asked for new chats only. */
  readonly roomOf: () => Promise<string | null>;
}

/** An owner's chats by name. An unknown name is a `conversation_not_found`. */
export function createNamedChats(conversations: Conversations) {
  const find = async (owner: string, name: string): Promise<Conversation> => {
    const chat = await conversations.findByName(owner, name);
    if (chat === null) throw new ProxyError("conversation_not_found");
    return chat;
  };
  const limit = (owner: string) =>
    owner === PUBLIC ? { maxConversations: MAX_SHARED_CONVERSATIONS } : {};
  const openWith = (
    { owner, roomOf }: ChatOwner,
    name: string,
    prompt: () => Promise<string | null>,
  ) =>
    openChat(conversations, owner, name, async () => {
      return { ...limit(owner), systemPrompt: await prompt(), room: await roomOf() };
    });
  /** Creates the chat if there is none, with a copy of the global prompt at that time. */
  const open = (owner: ChatOwner, name: string): Promise<Conversation> =>
    openWith(owner, name, () => conversations.globalPrompt());
  /** Creates the chat if there is none. `""`: the global prompt at this time; null: no prompt. */
  const setPrompt = async (
    owner: ChatOwner,
    name: string,
    prompt: string | null,
  ): Promise<void> => {
    const systemPrompt = prompt === "" ? await conversations.globalPrompt() : prompt;
    const { id } = await openWith(owner, name, async () => systemPrompt);
    await conversations.setSystemPrompt(owner.owner, id, systemPrompt);
  };
  const history = async (owner: string, name: string): Promise<Path> =>
    conversations.path(owner, (await find(owner, name)).id);
  /** False if there was none. */
  const remove = async (owner: string, name: string): Promise<boolean> => {
    const chat = await conversations.findByName(owner, name);
    return chat !== null && (await conversations.delete(owner, chat.id));
  };
  return { find, open, setPrompt, history, remove };
}
