import { describe, expect, test } from "vitest";
import {
  conversationLimits,
  type ProposedTurn,
  refuseTurn,
  type TurnState,
} from "../../../src/core/conversations/turn-rules.ts";

const now = 1_000;
const facts: TurnState = {
  leafId: "leaf",
  claimId: null,
  claimUntilMs: null,
  messages: 4,
  bytes: 100,
  children: 0,
};
const wish: ProposedTurn = { parentId: "leaf", onlyAtNewest: true, claimId: null, bytes: 10 };

function refusal(f: Partial<TurnState>, w: Partial<ProposedTurn> = {}): string | undefined {
  return refuseTurn({ ...facts, ...f }, { ...wish, ...w }, conversationLimits, now)?.code;
}

describe("a turn at the newest answer", () => {
  test.each<[string, Partial<TurnState>, Partial<ProposedTurn>, string | undefined]>([
    ["is stored", {}, {}, undefined],
    ["comes too late after another", { leafId: "newer" }, {}, "conversation_conflict"],
    ["comes too late for an empty chat", {}, { parentId: null }, "conversation_conflict"],
    [
      "waits for another's claim",
      { claimId: "c", claimUntilMs: now + 1 },
      {},
      "conversation_conflict",
    ],
    [
      "does not wait for a claim that has run out",
      { claimId: "c", claimUntilMs: now },
      {},
      undefined,
    ],
    ["uses its claim", { claimId: "c", claimUntilMs: now + 1 }, { claimId: "c" }, undefined],
    ["uses its claim late", { claimId: "c", claimUntilMs: now - 1 }, { claimId: "c" }, undefined],
    ["has lost its claim", { claimId: "d" }, { claimId: "c" }, "conversation_conflict"],
    ["has a claim that was void", {}, { claimId: "c" }, "conversation_conflict"],
  ])("%s", (_, changed, wanted, code) => {
    expect(refusal(changed, wanted)).toBe(code);
  });
});

describe("a turn anywhere in the tree", () => {
  const anywhere = { onlyAtNewest: false, parentId: "old" };

  test("asks for no more than its parent", () => {
    expect(refusal({ claimId: "c", claimUntilMs: now + 1 }, anywhere)).toBeUndefined();
    expect(refusal({ children: null }, anywhere)).toBe("message_not_found");
  });

  test("is refused at each limit and not before", () => {
    const { messagesPerConversation, bytesPerConversation, childrenPerMessage } =
      conversationLimits;
    const at = (changed: Partial<TurnState>) => refusal(changed, anywhere);
    expect(at({ messages: messagesPerConversation - 2 })).toBeUndefined();
    expect(at({ messages: messagesPerConversation - 1 })).toBe("conversation_full");
    expect(at({ bytes: bytesPerConversation - 10 })).toBeUndefined();
    expect(at({ bytes: bytesPerConversation - 9 })).toBe("conversation_full");
    expect(at({ children: childrenPerMessage - 1 })).toBeUndefined();
    expect(at({ children: childrenPerMessage })).toBe("conversation_full");
  });
});
