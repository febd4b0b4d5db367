import { ProxyError } from "../errors.ts";
import type { Conversation, Conversations, NewConversation, TurnPlace } from "./conversations.ts";

export interface ConversationLimits {
  readonly messagesPerConversation: number;
  readonly bytesPerConversation: number;
  readonly bytesPerMessage: number;
  /** Answers or questions that go on from one message. */
  readonly childrenPerMessage: number;
  readonly conversationsPerOwner: number;
}

/** Above what people write by hand, and low enough that reading a whole one fits into memory. */
export const conversationLimits: ConversationLimits = {
  messagesPerConversation: 2_000,
  bytesPerConversation: 16 * 1_048_576,
  bytesPerMessage: 4 * 1_048_576,
  childrenPerMessage: 100,
  conversationsPerOwner: 1_000,
};

/** A question and its answer. */
export const messagesPerTurn = 2;

/** What decides over a turn, read in the transaction that stores it. */
export interface TurnFacts {
  readonly leafId: string | null;
  readonly claimId: string | null;
  readonly claimUntilMs: number | null;
  readonly messages: number;
  readonly bytes: number;
  /** Children the parent has; null when there is no such parent. */
  readonly children: number | null;
}

export interface ProposedTurn extends TurnPlace {
  readonly claimId: string | null;
  readonly bytes: number;
}

/** Why a turn may not be stored, or null. */
export function refuseTurn(
  facts: TurnFacts,
  wish: ProposedTurn,
  limits: ConversationLimits,
  nowMs: number,
): ProxyError | null {
  if (wish.onlyAtNewest && isOvertaken(facts, wish, nowMs)) {
    return new ProxyError("conversation_conflict");
  }
  if (facts.children === null) return new ProxyError("message_not_found");
  if (facts.messages + messagesPerTurn > limits.messagesPerConversation) {
    return full("messages", limits.messagesPerConversation);
  }
  if (facts.bytes + wish.bytes > limits.bytesPerConversation) {
    return full("bytes", limits.bytesPerConversation);
  }
  if (facts.children >= limits.childrenPerMessage)
    return full("branches", limits.childrenPerMessage);
  return null;
}

/**
 * A claim that has run out still counts for its own turn as long as nobody took the place: a slow
 * answer is not thrown away. Without a claim, another's that still runs is in the way.
 */
function isOvertaken(facts: TurnFacts, wish: ProposedTurn, nowMs: number): boolean {
  if (facts.leafId !== wish.parentId) return true;
  if (wish.claimId !== null) return facts.claimId !== wish.claimId;
  return facts.claimId !== null && nowMs < (facts.claimUntilMs ?? 0);
}

function full(limit: "messages" | "bytes" | "branches", max: number): ProxyError {
  return new ProxyError("conversation_full", { details: { limit, max } });
}

export function checkMessageBytes(bytes: number, { bytesPerMessage }: ConversationLimits): void {
  if (bytes <= bytesPerMessage) return;
  throw new ProxyError("message_too_large", { params: { max: bytesPerMessage } });
}

/** A chat by its name, made if there is none. Of two callers at once both get the same chat. */
export async function openChat(
  conversations: Conversations,
  owner: string,
  name: string,
  whenNew: () => Promise<Omit<NewConversation, "name">>,
): Promise<Conversation> {
  const found = await conversations.findByName(owner, name);
  if (found !== null) return found;
  try {
    return await conversations.create(owner, { ...(await whenNew()), name });
  } catch (error) {
    if (!(error instanceof ProxyError) || error.code !== "conversation_conflict") throw error;
    const made = await conversations.findByName(owner, name);
    if (made === null) throw error;
    return made;
  }
}
