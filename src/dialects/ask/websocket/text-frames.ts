import { ProxyError } from "../../../core/errors.ts";
import { parseAsk } from "../wire.ts";
import { type Frames, type FramesOptions, rethrow, tooMany } from "./frames.ts";
import type { Asked, Reply } from "./pending-questions.ts";

/** Questions that wait for the one before them; a frame that comes on top is refused. */
export const MAX_WAITING_QUESTIONS = 8;

const FORM = "<|ask|>$cid|new$pid|new$prompt";
/** The prompt is all that follows the third sign, further ones included. */
const ASK = /^<\|ask\|>\$([^$]+)\$([^$]*)\$(.*)$/s;
/** Before what would read like a frame of ours within the text of an answer. */
const INSIDE_MARK = /(?<=<)(?=\|(?:end|err)\|>)/;

/**
 * The frames of older clients. They carry no id, so that everything is answered in its order, one
 * frame after the other, mistakes too.
 */
export function createTextFrames(options: FramesOptions): Frames {
  const { outbox, begin, rules, reasonOf, onStray, onOver } = options;
  const queue: Asked[] = [];
  let running: Asked | null = null;

  const reply: Reply = {
    async delta(text) {
      for (const part of text.split(INSIDE_MARK)) await outbox.send(part);
    },
    end: (turn) => outbox.sendLast(`<|end|>$${turn.conversation_id}$${turn.parent_id}`),
    fail: (error, context) => outbox.sendLast(`<|err|>$${reasonOf(error, context)}`),
  };
  const refuse = (error: ProxyError): Asked => {
    onStray();
    return begin({ bytes: null, read: () => rethrow(error) });
  };
  const toAsked = (bytes: Buffer): Asked => {
    const [frame, conversation = "", parent, prompt] = ASK.exec(bytes.toString("utf8")) ?? [];
    if (frame === undefined) {
      return refuse(new ProxyError("frame_malformed", { params: { expected: FORM } }));
    }
    if (queue.length >= MAX_WAITING_QUESTIONS) return refuse(tooMany(MAX_WAITING_QUESTIONS));
    const read = () => parseAsk({ prompt, parent_id: parent }, conversation, rules);
    return begin({ bytes: bytes.length, read });
  };
  const answerAll = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      running = next;
      const status = await next.answer(reply);
      running = null;
      onOver();
      next.end(status);
    }
  };
  return {
    get open() {
      return queue.length + (running === null ? 0 : 1);
    },
    receive(bytes) {
      queue.push(toAsked(bytes));
      if (running === null) void answerAll();
    },
    leave() {
      running?.cancel();
      for (const waiting of queue) waiting.cancel();
    },
  };
}
