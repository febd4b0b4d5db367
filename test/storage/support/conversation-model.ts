import type { ConversationLimits } from "../../../src/core/conversations/turn-rules.ts";

interface ModelTurn {
  readonly id: string;
  readonly parent: ModelTurn | null;
  readonly question: string;
  readonly answer: string;
}

interface ModelConversation {
  readonly id: string;
  readonly owner: string;
  readonly name: string | null;
  prompt: string | null;
  expiresAt: number;
  turns: ModelTurn[];
  claim: { readonly id: string; readonly until: number } | null;
}

interface Place {
  readonly parentId: string | null;
  readonly onlyAtNewest: boolean;
  readonly claimId: string | null;
}

/** The store as one would write it without a database: lists, and a search for everything. */
export function createModel(limits: ConversationLimits, lifetimeMs: number) {
  const all: ModelConversation[] = [];
  let now = 0;
  const live = () => all.filter((one) => one.expiresAt > now);
  const find = (owner: string, id: string) =>
    live().find((one) => one.owner === owner && one.id === id);
  const use = (one: ModelConversation) => {
    if (one.expiresAt < now + lifetimeMs - 60_000) one.expiresAt = now + lifetimeMs;
  };
  const bytes = (one: ModelConversation) =>
    one.turns.reduce((sum, { question, answer }) => sum + question.length + answer.length, 0);
  const refuse = (one: ModelConversation, place: Place, size: number): string | null => {
    if (isOvertaken(one, place, now)) return "conversation_conflict";
    const { parentId } = place;
    if (parentId !== null && !one.turns.some((turn) => turn.id === parentId)) {
      return "message_not_found";
    }
    const children = one.turns.filter((turn) => (turn.parent?.id ?? null) === parentId).length;
    const isFull =
      one.turns.length * 2 + 2 > limits.messagesPerConversation ||
      bytes(one) + size > limits.bytesPerConversation ||
      children >= limits.childrenPerMessage;
    return isFull ? "conversation_full" : null;
  };
  return {
    setTime: (wallMs: number) => {
      now = wallMs;
    },
    ids: () => all.map((one) => one.id),
    turnIds: () => all.flatMap((one) => one.turns.map((turn) => turn.id)),
    /** Time may not go back to before an expiry: what was swept since is gone for good. */
    mayPass: (ms: number) => all.every(({ expiresAt }) => expiresAt > now || expiresAt <= now + ms),
    live: (owner: string) =>
      live()
        .filter((one) => one.owner === owner)
        .map((one) => ({
          id: one.id,
          name: one.name,
          systemPrompt: one.prompt,
          messages: one.turns.length * 2,
          bytes: bytes(one),
          leafId: one.turns.at(-1)?.id ?? null,
          expiresAt: one.expiresAt,
        })),
    refuseCreate: (owner: string, name: string | null): string => {
      const mine = live().filter((one) => one.owner === owner);
      if (name !== null && mine.some((one) => one.name === name)) return "conversation_conflict";
      return mine.length >= limits.conversationsPerOwner ? "conversations_limited" : "done";
    },
    created: (owner: string, id: string, name: string | null, prompt: string | null) => {
      const expiresAt = now + lifetimeMs;
      all.push({ id, owner, name, prompt, expiresAt, turns: [], claim: null });
    },
    refuseTurn: (owner: string, id: string, place: Place, question: string, answer: string) => {
      const longest = Math.max(question.length, answer.length);
      if (longest > limits.bytesPerMessage) return "message_too_large";
      const one = find(owner, id);
      if (one === undefined) return "conversation_not_found";
      const refusal = refuse(one, place, question.length + answer.length);
      const stored = one.turns.some((turn) => turn.id === place.claimId);
      return stored ? "done" : (refusal ?? "done");
    },
    appended: (
      owner: string,
      id: string,
      turn: Omit<ModelTurn, "parent">,
      parentId: string | null,
    ) => {
      const one = find(owner, id);
      if (one === undefined || one.turns.some((stored) => stored.id === turn.id)) return;
      const parent = one.turns.find((stored) => stored.id === parentId) ?? null;
      one.turns.push({ ...turn, parent });
      one.claim = null;
      use(one);
    },
    refuseClaim: (owner: string, id: string, parentId: string | null): string => {
      const one = find(owner, id);
      if (one === undefined) return "conversation_not_found";
      const refusal = refuse(one, { parentId, onlyAtNewest: true, claimId: null }, 0);
      return refusal ?? "done";
    },
    claimed: (owner: string, id: string, claimId: string, until: number) => {
      const one = find(owner, id);
      if (one === undefined) return;
      one.claim = { id: claimId, until };
      use(one);
      one.expiresAt = Math.max(one.expiresAt, until);
    },
    released: (owner: string, id: string, claimId: string) => {
      const one = find(owner, id);
      if (one?.claim?.id === claimId) one.claim = null;
    },
    path: (
      owner: string,
      id: string,
      leafId: string | undefined,
      most: number,
      characters: number,
    ) => {
      const one = find(owner, id);
      if (one === undefined) return "conversation_not_found";
      use(one);
      const leaf =
        leafId === undefined ? one.turns.at(-1) : one.turns.find((turn) => turn.id === leafId);
      if (leaf === undefined && leafId !== undefined) return "message_not_found";
      return windowOf(leaf ?? null, most, characters);
    },
    change: (owner: string, id: string, change: "clear" | "prompt", prompt: string): string => {
      const one = find(owner, id);
      if (one === undefined) return "conversation_not_found";
      use(one);
      if (change === "prompt") one.prompt = prompt;
      else one.turns = [];
      if (change === "clear") one.claim = null;
      return "done";
    },
    delete: (owner: string, id: string): boolean => {
      const one = find(owner, id);
      if (one !== undefined) all.splice(all.indexOf(one), 1);
      return one !== undefined;
    },
  };
}

function isOvertaken(one: ModelConversation, place: Place, now: number): boolean {
  const { claimId, parentId, onlyAtNewest } = place;
  if (!onlyAtNewest && claimId === null) return false;
  if ((one.turns.at(-1)?.id ?? null) !== parentId) return true;
  if (claimId !== null) return one.claim?.id !== claimId;
  return one.claim !== null && one.claim.until > now;
}

function windowOf(leaf: ModelTurn | null, most: number, characters: number) {
  const path: ModelTurn[] = [];
  for (let at = leaf; at !== null; at = at.parent) path.push(at);
  const texts: string[] = [];
  let room = characters;
  for (const { question, answer } of path) {
    room -= question.length + answer.length;
    if (room < 0 || texts.length + 2 > most) break;
    texts.unshift(question, answer);
  }
  return { texts, omitted: path.length * 2 - texts.length };
}
