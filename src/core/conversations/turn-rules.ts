import { ProxyError } from "../errors.ts";
import type { Conversation, Conversations, NewConversation, TurnPlace } from "./conversations.ts";

export interface ConversationLimits {
  readonly messagesPerConversation: number;
  readonly bytesPerConversation: number;
  readonly bytesPerMessage: number;
  /** Children of one message. */
  readonly childrenPerMessage: number;
  readonly conversationsPerOwner: number;
}

/** More than people write by hand, and small enough to read a whole conversation into memory. */
export const conversationLimits: ConversationLimits = {
  messagesPerConversation: 2_000,
  bytesPerConversation: 16 * 1_048_576,
  bytesPerMessage: 4 * 1_048_576,
  childrenPerMessage: 100,
  conversationsPerOwner: 1_000,
};

/** A question and its answer. */
export const MESSAGES_PER_TURN = 2;

/** The state that decides over a turn, read in the transaction that stores it. */
export interface TurnState {
  readonly leafId: string | null;
  readonly claimId: string | null;
  readonly claimUntilMs: number | null;
  readonly messages: number;
  readonly bytes: number;
  /** Children of the parent; null if there is no such parent. */
  readonly children: number | null;
}

export interface ProposedTurn extends TurnPlace {
  readonly claimId: string | null;
  readonly bytes: number;
}

/** Why a turn may not be stored, or null. */
export function refuseTurn(
  state: TurnState,
  turn: ProposedTurn,
  limits: ConversationLimits,
  nowMs: number,
): ProxyError | null {
  if (turn.onlyAtNewest && isOvertaken(state, turn, nowMs)) {
    return new ProxyError("conversation_conflict");
  }
  if (state.children === null) return new ProxyError("message_not_found");
  if (state.messages + MESSAGES_PER_TURN > limits.messagesPerConversation) {
    return full("messages", limits.messagesPerConversation);
  }
  if (state.bytes + turn.bytes > limits.bytesPerConversation) {
    return full("bytes", limits.bytesPerConversation);
  }
  if (state.children >= limits.childrenPerMessage)
    return full("branches", limits.childrenPerMessage);
  return null;
}

/**
 * A turn whose claim expired may be stored as long as no one else has claimed the place. A turn
 * without a claim conflicts with any active one.
 */
function isOvertaken(state: TurnState, turn: ProposedTurn, nowMs: number): boolean {
  if (state.leafId !== turn.parentId) return true;
  if (turn.claimId !== null) return state.claimId !== turn.claimId;
  return state.claimId !== null && nowMs < (state.claimUntilMs ?? 0);
}

function full(limit: "messages" | "bytes" | "branches", max: number): ProxyError {
  return new ProxyError("conversation_full", { details: { limit, max } });
}

export function checkMessageBytes(bytes: number, { bytesPerMessage }: ConversationLimits): void {
  if (bytes <= bytesPerMessage) return;
  throw new ProxyError("message_too_large", { params: { max: bytesPerMessage } });
}

/** Finds a chat by its name or creates it. Two callers at once get the same chat. */
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
