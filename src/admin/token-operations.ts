import type { Token, TokenStore } from "../core/accounts/accounts.ts";
import type { NewSecret } from "../core/accounts/token-options.ts";
import { ProxyError } from "../core/errors.ts";
import { parseFields } from "./fields.ts";
import type { AdminOptions } from "./operations.ts";
import { present } from "./present.ts";
import { changesOf, type Schemas } from "./schemas.ts";
import { sealable, tokenCreation } from "./token-creation.ts";
import { tokenLister } from "./token-list.ts";
import { shownQuotas, shownToken } from "./views.ts";

const DEFAULT_LISTED = 1_000;

/** What an operator can do with tokens. */
export function tokenOperations(options: AdminOptions, schemas: Schemas) {
  const { tokens, ledger, clock } = options;
  const shown = (token: Token | null) => shownToken(known(token), clock.wallMs());
  const withSecret = ({ token, secret }: NewSecret) => {
    const { id, ...rest } = shown(token);
    return { id, token: secret, ...rest };
  };
  return {
    /** The secrets, `token`, are shown only here. With `count`, there is a list of `tokens`. */
    create: tokenCreation(options, schemas, withSecret),
    list: tokenLister(options),
    async show(id: string) {
      const token = known(await tokens.show(id));
      const nowMs = clock.wallMs();
      const use = await ledger.used(id);
      return { ...shownToken(token, nowMs), quotas: shownQuotas(token, use, nowMs) };
    },
    /** Changes the fields that are given. */
    async update(id: string, given: unknown) {
      const changes = sealable(changesOf(parseFields(schemas.tokenChanges, given)), options);
      return shown(await tokens.update(id, changes));
    },
    /** The new secret, `token`, is shown only here. */
    async rotate(id: string, given: unknown) {
      const { grace } = parseFields(schemas.rotation, given);
      return withSecret(known(await tokens.rotate(id, grace ?? null)));
    },
    disable: async (id: string) => shown(await tokens.disable(id)),
    enable: async (id: string) => shown(await tokens.enable(id)),
    /** Doing it again changes nothing and is no error. */
    async revoke(id: string) {
      await tokens.revoke(id);
      return shown(await tokens.show(id));
    },
  };
}

function known<T>(found: T | null): T {
  if (found === null) throw new ProxyError("token_unknown");
  return found;
}

/** Oldest first, read page by page. */
export async function* allTokens(tokens: TokenStore): AsyncGenerator<Token> {
  for (let after: string | undefined; ; ) {
    const page: readonly Token[] = await tokens.list(present({ after }));
    yield* page;
    if (page.length < DEFAULT_LISTED) return;
    after = page.at(-1)?.id;
  }
}
