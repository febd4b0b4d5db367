import { ProxyError } from "../../../core/errors.ts";
import type { ModelRules } from "../../../http/body/model-choice.ts";
import type { RequestContext } from "../../../http/call/request-context.ts";
import type { Outbox } from "./backpressure-writer.ts";
import type { Begin } from "./pending-questions.ts";

/** One way to ask over a connection. */
export interface Frames {
  /** Questions that are open, those that wait included. */
  readonly open: number;
  receive(bytes: Buffer): void;
  /** Gives all questions up: the client is gone. */
  leave(): void;
}

/** What both ways need of their connection. */
export interface FramesOptions {
  readonly outbox: Outbox;
  readonly begin: Begin;
  readonly rules: ModelRules;
  /** For people, in their language. */
  readonly reasonOf: (error: ProxyError, context: RequestContext) => string;
  /** Tells of a frame that asked nothing: too many of them end the connection. */
  readonly onStray: () => void;
  /** Tells that a question is over, after its last frame and before its line in the log. */
  readonly onOver: () => void;
}

/** Nobody knows when an answer in progress ends; a second is polite. */
const RETRY_TOO_MANY_MS = 1_000;

/** More questions at once than a connection may have. */
export function tooMany(limit: number): ProxyError {
  return new ProxyError("streams_limited", {
    params: { limit },
    details: { limit },
    retryAfterMs: RETRY_TOO_MANY_MS,
  });
}

/** Lets an error be told in its turn. */
export function rethrow(error: ProxyError): never {
  throw error;
}
