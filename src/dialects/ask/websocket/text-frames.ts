import { ProxyError } from "../../../core/errors.ts";
import { parseAsk } from "../wire.ts";
import { beginRefused, type Frames, type FramesOptions, tooManyQuestions } from "./frames.ts";
import type { PendingQuestion, SentAnswer } from "./pending-questions.ts";

/** Questions that may wait for the one before them. */
export const MAX_WAITING_QUESTIONS = 8;

const FORM = "<|ask|>$cid|new$pid|new$prompt";
/** The prompt is everything after the third sign, including further signs. */
const ASK = /^<\|ask\|>\$([^$]+)\$([^$]*)\$(.*)$/s;
/** Splits an answer where its text would look like one of our frames. */
const INSIDE_MARK = /(?<=<)(?=\|(?:end|err)\|>)/;

/** The frames of older clients. They carry no id, so everything is answered in order, errors too. */
export function createTextFrames(options: FramesOptions): Frames {
  const { writer, begin, rules, reasonOf, onControlFrame, onOver } = options;
  const queue: PendingQuestion[] = [];
  let running: PendingQuestion | null = null;

  const reply: SentAnswer = {
    async delta(text) {
      for (const part of text.split(INSIDE_MARK)) await writer.send(part);
    },
    end: (turn) => writer.sendLast(`<|end|>$${turn.conversation_id}$${turn.parent_id}`),
    fail: (error, context) => writer.sendLast(`<|err|>$${reasonOf(error, context)}`),
  };
  const refuse = (error: ProxyError) => {
    onControlFrame();
    return beginRefused(begin, error);
  };
  const beginFrame = (bytes: Buffer): PendingQuestion => {
    const [frame, conversation = "", parent, prompt] = ASK.exec(bytes.toString("utf8")) ?? [];
    if (frame === undefined) {
      return refuse(new ProxyError("frame_malformed", { params: { expected: FORM } }));
    }
    if (queue.length >= MAX_WAITING_QUESTIONS) {
      return refuse(tooManyQuestions(MAX_WAITING_QUESTIONS));
    }
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
      queue.push(beginFrame(bytes));
      if (running === null) void answerAll();
    },
    leave() {
      running?.cancel();
      for (const waiting of queue) waiting.cancel();
    },
  };
}
