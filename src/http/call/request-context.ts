import type { IncomingMessage, ServerResponse } from "node:http";
import type { Context } from "hono";
import type { CallRecord, LimitDecision } from "../../core/ports.ts";
import type { Language } from "../../locales.ts";
import type { ClientAddress } from "../address/client-address.ts";

/** What is known of one request, on any transport. Never a key, never content. */
export interface RequestContext {
  readonly requestId: string;
  readonly language: Language;
  readonly client: ClientAddress;
  readonly startedMs: number;
  /** The route's name, from a closed list: a path could hold anything, also a secret. */
  route: string;
  limits: LimitDecision | null;
  record: CallRecord | null;
}

/** A request and its response, as Node has them. */
export interface Exchanged {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

export interface AppEnv {
  readonly Bindings: Exchanged & { readonly context: RequestContext };
}

export type AppContext = Context<AppEnv>;

/** One finished request, as metrics and the log see it. */
export interface RequestEnd {
  readonly context: RequestContext;
  readonly method: string;
  /** 499 when the client left before the end of the response. */
  readonly status: number;
  /** To the last byte, or to the moment the client left. */
  readonly durationMs: number;
}
