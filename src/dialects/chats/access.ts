import type { IncomingHttpHeaders } from "node:http";
import type { Principal } from "../../core/call/call.ts";
import { type AcceptedOwners, ownerOf, PUBLIC } from "../../core/conversations/owner.ts";
import { ProxyError } from "../../core/errors.ts";
import { bearerIn } from "../../http/call/bearer.ts";
import type { OperatorAccess } from "../../http/call/operator-access.ts";

/** Decides whose chats a caller may use. */
export interface ChatAccess {
  /** Callers without a credential share one set of chats and may set the global prompt. */
  readonly open: boolean;
  /** The owner of the chats that a principal uses. Throws `credential_missing` if there is none. */
  ownerOf(principal: Principal): string;
  /** Whose share of the room for owners that cost nothing a new chat takes; null: it takes none. */
  roomOf(principal: Principal): Promise<string | null>;
  /** The same for lists and exports, which are never shared. */
  personOf(principal: Principal): string;
  /** Rejects if the caller does not send the operator's token; pages of any origin may call here. */
  checkOperator(headers: IncomingHttpHeaders, bucket: string): Promise<void>;
}

export interface ChatAccessOptions {
  readonly open: boolean;
  readonly digestKey: (key: string) => string;
  readonly accepted: AcceptedOwners;
  readonly operator: Pick<OperatorAccess, "isToken">;
}

const CREDENTIAL_HEADERS = ["authorization", "api-key", "openai-token", "access-token"];

export function createChatAccess(options: ChatAccessOptions): ChatAccess {
  const { open, digestKey, accepted, operator } = options;
  const personOf = (principal: Principal): string => {
    const owner = ownerOf(principal, digestKey);
    if (owner === null) throw new ProxyError("credential_missing");
    return owner;
  };
  return {
    open,
    personOf,
    ownerOf: (principal) => (open && principal.kind === "visitor" ? PUBLIC : personOf(principal)),
    async roomOf(principal) {
      const owner = ownerOf(principal, digestKey);
      const isFree = owner === null || principal.kind === "own-key";
      if (!isFree || (owner !== null && (await accepted.has(owner)))) return null;
      return digestKey(`room ${principal.bucket}`);
    },
    async checkOperator(headers, bucket) {
      const given = bearerIn(headers);
      if (given !== undefined && (await operator.isToken(given, bucket))) return;
      const hasCredential = CREDENTIAL_HEADERS.some((name) => String(headers[name] ?? "").trim());
      throw new ProxyError(hasCredential ? "admin_needed" : "admin_token_needed");
    },
  };
}
