import type { IncomingMessage, ServerResponse } from "node:http";
import type { Context } from "hono";
import type { CallRecord, Clock, LimitDecision } from "../../core/ports.ts";
import { type Language, negotiate } from "../../locales.ts";
import type { AddressAlarm } from "../address/address-alarm.ts";
import type { ClientAddress, ResolveClientAddress } from "../address/client-address.ts";
import type { OpenCalls } from "./open-calls.ts";

/** What is known of one HTTP request, gathered as it travels. Never a key, never content. */
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

/** A request and its answer, as Node has them. */
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
  /** CLIENT_LEFT when the answer did not reach its end. */
  readonly status: number;
  /** To the last byte, or to the moment the client left. */
  readonly durationMs: number;
}

/** nginx's number for it; it stands in logs and metrics only. */
const CLIENT_LEFT = 499;

export interface RequestContextOptions {
  readonly clock: Clock;
  readonly newRequestId: () => string;
  readonly defaultLanguage: Language;
  readonly resolveClient: ResolveClientAddress;
  readonly alarm: AddressAlarm;
  readonly openCalls: OpenCalls;
  readonly onEnd: (end: RequestEnd) => void;
}

export type CreateRequestContext = (exchanged: Exchanged) => RequestContext;

/** Who asks, in which language; and the one listener for the end. */
export function createRequestContexts(options: RequestContextOptions): CreateRequestContext {
  const { clock, newRequestId, defaultLanguage, resolveClient, alarm, openCalls, onEnd } = options;

  return function createContext({ incoming, outgoing }) {
    const client = resolveClient(incoming.socket.remoteAddress, incoming.headers);
    alarm.observe(client);
    const context: RequestContext = {
      requestId: newRequestId(),
      language: negotiate(incoming.headers["accept-language"], defaultLanguage),
      client,
      startedMs: clock.monotonicMs(),
      route: "unknown",
      limits: null,
      record: null,
    };
    outgoing.on("close", () => {
      const clientLeft = !outgoing.writableFinished;
      openCalls.leave(outgoing, clientLeft);
      const end = {
        context,
        method: incoming.method ?? "",
        status: clientLeft ? CLIENT_LEFT : outgoing.statusCode,
        durationMs: clock.monotonicMs() - context.startedMs,
      };
      // a call canceled by this settles in the same turn, and its record belongs into the end
      if (clientLeft) setImmediate(onEnd, end);
      else onEnd(end);
    });
    return context;
  };
}
