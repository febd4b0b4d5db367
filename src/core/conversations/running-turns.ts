import { type Call, LightSignal } from "../call/call.ts";
import { ProxyError } from "../errors.ts";
import type { Conversations } from "./conversations.ts";

/** A question whose answer is under way. */
export interface RunningTurn {
  /** The caller's call, which also ends when the conversation does. */
  readonly call: Call;
  over(): void;
}

interface Running {
  readonly owner: string;
  readonly conversationId: string;
  readonly signal: LightSignal;
}

/** Turns of this process: an answer in a conversation that is deleted meanwhile is not worth its tokens. */
export interface RunningTurns {
  begin(owner: string, conversationId: string, call: Call): RunningTurn;
  /** The same conversations, whose deletion ends the turns in them. */
  watch(conversations: Conversations): Conversations;
}

export function createRunningTurns(): RunningTurns {
  /** Bounded by the open calls. */
  const running = new Set<Running>();
  const end = (isGone: (turn: Running) => boolean) => {
    for (const turn of running) {
      if (isGone(turn)) turn.signal.abort(new ProxyError("conversation_not_found"));
    }
  };
  return {
    begin(owner, conversationId, call) {
      const signal = new LightSignal();
      const leave = () => signal.abort(call.signal.reason);
      const turn = { owner, conversationId, signal };
      running.add(turn);
      if (call.signal.aborted) leave();
      else call.signal.addEventListener("abort", leave, { once: true });
      return {
        call: { ...call, signal },
        over() {
          running.delete(turn);
          call.signal.removeEventListener("abort", leave);
        },
      };
    },
    watch: (conversations) => ({
      ...conversations,
      async delete(owner, id) {
        const isDeleted = await conversations.delete(owner, id);
        if (isDeleted) end((turn) => turn.conversationId === id);
        return isDeleted;
      },
      async clear(owner, id) {
        await conversations.clear(owner, id);
        end((turn) => turn.conversationId === id);
      },
      async deleteEverything(owner) {
        const deleted = await conversations.deleteEverything(owner);
        end((turn) => turn.owner === owner);
        return deleted;
      },
    }),
  };
}
