import type { IncomingHttpHeaders } from "node:http";
import type { TokenStore } from "../../core/accounts/accounts.ts";
import type { Principal } from "../../core/call/call.ts";
import { fieldError, storageUnavailable } from "../../core/common-errors.ts";
import { ProxyError } from "../../core/errors.ts";
import type { ClientAddress } from "../address/client-address.ts";
import type { AddressList } from "../address/trusted-proxies.ts";

/** What a header may hold and a key has; anything else would fail later, with the key in the text. */
const KEY = /^[\x21-\x7e]{1,512}$/;

/** On whose behalf a call is made. */
export type Identify = (
  client: ClientAddress,
  headers: IncomingHttpHeaders,
  /** The field of a body that carries a key, where a dialect has one. */
  bodyKey: string | null,
) => Promise<Principal>;

export interface IdentifyOptions {
  /** Who may spend the operator's key by address; null = everybody. */
  readonly allowed: AddressList | null;
  /** Whether the operator's key is for token holders only. */
  readonly tokensOnly: boolean;
  readonly tokens: Pick<TokenStore, "find">;
}

/** Issued tokens start with this, so that none is ever taken for a key and sent upstream. */
const TOKEN_PREFIX = "parley-";

/**
 * The caller's own key first, then a token, from the body or one of the headers that clients of the
 * several dialects use; without either the caller is a visitor, where visitors may spend the
 * operator's key.
 */
export function createIdentify(options: IdentifyOptions): Identify {
  return async function identify(client, headers, bodyKey) {
    const { bucket } = client;
    const credential = credentialIn(headers, bodyKey);
    if (credential === null) return visitor(client, options);
    if (!isToken(credential)) return { kind: "own-key", bucket, key: checked(credential) };
    const found = await options.tokens.find(credential.key).catch(storageUnavailable);
    if (found === null) throw new ProxyError("token_rejected");
    return { kind: "token", bucket, found };
  };
}

function visitor(client: ClientAddress, { allowed, tokensOnly }: IdentifyOptions): Principal {
  if (tokensOnly) throw new ProxyError("token_needed");
  if (allowed !== null && !allowed.includes(client.address)) {
    throw new ProxyError("address_forbidden");
  }
  return { kind: "visitor", bucket: client.bucket };
}

function checked({ field, key }: Credential): string {
  if (KEY.test(key)) return key;
  throw fieldError("key_malformed", field);
}

interface Credential {
  /** What to name when it can't be one. */
  readonly field: string;
  readonly key: string;
}

/** What can only be a token, where gates look for one: `access-token`, then Authorization. */
export function tokensIn(headers: IncomingHttpHeaders): string[] {
  return [headers["access-token"], bearerIn(headers)].flatMap((given) => {
    const token = tokenOnly(given)?.trim();
    return token === undefined ? [] : [token];
  });
}

/** An Authorization of another scheme is some proxy's business. */
function bearerIn({ authorization }: IncomingHttpHeaders): string | undefined {
  // the usual spelling, without a pattern
  if (authorization?.startsWith("Bearer ")) return authorization.slice(7).trim();
  return /^bearer\s+(.*\S)\s*$/i.exec(authorization ?? "")?.[1];
}

type Source = (headers: IncomingHttpHeaders, bodyKey: string | null) => unknown;

/** Where credentials are looked for, in the order in which they count, by the name to call it. */
const SOURCES: readonly (readonly [field: string, source: Source])[] = [
  ["api_key", (_headers, bodyKey) => bodyKey],
  ["Authorization", bearerIn],
  ["Api-Key", (headers) => headers["api-key"]],
  ["openai-token", (headers) => headers["openai-token"]],
  ["access-token", (headers) => tokenOnly(headers["access-token"])],
];

/** The first key; where there is none the first token. */
function credentialIn(headers: IncomingHttpHeaders, bodyKey: string | null): Credential | null {
  let token: Credential | null = null;
  for (const [field, source] of SOURCES) {
    const given = source(headers, bodyKey);
    if (typeof given !== "string" || given === "") continue;
    const credential = { field, key: given.trim() };
    // blanks in a body are a key that was lost on the way; in a header they are nothing
    if (credential.key === "" && field !== "api_key") continue;
    if (!isToken(credential)) return credential;
    token ??= credential;
  }
  return token;
}

function isToken({ key }: Credential): boolean {
  return key.startsWith(TOKEN_PREFIX);
}

/** `access-token` never carries a key: what isn't a token of ours is another gate's password. */
function tokenOnly(header: string | string[] | undefined): string | undefined {
  return typeof header === "string" && header.trim().startsWith(TOKEN_PREFIX) ? header : undefined;
}
