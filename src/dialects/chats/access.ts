import type { IncomingHttpHeaders } from "node:http";
import type { Principal } from "../../core/call/call.ts";
import { ownerOf, PUBLIC } from "../../core/conversations/owner.ts";
import { ProxyError } from "../../core/errors.ts";
import { bearerIn, createSecretMatch } from "../../http/call/bearer.ts";

/** Whose chats a caller may use. */
export interface ChatAccess {
  /** Everybody without a credential shares the same chats and may set the global prompt. */
  readonly open: boolean;
  /** The owner of the chats a principal talks in; `credential_missing` for who has none. */
  ownerOf(principal: Principal): string;
  /** The same for what is never shared: lists, exports. */
  personOf(principal: Principal): string;
  /** Throws for whoever isn't the operator. */
  checkOperator(headers: IncomingHttpHeaders): void;
}

export interface ChatAccessOptions {
  readonly open: boolean;
  /** ADMIN_TOKEN; without it nobody is the operator. */
  readonly adminToken: string | null;
  readonly digestKey: (key: string) => string;
}

export function createChatAccess({ open, adminToken, digestKey }: ChatAccessOptions): ChatAccess {
  const isAdminToken = adminToken === null ? () => false : createSecretMatch(adminToken);
  const personOf = (principal: Principal): string => {
    const owner = ownerOf(principal, digestKey);
    if (owner === null) throw new ProxyError("credential_missing");
    return owner;
  };
  return {
    open,
    personOf,
    ownerOf: (principal) => (open && principal.kind === "visitor" ? PUBLIC : personOf(principal)),
    checkOperator(headers) {
      const given = bearerIn(headers);
      if (given !== undefined && isAdminToken(given)) return;
      throw new ProxyError(bringsCredential(headers) ? "admin_needed" : "credential_missing");
    },
  };
}

const CREDENTIAL_HEADERS = ["authorization", "api-key", "openai-token", "access-token"];

function bringsCredential(headers: IncomingHttpHeaders): boolean {
  return CREDENTIAL_HEADERS.some((name) => String(headers[name] ?? "").trim() !== "");
}
