import type { PartName, Tier } from "../accounts/price-fields.ts";
import type { Named } from "../named.ts";

/** Content as OpenAI's chat API takes it: text, or parts where there are images. */
export type Content = string | readonly ContentPart[];

export type ContentPart =
  | { readonly type: "text"; readonly text: string }
  | {
      readonly type: "image_url";
      readonly image_url: { readonly url: string; readonly detail?: "low" | "high" | "auto" };
    };

/** One message in the shape OpenAI's chat API takes. */
export interface ChatMessage {
  readonly role: string;
  readonly content: Content;
}

/** The text of a content, without its images. */
export function textOf(content: Content): string {
  if (typeof content === "string") return content;
  return content.map((part) => (part.type === "text" ? part.text : "")).join("\n");
}

/** A validated question on its way upstream, whatever dialect it came in. */
export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  /** Most tokens the answer may have; the adapter picks the field name the model wants. */
  readonly maxTokens?: number;
  /** Opaque: sent to the upstream as they are, but our own fields win. */
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/** Tokens as the upstream counted them; null where it did not say. Never estimated here. */
export type TokenCounts = Named<{
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly totalTokens: number;
  readonly cachedTokens: number | null;
}>;

export interface Usage extends TokenCounts {
  /** Those that may have a price of their own. Left out if there are none. */
  readonly parts?: Readonly<Partial<Record<PartName, number>>>;
  /** Left out: the ordinary one. */
  readonly tier?: Tier;
}

/** Usage as it is paid for: where the total exceeds its parts, the rest was written, too. */
export function paidUsage(usage: Usage | null): Usage | null {
  if (usage === null) return null;
  const completionTokens = usage.totalTokens - usage.promptTokens;
  return completionTokens > usage.completionTokens ? { ...usage, completionTokens } : usage;
}

/** A finished answer. */
export interface Completion {
  readonly text: string;
  /** The model that answered, as the upstream names it. */
  readonly model: string;
  readonly finishReason: string | null;
  readonly usage: Usage | null;
  /** What is billed beside the text, where the service shows it; in a stream it comes as an event. */
  readonly unsaid?: string;
  /** Some of its tokens were reasoning, which is not shown. */
  readonly reasoned?: boolean;
  /** The upstream's id of this answer. */
  readonly upstreamId: string | null;
}

/** What a streamed answer is made of: one start, deltas, one end. `unsaid` is only counted. A break is a thrown error. */
export type AnswerEvent =
  | { readonly type: "answer-start"; readonly model: string }
  | { readonly type: "text-delta" | "unsaid"; readonly text: string }
  | { readonly type: "answer-end"; readonly completion: Completion };

/** Families that refuse `max_tokens` on chat and want `max_completion_tokens`. */
const NEWER_TOKEN_FIELD = /^(o[1-9]|gpt-[5-9])([.-]|$)/;

export function wantsNewerTokenField(model: string): boolean {
  return NEWER_TOKEN_FIELD.test(model);
}

/** `+=` builds a rope at about 30 bytes per piece, so pieces are joined in groups. */
const PIECES_JOINED = 256;

/** Collects the pieces of an answer. */
export interface GatheredText {
  add(piece: string): void;
  whole(): string;
}

export function createGatheredText(): GatheredText {
  const groups: string[] = [];
  let pieces: string[] = [];
  return {
    add(piece) {
      pieces.push(piece);
      if (pieces.length < PIECES_JOINED) return;
      groups.push(pieces.join(""));
      pieces = [];
    },
    whole: () => [...groups, ...pieces].join(""),
  };
}
