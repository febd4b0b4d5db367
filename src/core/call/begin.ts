import { ProxyError } from "../errors.ts";
import type { Admission } from "./admission.ts";
import type { BegunCall } from "./ask.ts";
import { attemptsAt, attemptsBy } from "./attempts.ts";
import type { Call } from "./call.ts";
import { refuseCall } from "./refuse-call.ts";
import type { ExpectedTokens } from "./reserved-tokens.ts";
import { createSettle, type SettleOptions } from "./settle.ts";
import type { Routing } from "./targets.ts";

export interface BeginOptions extends SettleOptions {
  readonly routing: Routing;
  readonly admission: Admission;
}

/** A call that is about to begin. */
interface Beginning {
  readonly model: string;
  readonly expected: ExpectedTokens;
  readonly streamed: boolean;
  /** See AdmissionRequest. */
  readonly beside?: Promise<void> | undefined;
  /** See RelayCall. */
  readonly upstream?: string | undefined;
}

/** Plans and admits a call. Throws the reason if it is refused, also by what is granted beside. */
export function createBegin(options: BeginOptions) {
  const { routing, admission } = options;
  return async function begin(call: Call, beginning: Beginning): Promise<BegunCall> {
    const { model, streamed, expected, beside, upstream } = beginning;
    const { requestId, dialect, principal } = call;
    try {
      const found = routing.planFor(model);
      const plan = found instanceof Promise ? await found : found;
      const attempts =
        upstream === undefined
          ? attemptsBy(plan, principal, model)
          : attemptsAt(upstream, plan, routing.planOf(upstream));
      if (attempts === null) throw new ProxyError("upstream_unavailable");
      const { targets } = attempts;
      const asked = { requestId, dialect, principal, model, targets, expected, beside };
      const permit = await admission.admit(asked);
      const settle = createSettle(call, { model, streamed, attempts }, permit, options);
      return { model, attempts, settle };
    } catch (error) {
      // where both refuse, the lease's refusal is told
      const reason = beside === undefined ? error : await beside.then(() => error).catch(identity);
      return refuseCall(call, model, streamed, reason, options);
    }
  };
}

const identity = <T>(value: T): T => value;
