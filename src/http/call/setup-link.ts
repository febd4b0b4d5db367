import { randomBytes } from "node:crypto";
import type { OperatorStore } from "../../core/ports.ts";
import { setupCodeDigest } from "./operator-access.ts";

const CODE_BYTES = 18;
/** How long the link works. */
export const SETUP_MINUTES = 15;
const MINUTE_MS = 60_000;

/** The one link that can choose the operator's token: those before it work no longer. */
export interface SetupLink {
  /** Below the public address. A browser sends no server what comes after the `#`. */
  readonly path: string;
  readonly expiresMs: number;
}

export async function offerSetupLink(store: OperatorStore, nowMs: number): Promise<SetupLink> {
  const code = randomBytes(CODE_BYTES).toString("base64url");
  const expiresMs = nowMs + SETUP_MINUTES * MINUTE_MS;
  await store.offer(setupCodeDigest(code), expiresMs);
  return { path: `/admin#setup=${code}`, expiresMs };
}
