import { ProxyError } from "../errors.ts";
import type { Permit } from "./admission.ts";
import { NOWHERE } from "./attempts.ts";
import type { Call } from "./call.ts";
import { LIMIT_CODES } from "./limit-codes.ts";
import { createSettle, type SettleOptions } from "./settle.ts";

/** For a call that took nothing. */
const noRow: Permit = {
  used: () => ({ usage: null, provenance: "unknown" }),
  settle: () => Promise.resolve(),
};

/** A refused call is observed but has no ledger row, since it took nothing. Throws the reason. */
export async function refuseCall(
  call: Call,
  model: string,
  streamed: boolean,
  error: unknown,
  options: SettleOptions,
): Promise<never> {
  if (!(error instanceof ProxyError)) throw error;
  if (LIMIT_CODES.has(error.code)) await call.giveBack();
  const asked = { model, streamed, attempts: NOWHERE };
  void createSettle(call, asked, noRow, options)("refused", { error });
  throw error;
}
