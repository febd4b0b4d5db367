/** A way to ask one question, and what came back of it. */

export const prompt = "Hello?";
export const answered = `echo: ${prompt}`;
/** Longer than any deadline of a scene. */
export const WAIT_MS = 10_000;

/** Where to ask, and on whose behalf. */
export interface Who {
  readonly origin: string;
  /** Host and port of gRPC. */
  readonly target: string;
  /** A token, or a key of the caller's own. */
  readonly credential: string;
  readonly isKey: boolean;
  readonly accessToken: string;
}

export interface Told {
  /** Status and code, or `200 answer`; a stream that broke has both. */
  readonly how: string;
  /** What was said of the answer. */
  readonly text: string;
  /** Null: this surface has none. */
  readonly requestId: string | null;
  readonly retryAfter: number | null;
  /** All that was received. */
  readonly raw: string;
}

/**
 * How an answer comes: whole, in events of our own, in the upstream's events with ours beside them, or,
 * whole and as a stream, in the upstream's bytes; or in events that are translated one by one.
 */
export type Kind = "whole" | "typed" | "relayed" | "bytes" | "stream of bytes" | "translated";

export interface Surface {
  readonly name: string;
  readonly kind: Kind;
  ask(who: Who): Promise<Told>;
}
