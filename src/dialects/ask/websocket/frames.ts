import { ProxyError } from "../../../core/errors.ts";
import type { ModelRules } from "../../../http/body/model-choice.ts";
import type { RequestContext } from "../../../http/call/request-context.ts";
import type { FrameWriter } from "./backpressure-writer.ts";
import type { BeginQuestion, PendingQuestion } from "./pending-questions.ts";

/** One kind of frames, on one connection. */
export interface Frames {
  /** Number of open questions, with those that wait. */
  readonly open: number;
  receive(bytes: Buffer): void;
  /** Cancels all questions: the client has left. */
  leave(): void;
}

/** What both kinds of frames need from their connection. */
export interface FramesOptions {
  readonly writer: FrameWriter;
  readonly begin: BeginQuestion;
  readonly rules: ModelRules;
  /** The text of an error for people, in their language. */
  readonly reasonOf: (error: ProxyError, context: RequestContext) => string;
  /** Called for a frame that begins no question. Too many of them end the connection. */
  readonly onControlFrame: () => void;
  /** Called when a question is over: after its last frame, before its line in the log. */
  readonly onOver: () => void;
}

/** Begins a question that fails with this error, outside the limits. */
export function beginRefused(begin: BeginQuestion, error: ProxyError): PendingQuestion {
  return begin({
    bytes: null,
    read: () => {
      throw error;
    },
  });
}

/** When a stream will end is unknown: clients retry after a second. */
const RETRY_TOO_MANY_MS = 1_000;

/** The refusal of more questions at once than a connection may have. */
export function tooManyQuestions(limit: number): ProxyError {
  const about = { params: { limit }, details: { limit } };
  return new ProxyError("streams_limited", { ...about, retryAfterMs: RETRY_TOO_MANY_MS });
}
