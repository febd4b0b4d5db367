import { AWAY, type Away, type Reply } from "./store.ts";
import { SLOW, type Trouble, troubleOf } from "./trouble.ts";

export interface Ends {
  readonly onReply: () => void;
  readonly onFailure: (trouble: Trouble) => void;
  readonly onLate: ((reply: Reply) => void) | undefined;
}

/**
 * AWAY if nothing has come in time and in one more turn of the event loop: an answer that lies in the
 * socket of a busy copy is not late.
 */
export function within(ms: number, asked: Promise<Reply>, ends: Ends): Promise<Reply | Away> {
  return new Promise((resolve) => {
    let waiting = true;
    const end = (result: Reply | Away) => {
      waiting = false;
      clearTimeout(timer);
      resolve(result);
    };
    const timer = setTimeout(() => setImmediate(() => waiting && fail(SLOW)), ms);
    const fail = (trouble: Trouble) => {
      end(AWAY);
      ends.onFailure(trouble);
    };
    asked.then(
      (reply) => {
        if (!waiting) return ends.onLate?.(reply);
        end(reply);
        ends.onReply();
      },
      (error: unknown) => {
        if (waiting) fail(troubleOf(error));
      },
    );
  });
}

/** Rejects with what went wrong instead. */
export async function replyWithin(ms: number, asked: Promise<Reply>): Promise<Reply> {
  let failure: unknown = Object.assign(new Error(SLOW.words), { code: "ETIMEDOUT" });
  asked.catch((error: unknown) => {
    failure = error;
  });
  const reply = await within(ms, asked, { onReply: ignore, onFailure: ignore, onLate: undefined });
  if (reply === AWAY) throw failure;
  return reply;
}

export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}

export function ignore(): void {}
