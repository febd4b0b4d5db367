import type { Principal } from "../call/call.ts";

/** The owner of conversations that were begun without a credential: who knows an id may go on. */
export const ANONYMOUS = "anonymous";
/** The owner of the chats that everybody shares, where the operator wants it so. */
export const PUBLIC = "public";

/** Conversations of an owner that stands for many people, in place of the limit for one. */
export const MAX_SHARED_CONVERSATIONS = 100_000;

/** Whose conversations a principal has; null for visitors, who have none of their own. */
export function ownerOf(principal: Principal, digestKey: (key: string) => string): string | null {
  if (principal.kind === "token") return `token:${principal.found.token.id}`;
  return principal.kind === "own-key" ? `key:${digestKey(principal.key)}` : null;
}
