import type { CallObserver } from "../ports.ts";
import type { CallSignal } from "./call-signal.ts";
import type { Principal } from "./principal.ts";

/** One request on its way, whatever the dialect. */
export interface Call {
  readonly requestId: string;
  readonly dialect: string;
  readonly principal: Principal;
  /** Aborts when the client leaves, or with a ProxyError as its reason when we end the call. */
  readonly signal: CallSignal;
  /** Is given the record too, for the line that is logged about the request. */
  readonly onRecord: CallObserver;
}
