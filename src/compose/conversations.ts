import type { Config } from "../config/settings.ts";
import type { Pipeline } from "../core/call/pipeline.ts";
import { createDialogue } from "../core/conversations/dialogue.ts";
import { ANONYMOUS, MAX_SHARED_CONVERSATIONS, PUBLIC } from "../core/conversations/owner.ts";
import type { RunningTurns } from "../core/conversations/running-turns.ts";
import type { Dialogue } from "../core/conversations/turn.ts";
import type { Log } from "../log.ts";
import { createTurnClaims } from "../storage/conversations/turn-claims.ts";
import type { Storage } from "../storage/open.ts";
import { describeFailure } from "./failures.ts";

export interface ConversationNeeds {
  readonly log: Log;
  readonly storage: Storage;
  readonly running: RunningTurns;
  readonly pipeline: Pipeline;
}

/** Questions within kept conversations; `close` gives back the claims that are still held. */
export function composeDialogue(
  config: Config,
  { log, storage, running, pipeline }: ConversationNeeds,
): Dialogue & { close(): Promise<void> } {
  const { conversations } = storage;
  const claims = createTurnClaims({
    conversations,
    clock: storage.clock,
    onError: (error) => log.error("database", describeFailure(error)),
  });
  const dialogue = createDialogue({
    conversations,
    claims,
    running,
    pipeline,
    contextTokens: config.CONTEXT_TOKENS === 0 ? null : config.CONTEXT_TOKENS,
    maxConversationsOf: (owner) =>
      owner === ANONYMOUS || owner === PUBLIC ? MAX_SHARED_CONVERSATIONS : undefined,
  });
  return { ...dialogue, close: () => claims.end() };
}
