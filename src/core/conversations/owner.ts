import type { Principal } from "../call/call.ts";

/** Owns conversations begun without a credential: whoever knows the id may continue them. */
export const ANONYMOUS = "anonymous";
/** Owns the chats that everybody shares if the operator allows it. */
export const PUBLIC = "public";

/** Owners whose key the upstream has answered. The keys of the others may be made up and cost nothing. */
export interface AcceptedOwners {
  /** Called for every answered call. */
  add(owner: string): void;
  has(owner: string): Promise<boolean>;
}

/** Most conversations of an owner that stands for many people. */
export const MAX_SHARED_CONVERSATIONS = 100_000;

export function ownerOfKey(digest: string): string {
  return `key:${digest}`;
}

/** The owner for a principal; null for visitors, who have no conversations of their own. */
export function ownerOf(principal: Principal, digestKey: (key: string) => string): string | null {
  if (principal.kind === "token") return `token:${principal.found.token.id}`;
  return principal.kind === "own-key" ? ownerOfKey(digestKey(principal.key)) : null;
}
