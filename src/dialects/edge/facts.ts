import type { IncomingMessage, ServerResponse } from "node:http";
import type { Context, MiddlewareHandler } from "hono";
import type { CallRecord, Clock, LimitDecision } from "../../core/ports.ts";
import { type Language, negotiate } from "../../locales.ts";
import type { AddressAlarm } from "./address-alarm.ts";
import type { ClientAddress, ResolveClientAddress } from "./client-address.ts";
import type { OpenCalls } from "./open-calls.ts";

/** What is known of one HTTP request, gathered as it travels. Never a key, never content. */
export interface RequestFacts {
  readonly requestId: string;
  readonly language: Language;
  readonly client: ClientAddress;
  readonly startedMs: number;
  /** The route's name, from a closed list: a path could hold anything, also a secret. */
  route: string;
  limits: LimitDecision | null;
  record: CallRecord | null;
}

export interface AppEnv {
  readonly Bindings: { readonly incoming: IncomingMessage; readonly outgoing: ServerResponse };
  readonly Variables: { facts: RequestFacts };
}

export type AppContext = Context<AppEnv>;

/** One finished request, as metrics and the log see it. */
export interface RequestEnd {
  readonly facts: RequestFacts;
  readonly method: string;
  /** CLIENT_LEFT when the answer did not reach its end. */
  readonly status: number;
  /** To the last byte, or to the moment the client left. */
  readonly durationMs: number;
}

/** nginx's number for it; it stands in logs and metrics only. */
const CLIENT_LEFT = 499;

export interface FactsOptions {
  readonly clock: Clock;
  readonly newRequestId: () => string;
  readonly defaultLanguage: Language;
  readonly resolveClient: ResolveClientAddress;
  readonly alarm: AddressAlarm;
  readonly openCalls: OpenCalls;
  readonly onEnd: (end: RequestEnd) => void;
}

/** First middleware of all: who asks, in which language; and the one listener for the end. */
export function gatherFacts(options: FactsOptions): MiddlewareHandler<AppEnv> {
  const { clock, newRequestId, defaultLanguage, resolveClient, alarm, openCalls, onEnd } = options;

  return function facts(c, next) {
    const { incoming, outgoing } = c.env;
    const client = resolveClient(incoming.socket.remoteAddress, incoming.headers);
    alarm.observe(client);
    const gathered: RequestFacts = {
      requestId: newRequestId(),
      language: negotiate(incoming.headers["accept-language"], defaultLanguage),
      client,
      startedMs: clock.monotonicMs(),
      route: "unknown",
      limits: null,
      record: null,
    };
    c.set("facts", gathered);
    outgoing.once("close", () => {
      const clientLeft = !outgoing.writableFinished;
      openCalls.leave(outgoing, clientLeft);
      const end = {
        facts: gathered,
        method: incoming.method ?? "",
        status: clientLeft ? CLIENT_LEFT : outgoing.statusCode,
        durationMs: clock.monotonicMs() - gathered.startedMs,
      };
      // a call canceled by this settles in the same turn, and its record belongs into the end
      if (clientLeft) setImmediate(onEnd, end);
      else onEnd(end);
    });
    return next();
  };
}
