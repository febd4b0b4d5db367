import type { IncomingMessage, ServerResponse } from "node:http";
import type { Context } from "hono";
import type { ProxyError, UpstreamAnswered } from "../../core/errors.ts";
import type { MaybePromise } from "../../core/maybe-promise.ts";
import type { CallRecord, LimitDecision } from "../../core/ports.ts";
import type { CallNotes } from "../../core/upstream-ports.ts";
import type { Language } from "../../locales.ts";
import type { ClientAddress } from "../address/client-address.ts";

/** What is known about one request, on any transport. Never a key, never content. */
export interface RequestContext extends CallNotes {
  readonly requestId: string;
  readonly language: Language;
  readonly client: ClientAddress;
  readonly startedMs: number;
  /** The route's name, from a closed list. A path could hold anything, even a secret. */
  route: string;
  limits: LimitDecision | null;
  /** Gives back what the address's windows have counted, and notes their state again. */
  giveBack(): MaybePromise<void>;
  record: CallRecord | null;
  /** What the caller was told went wrong. */
  error: ProxyError | null;
  /** What the upstream answered, if the call failed by it. */
  answered: UpstreamAnswered | null;
  /** The upstream that answered, by its name. */
  upstream: string | null;
  /** Whether pages of other origins may read the response. */
  crossOrigin: boolean;
}

/** Node's request and response. */
export interface NodeHttp {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

export interface AppEnv {
  readonly Bindings: NodeHttp & { readonly context: RequestContext };
}

export type AppContext = Context<AppEnv>;

/** A finished request, for metrics and the log. */
export interface RequestEnd {
  readonly context: RequestContext;
  readonly method: string;
  /** 499 when the client left before the end of the response. */
  readonly status: number;
  /** To the last byte, or to the moment the client left. */
  readonly durationMs: number;
}
