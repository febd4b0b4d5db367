import { createHash } from "node:crypto";
import type { Principal } from "../../core/call/call.ts";
import type { IdempotencyStore, StoredResponse } from "../../core/ports.ts";
import type { RelayRequest } from "../../core/upstream-ports.ts";

/** The response to the same principal, key and request. Calls `ask` if there is none yet. */
export type Idempotent = (
  principal: Principal,
  key: string,
  request: RelayRequest,
  ask: () => Promise<StoredResponse>,
) => Promise<StoredResponse>;

/** Names a call by its caller and Idempotency-Key. The store sees neither key nor request. */
export function createIdempotent(
  store: IdempotencyStore,
  digestKey: (key: string) => string,
): Idempotent {
  return (principal, key, request, ask) => {
    const name = `${nameOf(principal, digestKey)}\n${digest(key)}`;
    const fingerprint = digest(`${request.path}\n`, request.body ?? "");
    return store.once({ name, fingerprint, bucket: principal.bucket }, ask);
  };
}

function nameOf(principal: Principal, digestKey: (key: string) => string): string {
  if (principal.kind === "token") return `token ${principal.found.token.id}`;
  if (principal.kind === "own-key") return `key ${digestKey(principal.key)}`;
  return `visitor ${principal.bucket}`;
}

function digest(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("base64url");
}
