import type { Call } from "../../core/call/call.ts";
import type { CallSignal } from "../../core/call/call-signal.ts";
import type { Principal } from "../../core/call/principal.ts";
import { rateLimited } from "../../core/call/rate-limited.ts";
import { ProxyError } from "../../core/errors.ts";
import type { Clock, LimitDecision, Limiter } from "../../core/ports.ts";
import type { Language } from "../../locales.ts";
import type { ClientAddress } from "../address/client-address.ts";
import type { OpenCalls } from "./open-calls.ts";
import type { RequestContext, RequestEnd } from "./request-context.ts";

/** Who asks, as the transport has found out. */
export interface Asker {
  readonly client: ClientAddress;
  readonly language: Language;
  /** From a closed list: a label of metrics. */
  readonly route: string;
  /** What stands in the log where HTTP has its method. */
  readonly method: string;
}

/** Calls that are no HTTP requests: the questions on a WebSocket, and those of gRPC. */
export interface NonHttpCalls {
  begin(asker: Asker): DeskCall;
}

/** One such call. Whoever began it ends it, however it went. */
export interface DeskCall {
  readonly context: RequestContext;
  /**
   * Takes the call past the gates that HTTP has before a handler: draining, the limits, the room for
   * bodies. Throws what refuses it.
   */
  admit(bodyBytes: number): void;
  /** Notes how large the body is, once that is known better than when the call was admitted. */
  hold(bodyBytes: number): void;
  /** After `admit`. */
  open(dialect: string, principal: Principal): Call;
  /** The client has left, or takes the question back: the upstream is closed at once. */
  cancel(): void;
  /** Writes the line in the log; `status` as HTTP would have it. */
  end(status: number): void;
}

export interface CallDeskOptions {
  readonly clock: Clock;
  readonly newRequestId: () => string;
  readonly openCalls: OpenCalls;
  readonly limiter: Limiter;
  readonly onDecision: (decision: LimitDecision) => void;
  readonly onEnd: (end: RequestEnd) => void;
}

export function createNonHttpCalls(options: CallDeskOptions): NonHttpCalls {
  const { clock, newRequestId, openCalls, limiter, onDecision, onEnd } = options;
  return {
    begin({ client, language, route, method }) {
      const context: RequestContext = {
        requestId: newRequestId(),
        language,
        client,
        startedMs: clock.monotonicMs(),
        route,
        limits: null,
        record: null,
      };
      let signal: CallSignal | null = null;
      let ended = false;
      return {
        context,
        admit(bodyBytes) {
          const decision = limiter.take(client.bucket);
          context.limits = decision;
          onDecision(decision);
          if (!decision.admitted) throw rateLimited(decision, clock);
          signal = openCalls.enter(context);
          openCalls.hold(context, bodyBytes);
        },
        hold: (bodyBytes) => openCalls.hold(context, bodyBytes),
        open(dialect, principal) {
          if (signal === null) throw new ProxyError("internal");
          const onRecord: Call["onRecord"] = (record) => {
            context.record = record;
          };
          return { requestId: context.requestId, dialect, principal, signal, onRecord };
        },
        cancel: () => openCalls.leave(context, true),
        end(status) {
          if (ended) return;
          ended = true;
          openCalls.leave(context, false);
          onEnd({ context, method, status, durationMs: clock.monotonicMs() - context.startedMs });
        },
      };
    },
  };
}
