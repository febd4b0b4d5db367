import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Call, Principal } from "../../core/call/call.ts";
import { ProxyError } from "../../core/errors.ts";
import type { IdempotencyStore, StoredResponse } from "../../core/ports.ts";
import { isUpload, type RelayRequest } from "../../core/upstream-ports.ts";
import { credentialTextIn } from "./credentials.ts";

/** A call that its client may repeat. */
export interface RepeatableCall extends Pick<Call, "principal" | "signal"> {
  /** Its Idempotency-Key. */
  readonly key: string;
  /** Where its caller was identified. */
  readonly headers: IncomingHttpHeaders;
  readonly request: RelayRequest;
}

/** The response to the same principal, key and request. Calls `ask` if there is none yet. */
export type Idempotent = (
  call: RepeatableCall,
  ask: () => Promise<StoredResponse>,
) => Promise<StoredResponse>;

/**
 * Names a call by its caller and Idempotency-Key. The store sees neither key nor request. `maxMs` is the
 * longest time that a call takes.
 */
export function createIdempotent(
  store: IdempotencyStore,
  digestKey: (key: string) => string,
  maxMs: number,
): Idempotent {
  return (call, ask) => {
    const { principal, signal, key, request } = call;
    const { bucket } = principal;
    const name = `${nameOf(principal, digestKey)}\n${digest(key)}`;
    // only bodies that were read whole are repeated
    if (isUpload(request.body)) throw new ProxyError("internal");
    const fingerprint = digest(`${request.path}\n`, request.body ?? "");
    return store.once({ name, fingerprint, bucket, seal: sealOf(call), maxMs, signal }, ask);
  };
}

function nameOf(principal: Principal, digestKey: (key: string) => string): string {
  if (principal.kind === "token") return `token ${principal.found.token.id}`;
  if (principal.kind === "own-key") return `key ${digestKey(principal.key)}`;
  return `visitor ${principal.bucket}`;
}

/** What only the caller and this process know: a visitor has the Idempotency-Key alone. */
function sealOf({ principal, key, headers }: RepeatableCall): string {
  if (principal.kind === "own-key") return principal.key;
  if (principal.kind === "token") return credentialTextIn(headers);
  return `${principal.bucket}\n${key}`;
}

function digest(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("base64url");
}
