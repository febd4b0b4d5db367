import type { Call, CallSignal, Principal } from "../../core/call/call.ts";
import { rateLimited } from "../../core/common-errors.ts";
import { ProxyError } from "../../core/errors.ts";
import { type MaybePromise, whenReady } from "../../core/maybe-promise.ts";
import type { Clock, LimitDecision, Limiter } from "../../core/ports.ts";
import { type Language, negotiate } from "../../locales.ts";
import type { AddressAlarm } from "../address/address-alarm.ts";
import type { ClientAddress, ResolveClientAddress } from "../address/client-address.ts";
import type { OpenCalls } from "./open-calls.ts";
import type { AppContext, Exchanged, RequestContext, RequestEnd } from "./request-context.ts";

/** nginx's number for it; appears in logs and metrics only. */
const CLIENT_LEFT = 499;

export interface CallStarterOptions {
  readonly clock: Clock;
  readonly newRequestId: () => string;
  readonly defaultLanguage: Language;
  readonly resolveClient: ResolveClientAddress;
  readonly alarm: AddressAlarm;
  readonly openCalls: OpenCalls;
  readonly limiter: Limiter;
  readonly onDecision: (decision: LimitDecision) => void;
  readonly onEnd: (end: RequestEnd) => void;
}

/** Who calls on a transport that is not HTTP. */
export interface Caller {
  readonly client: ClientAddress;
  readonly language: Language;
  /** From a closed list: a label of metrics. */
  readonly route: string;
  /** Appears in the log where HTTP has its method. */
  readonly method: string;
}

type CallerHeaders = Parameters<ResolveClientAddress>[1] & {
  readonly "accept-language"?: string | undefined;
};

/** Begins calls of every transport: who calls, in which language, and how the call is logged. */
export interface CallStarter {
  /** Of a peer and its headers, or metadata of the same names. */
  callerOf(peer: string | undefined, headers: CallerHeaders): Pick<Caller, "client" | "language">;
  /** An HTTP request; limits and body room are taken by its route. It ends with its response. */
  beginHttp(exchanged: Exchanged): RequestContext;
  /** A question on a WebSocket or over gRPC. Whoever begins it must end it. */
  begin(caller: Caller): TransportCall;
}

/** One call that is not an HTTP request. */
export interface TransportCall {
  readonly context: RequestContext;
  /**
   * Passes the gates that HTTP has before a handler: the limits, draining, the room for bodies.
   * Throws or rejects with what refuses it.
   */
  admit(bodyBytes: number): MaybePromise<void>;
  /** Notes how the limits stand without counting: for the headers of a response. */
  peek(): MaybePromise<void>;
  /** Corrects the size of the body once it is known better than at admission. */
  hold(bodyBytes: number): void;
  /** After `admit`. */
  open(dialect: string, principal: Principal): Call;
  /** The client left or canceled: the upstream is closed at once. */
  cancel(): void;
  /** Writes the line in the log; `status` as HTTP would have it. */
  end(status: number): void;
}

export function createCallStarter(options: CallStarterOptions): CallStarter {
  const { clock, newRequestId, defaultLanguage, resolveClient, alarm, openCalls } = options;

  const newContext = (route: string, { client, language }: Pick<Caller, "client" | "language">) => {
    const context: RequestContext = {
      requestId: newRequestId(),
      language,
      client,
      startedMs: clock.monotonicMs(),
      route,
      limits: null,
      record: null,
    };
    return context;
  };
  const callerOf: CallStarter["callerOf"] = (peer, headers) => {
    const client = resolveClient(peer, headers);
    alarm.observe(client);
    return { client, language: negotiate(headers["accept-language"], defaultLanguage) };
  };

  return {
    callerOf,
    beginHttp({ incoming, outgoing }) {
      const caller = callerOf(incoming.socket.remoteAddress, incoming.headers);
      const context = newContext("unknown", caller);
      outgoing.on("close", () => {
        const clientLeft = !outgoing.writableFinished;
        openCalls.leave(outgoing, clientLeft);
        const status = clientLeft ? CLIENT_LEFT : outgoing.statusCode;
        const end = endOf(context, incoming.method ?? "", status, clock);
        // a call canceled by this settles in the same tick, and the end needs its record
        if (clientLeft) setImmediate(options.onEnd, end);
        else options.onEnd(end);
      });
      return context;
    },
    begin: (caller) => beginTransportCall(newContext(caller.route, caller), caller.method, options),
  };
}

function beginTransportCall(
  context: RequestContext,
  method: string,
  { clock, limiter, openCalls, onDecision, onEnd }: CallStarterOptions,
): TransportCall {
  const { bucket } = context.client;
  let ended = false;
  let signal: CallSignal | null = null;
  const enter = (decision: LimitDecision, bodyBytes: number) => {
    context.limits = decision;
    onDecision(decision);
    if (!decision.admitted) throw rateLimited(decision, clock);
    signal = openCalls.enter(context);
    openCalls.hold(context, bodyBytes);
  };
  return {
    context,
    admit: (bodyBytes) => whenReady(limiter.take(bucket), (decision) => enter(decision, bodyBytes)),
    peek: () =>
      whenReady(limiter.peek(bucket), (decision) => {
        context.limits = decision;
      }),
    hold: (bodyBytes) => openCalls.hold(context, bodyBytes),
    open(dialect, principal) {
      if (signal === null) throw new ProxyError("internal");
      return newCall(context, dialect, principal, signal);
    },
    cancel: () => openCalls.leave(context, true),
    end(status) {
      if (ended) return;
      ended = true;
      openCalls.leave(context, false);
      onEnd(endOf(context, method, status, clock));
    },
  };
}

function endOf(context: RequestContext, method: string, status: number, clock: Clock): RequestEnd {
  return { context, method, status, durationMs: clock.monotonicMs() - context.startedMs };
}

/** Opens the call of an HTTP request: it ends with the response, or when the client leaves. */
export function openHttpCall(
  c: AppContext,
  dialect: string,
  openCalls: OpenCalls,
): (principal: Principal) => Call {
  const { context, outgoing } = c.env;
  const signal = openCalls.enter(outgoing);
  return (principal) => newCall(context, dialect, principal, signal);
}

function newCall(
  context: RequestContext,
  dialect: string,
  principal: Principal,
  signal: CallSignal,
): Call {
  return {
    requestId: context.requestId,
    dialect,
    principal,
    signal,
    onRecord: (record) => {
      context.record = record;
    },
  };
}
