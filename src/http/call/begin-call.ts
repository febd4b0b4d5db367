import type { Call, Principal } from "../../core/call/call.ts";
import { rateLimited } from "../../core/common-errors.ts";
import { ProxyError } from "../../core/errors.ts";
import { type MaybePromise, whenReady } from "../../core/maybe-promise.ts";
import type { Clock, LimitDecision, Limiter } from "../../core/ports.ts";
import { type Language, negotiate } from "../../locales.ts";
import type { AddressAlarm } from "../address/address-alarm.ts";
import type { ClientAddress, ResolveClientAddress } from "../address/client-address.ts";
import type { EnteredCall, OpenCalls } from "./open-calls.ts";
import type { AppContext, NodeHttp, RequestContext, RequestEnd } from "./request-context.ts";

/** nginx's status for it. Appears in logs and metrics only. */
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

/** The caller on a transport other than HTTP. */
export interface Caller {
  readonly client: ClientAddress;
  readonly language: Language;
  /** A metrics label, from a closed list. */
  readonly route: string;
  /** Logged in place of the HTTP method. */
  readonly method: string;
}

type CallerHeaders = Parameters<ResolveClientAddress>[1] & {
  readonly "accept-language"?: string | undefined;
};

/** Begins the calls of all transports: finds the client and its language, and logs the end. */
export interface CallStarter {
  /** `headers` may be gRPC metadata of the same names. */
  callerOf(peer: string | undefined, headers: CallerHeaders): Pick<Caller, "client" | "language">;
  /** Begins an HTTP request. Its route applies the limits; it ends with its response. */
  beginHttp(http: NodeHttp): RequestContext;
  /** Begins a question over WebSocket or gRPC. The caller of this function must end it. */
  begin(caller: Caller): TransportCall;
}

/** A call that is not an HTTP request. */
export interface TransportCall {
  readonly context: RequestContext;
  /**
   * Applies what HTTP applies before a handler: the limits, draining, the room for bodies. Throws or
   * rejects with the refusal.
   */
  admit(bodyBytes: number): MaybePromise<void>;
  /** Notes the state of the limits without counting, for the headers of a response. */
  peek(): MaybePromise<void>;
  /** Corrects the size of the body, once it is known. */
  hold(bodyBytes: number): void;
  /** Only after `admit`. */
  open(dialect: string, principal: Principal): Call;
  /** The client left or canceled: closes the upstream at once. */
  cancel(): void;
  /** Writes the line in the log. `status` is an HTTP status on every transport. */
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
      giveBack: () => giveBack(context, options.limiter),
      record: null,
      error: null,
      answered: null,
      upstream: null,
      translated: null,
      crossOrigin: true,
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
        const isBrokenOff = outgoing.errored instanceof ProxyError;
        const clientLeft = !outgoing.writableFinished && !isBrokenOff;
        openCalls.leave(outgoing, clientLeft);
        const status = clientLeft ? CLIENT_LEFT : outgoing.statusCode;
        const end = endOf(context, incoming.method ?? "", status, clock);
        // a call canceled here settles in the same tick, and its record belongs to the end
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
  let left = false;
  let ended = false;
  let entered: EnteredCall | null = null;
  const leave = (clientLeft: boolean) => {
    left = true;
    openCalls.leave(context, clientLeft);
  };
  const enter = (decision: LimitDecision, bodyBytes: number) => {
    context.limits = decision;
    onDecision(decision);
    if (!decision.admitted) throw rateLimited(decision, clock);
    // it left while a remote limiter decided, and would stay among the open calls
    if (left) throw new ProxyError("canceled");
    entered = openCalls.enter(context, bucket);
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
      if (entered === null) throw new ProxyError("internal");
      return newCall(context, dialect, principal, entered);
    },
    cancel: () => leave(true),
    end(status) {
      if (ended) return;
      ended = true;
      leave(false);
      onEnd(endOf(context, method, status, clock));
    },
  };
}

/**
 * A call is given back once: the state that is noted then has no entry. Nobody waits for a remote store:
 * its state is the one before, with one call less.
 */
function giveBack(context: RequestContext, limiter: Limiter): MaybePromise<void> {
  const { bucket } = context.client;
  const { limits } = context;
  const entry = limits?.entry ?? null;
  if (limits === null || entry === null) return;
  const released = limiter.release(bucket, entry);
  if (released instanceof Promise) {
    const windows = limits.windows.map((one) => ({ ...one, remaining: one.remaining + 1 }));
    context.limits = { ...limits, windows, entry: null };
    return;
  }
  return whenReady(limiter.peek(bucket), (decision) => {
    context.limits = decision;
  });
}

function endOf(context: RequestContext, method: string, status: number, clock: Clock): RequestEnd {
  return { context, method, status, durationMs: clock.monotonicMs() - context.startedMs };
}

/** Opens the call of an HTTP request. It ends with the response, or when the client leaves. */
export function openHttpCall(
  c: AppContext,
  dialect: string,
  openCalls: OpenCalls,
): (principal: Principal) => Call {
  const { context, outgoing } = c.env;
  // the client left while a remote limiter decided: the call would stay among the open ones
  if (outgoing.destroyed) throw new ProxyError("canceled");
  const entered = openCalls.enter(outgoing, context.client.bucket);
  return (principal) => newCall(context, dialect, principal, entered);
}

function newCall(
  context: RequestContext,
  dialect: string,
  principal: Principal,
  { signal, room }: EnteredCall,
): Call {
  return {
    requestId: context.requestId,
    dialect,
    principal,
    signal,
    room,
    notes: context,
    giveBack: () => context.giveBack(),
    onRecord: (record) => {
      context.record = record;
    },
    onAnswered: (answered) => {
      context.answered = answered;
    },
    onUpstream: (name) => {
      context.upstream = name;
    },
  };
}
