import type { TokenStore } from "../core/accounts/accounts.ts";
import type { RoutingStore } from "../core/routing/routing.ts";
import type { StoredConversations } from "./conversations/conversations.ts";

export interface Resealed {
  /** Upstream keys of tokens. */
  readonly resealed: number;
  /** Upstreams with their keys, headers and proxies. */
  readonly upstreams: number;
  /** Texts of conversations. */
  readonly texts: number;
  /** What has something that no key opens. */
  readonly failed: readonly {
    readonly kind: "token" | "upstream" | "conversation";
    readonly id: string;
  }[];
}

/** Encrypts what is stored again with the newest secret key. What no key opens stays as it is. */
export async function resealAll(
  tokens: Pick<TokenStore, "reseal">,
  routing: Pick<RoutingStore, "reseal">,
  conversations: Pick<StoredConversations, "reseal">,
): Promise<Resealed> {
  const { keys, unreadable } = await tokens.reseal();
  const sealed = await routing.reseal();
  const content = await conversations.reseal();
  return {
    resealed: keys,
    upstreams: sealed.upstreams,
    texts: content.texts,
    failed: [
      ...unreadable.map((id) => ({ kind: "token", id }) as const),
      ...sealed.unreadable.map((id) => ({ kind: "upstream", id }) as const),
      ...content.unreadable.map((id) => ({ kind: "conversation", id }) as const),
    ],
  };
}
