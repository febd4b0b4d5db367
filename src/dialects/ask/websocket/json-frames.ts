import { z } from "zod";
import { fieldError } from "../../../core/common-errors.ts";
import { ProxyError, toProxyError } from "../../../core/errors.ts";
import type { ModelRules } from "../../../http/body/model-choice.ts";
import { parsed, parseJson } from "../../../http/body/parsed.ts";
import type { RequestContext } from "../../../http/call/request-context.ts";
import { statusOf } from "../../../http/reply/http-status.ts";
import { askFields, parseAsk, type TreeQuestion } from "../wire.ts";
import { beginRefused, type Frames, type FramesOptions, tooManyQuestions } from "./frames.ts";
import type { PendingQuestion, SentAnswer } from "./pending-questions.ts";

export const SUBPROTOCOL = "parley.v1";
/** Questions that a connection may have open at once. */
export const MAX_OPEN_QUESTIONS = 8;
const MAX_ID_CHARACTERS = 100;

const head = z.object({
  type: z.enum(["ask", "cancel"]),
  id: z.string().min(1).max(MAX_ID_CHARACTERS),
});
const askFrame = askFields.extend({ conversation_id: z.string().nullish() });

/** The subprotocol `parley.v1`: several questions at once, with ids that clients choose. */
export function createJsonFrames(options: FramesOptions): Frames {
  const { begin, rules, onControlFrame, onOver } = options;
  /** By id. A canceled question is removed, but counts as open until it is over. */
  const pending = new Map<string, PendingQuestion>();
  let open = 0;

  const answer = async (id: string | null, question: PendingQuestion, isCurrent: () => boolean) => {
    open += 1;
    const status = await question.answer(createReply(options, id, isCurrent));
    open -= 1;
    if (id !== null && pending.get(id) === question) pending.delete(id);
    onOver();
    question.end(status);
  };
  const refuse = (id: string | null, error: ProxyError) => {
    onControlFrame();
    void answer(id, beginRefused(begin, error), () => true);
  };
  const ask = (id: string, json: unknown, bytes: number) => {
    // without the id: an error with it would end the other question
    if (pending.has(id)) return refuse(null, fieldError("field_in_use", "id"));
    if (open >= MAX_OPEN_QUESTIONS) return refuse(id, tooManyQuestions(MAX_OPEN_QUESTIONS));
    const question = begin({ bytes, read: () => readQuestion(json, rules) });
    pending.set(id, question);
    void answer(id, question, () => pending.get(id) === question);
  };
  /** Replies at once, before the question is over. */
  const cancel = (id: string) => {
    const question = pending.get(id);
    // it may have ended while the frame was on its way
    if (question === undefined) return onControlFrame();
    pending.delete(id);
    question.cancel();
    void createReply(options, id, () => true).fail(new ProxyError("canceled"), question.context);
  };
  return {
    get open() {
      return open;
    },
    receive(bytes) {
      const frame = readFrame(bytes);
      if (frame.type === "refused") refuse(frame.id, frame.error);
      else if (frame.type === "cancel") cancel(frame.id);
      else ask(frame.id, frame.json, bytes.length);
    },
    leave() {
      for (const question of pending.values()) question.cancel();
    },
  };
}

type Frame =
  | { readonly type: "ask" | "cancel"; readonly id: string; readonly json: unknown }
  | { readonly type: "refused"; readonly id: string | null; readonly error: ProxyError };

/** A malformed frame keeps its id, if it has one. */
function readFrame(bytes: Buffer): Frame {
  let id: string | null = null;
  try {
    const json = parseJson(bytes);
    id = idOf(json);
    return { ...parsed(head, json), json };
  } catch (thrown) {
    return { type: "refused", id, error: toProxyError(thrown) };
  }
}

function idOf(json: unknown): string | null {
  if (typeof json !== "object" || json === null) return null;
  const id: unknown = Reflect.get(json, "id");
  return typeof id === "string" && id.length <= MAX_ID_CHARACTERS ? id : null;
}

function readQuestion(json: unknown, rules: ModelRules): TreeQuestion {
  const { conversation_id } = parsed(askFrame, json);
  return parseAsk(json, conversation_id ?? "new", rules);
}

/** Writes the frames of one answer, as long as the id means this question. */
function createReply(
  { writer, reasonOf }: FramesOptions,
  id: string | null,
  isCurrent: () => boolean,
): SentAnswer {
  const sendLast = (frame: object, { requestId }: RequestContext) =>
    writer.sendLast(JSON.stringify({ ...frame, request_id: requestId }));
  return {
    async delta(text) {
      if (!isCurrent()) throw new ProxyError("canceled");
      await writer.send(JSON.stringify({ type: "delta", id, text }));
    },
    async end(turn, context) {
      if (isCurrent()) await sendLast({ type: "end", id, ...turn }, context);
    },
    async fail(error, context) {
      if (!isCurrent()) return;
      const { code, details, retryAfterMs } = error;
      const wait =
        retryAfterMs === undefined || retryAfterMs === Number.POSITIVE_INFINITY
          ? {}
          : { retry_after_ms: Math.ceil(retryAfterMs) };
      const message = reasonOf(error, context);
      const about = { type: "error", id, code, status: statusOf(error), message };
      await sendLast({ ...details, ...about, ...wait }, context);
    },
  };
}
