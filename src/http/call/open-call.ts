import type { Call } from "../../core/call/call.ts";
import type { Principal } from "../../core/call/principal.ts";
import type { OpenCalls } from "./open-calls.ts";
import type { AppContext } from "./request-context.ts";

/** Opens the call of an HTTP request: it ends with the answer, or when the client leaves. */
export function openCall(
  c: AppContext,
  dialect: string,
  openCalls: OpenCalls,
): (principal: Principal) => Call {
  const context = c.env.context;
  const signal = openCalls.enter(c.env.outgoing);
  return (principal) => ({
    requestId: context.requestId,
    dialect,
    principal,
    signal,
    onRecord: (record) => {
      context.record = record;
    },
  });
}
