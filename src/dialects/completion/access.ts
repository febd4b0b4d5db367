import type { IncomingHttpHeaders } from "node:http";
import type { TokenStore } from "../../core/accounts/accounts.ts";
import { storageUnavailable } from "../../core/common-errors.ts";
import { ProxyError } from "../../core/errors.ts";
import { createSecretMatch } from "../../http/call/bearer.ts";
import { tokensIn } from "../../http/call/credentials.ts";
import type { GuessBrake } from "../../http/call/guess-brake.ts";
import type { EntryCheck } from "../../http/call/json-call.ts";

export interface CompletionAccessOptions {
  /** The secret that all callers share; empty: anyone may enter. */
  readonly accessToken: string;
  readonly tokens: Pick<TokenStore, "find">;
  readonly brake: GuessBrake;
}

/** Lets in callers with the shared secret in `access-token`, and holders of a token. */
export function createCompletionAccess(options: CompletionAccessOptions): EntryCheck {
  const { accessToken, tokens, brake } = options;
  if (accessToken === "") return (headers) => Promise.resolve(headers);
  const isAccessToken = createSecretMatch(accessToken);
  return async function enter(headers, bucket) {
    const { "access-token": given, ...others } = headers;
    // the secret is never taken for a token, whatever it looks like
    if (typeof given === "string" && isAccessToken(given)) return others;
    const givenTokens = tokensIn(headers);
    for (const token of givenTokens) {
      const found = await tokens.find(token).catch(storageUnavailable);
      if (found !== null) return headersWith(token, others);
    }
    if (givenTokens.length > 0) brake.judge(bucket, false);
    else if (given !== undefined) brake.wrong(bucket);
    throw new ProxyError("access_token_rejected", { details: { field: "access-token" } });
  };
}

/** The accepted token identifies the caller; an OpenAI key in another header is kept. */
function headersWith(token: string, others: IncomingHttpHeaders): IncomingHttpHeaders {
  const { authorization, ...rest } = others;
  const isToken = tokensIn({ authorization }).length > 0;
  return { ...(isToken ? rest : others), "access-token": token };
}
