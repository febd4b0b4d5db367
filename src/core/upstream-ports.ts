import type { AnswerHold } from "./call/answer-room.ts";
import type { CallSignal, KeyAccount } from "./call/call.ts";
import type { AnswerEvent, ChatRequest, Completion } from "./call/messages.ts";
import type { CallRecord } from "./ports.ts";

export interface AskOptions {
  /** The key that pays. Goes into one header of one request and nowhere else. */
  readonly key: string;
  /** As the caller named it beside their own key. */
  readonly account?: KeyAccount | undefined;
  readonly signal: CallSignal;
  readonly room: AnswerHold;
  readonly sent: SentRequests;
  readonly notes?: CallNotes | undefined;
}

/** Where the way to the upstream notes what the caller should know beside the answer. */
export interface CallNotes {
  /** Null: nothing was translated. */
  translated: Translated | null;
}

/** A call whose service speaks another language than its client. */
export interface Translated {
  /** Names of what the service was not sent, because it has nothing like it. */
  readonly dropped: readonly string[];
  /** The answer is an estimate of Parley's own. */
  readonly isEstimated: boolean;
}

/** Counts what went out for one call, over all its attempts. */
export interface SentRequests {
  /** Requests that were sent and not refused by a status: each may have been served. */
  unrefused: number;
}

/** The OpenAI-compatible service that answers. Throws ProxyError only. */
export interface Upstream {
  complete(request: ChatRequest, options: AskOptions): Promise<Completion>;
  /** Resolves when the upstream has accepted; from then on nothing may be retried. */
  stream(request: ChatRequest, options: AskOptions): Promise<AsyncIterable<AnswerEvent>>;
}

/** A request that is passed on as the client sent it, except for what Parley must add. */
export interface RelayRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** Below the upstream's base path; it may have a query. */
  readonly path: string;
  readonly body: string | Uint8Array | Upload | null;
  /** Of a body that was written here and is no JSON. */
  readonly contentType?: string;
  readonly streamed: boolean;
  /** Parley asked for the usage event, so the client must not see it. */
  readonly hideUsage: boolean;
  /** Only Parley asked for usage: how to do without it, for a model whose service refuses that. */
  readonly usageOption?: UsageOption | undefined;
  /** The same request for another model. Left out: it names none. */
  readonly named?: ((model: string) => RelayRequest) | undefined;
  /** A whole answer is parsed and written again, which takes as much room as twice its bytes. */
  readonly isRewritten?: boolean;
  /** A large answer may pass as it arrives: nobody needs all of its bytes at once. */
  readonly mayPass?: boolean;
  /** The answer is a file, in any form; `labeled`: unless it says that it is JSON, or events. */
  readonly anyBytes?: boolean | "labeled";
  /** The request is in Anthropic's language, as the answer must be. Left out: in OpenAI's. */
  readonly anthropic?: AnthropicHeaders | undefined;
}

/** Headers of Anthropic's clients, for services of that kind. */
export type AnthropicHeaders = Readonly<
  Partial<Record<"anthropic-version" | "anthropic-beta", string>>
>;

/** A body that is sent as it arrives, so only once. */
export interface Upload {
  readonly contentType: string;
  /** Null if its end alone tells. */
  readonly contentLength: number | null;
  /** Ends the request with what it throws. */
  readonly pieces: AsyncIterable<Uint8Array>;
}

export function isUpload(body: RelayRequest["body"]): body is Upload {
  return typeof body === "object" && body !== null && "pieces" in body;
}

export function isSentOnce({ body }: RelayRequest): boolean {
  return isUpload(body);
}

export interface UsageOption {
  readonly model: string;
  /** The body without the option. A function, because few services need it. */
  readonly without: () => string;
}

/** What the scanner beside the bytes has read so far. */
export interface RelayAccount extends Pick<CallRecord, "usage" | "upstreamId"> {
  readonly model: CallRecord["answeredBy"];
  /** Tokens of the text that has passed, estimated: for a call whose usage never comes. */
  readonly answerTokens: number;
  /** Of audio, as the upstream counted them. Left out: it did not say. */
  readonly seconds?: number;
  /** The usage has counted reasoning tokens, which pass unseen. */
  readonly reasoned: boolean;
  /** The answer is still being made in the background; its id finds it later. */
  readonly pending: boolean;
  /** The answer was left or broke off: its usage may be that of its beginning. */
  readonly cut: boolean;
}

/** Bytes to pass on; the call is settled before the `last` ones leave. */
export interface RelayPiece {
  readonly bytes: Uint8Array;
  readonly last: boolean;
}

interface RelayHead {
  readonly status: number;
  readonly contentType: string;
}

/** Complete before it is passed on: the ledger row is written first. */
export interface WholeAnswer extends RelayHead {
  readonly kind: "whole";
  readonly bytes: Uint8Array;
  readonly account: RelayAccount;
}

/** Passed on as it arrives. */
export interface StreamedAnswer extends RelayHead {
  readonly kind: "streamed";
  readonly pieces: AsyncIterable<RelayPiece>;
  account(): RelayAccount;
  /** The number that the next event would have, where events are numbered (else 0). */
  nextSequence(): number;
}

/** A file, or JSON that is too large to be held, passed on as it arrives. */
export interface PassingAnswer extends RelayHead {
  readonly kind: "passing";
  /** Null if its end alone tells. */
  readonly contentLength: number | null;
  readonly pieces: AsyncIterable<RelayPiece>;
  account(): RelayAccount;
}

/** An upstream's good answer, untouched. One is streamed only if that was asked for. */
export type RelayAnswer = WholeAnswer | StreamedAnswer | PassingAnswer;

/** The same service, for dialects that pass its bytes on. Throws ProxyError only. */
export interface Relay {
  /** Resolves when the upstream has accepted; from then on nothing may be retried. */
  send(request: RelayRequest, options: AskOptions): Promise<RelayAnswer>;
}
