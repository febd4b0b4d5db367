import type { IncomingHttpHeaders } from "node:http";
import type { Call } from "../../core/call/call.ts";
import type { Pipeline, RelayCall } from "../../core/call/pipeline.ts";
import type { StoredResponse } from "../../core/ports.ts";
import { holdWhole, wholeOf } from "../reply/whole-answer.ts";
import type { Idempotent } from "./idempotency.ts";

/** The Idempotency-Key of a call that its client may repeat; null: it may not, as no stream and no file may. */
export function repeatKeyOf(headers: IncomingHttpHeaders, { request }: RelayCall): string | null {
  const key = headers["idempotency-key"];
  const mayRepeat = !request.streamed && request.anyBytes === undefined;
  return mayRepeat && typeof key === "string" && key !== "" ? key : null;
}

export interface RepeatOptions {
  readonly idempotent: Idempotent;
  readonly pipeline: Pick<Pipeline, "relay">;
}

/** The whole answer, asked for once. */
export async function repeatedAnswer(
  { idempotent, pipeline }: RepeatOptions,
  call: Call,
  relayCall: RelayCall,
  repeat: { readonly key: string; readonly headers: IncomingHttpHeaders },
): Promise<StoredResponse> {
  const { principal, signal } = call;
  let isOwn = false;
  const { request } = relayCall;
  const whole = await idempotent({ principal, signal, request, ...repeat }, async () => {
    isOwn = true;
    return wholeOf(await pipeline.relay(call, relayCall));
  });
  if (!isOwn) await holdWhole(call, whole.bytes.length);
  return whole;
}
