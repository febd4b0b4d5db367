import type { IncomingHttpHeaders } from "node:http";
import type { TokenStore } from "../../core/accounts/accounts.ts";
import { isAnthropicKey, isApiKey } from "../../core/api-key.ts";
import type { KeyAccount, Principal } from "../../core/call/call.ts";
import { fieldError, storageUnavailable } from "../../core/common-errors.ts";
import { ProxyError } from "../../core/errors.ts";
import type { ClientAddress } from "../address/client-address.ts";
import type { AddressList } from "../address/trusted-proxies.ts";
import { isAnthropicClient } from "./anthropic-client.ts";
import { bearerIn } from "./bearer.ts";
import type { GuessBrake } from "./guess-brake.ts";

/** Finds on whose behalf a call is made. Throws if a credential is wrong or missing. */
export type Identify = (
  client: ClientAddress,
  headers: IncomingHttpHeaders,
  /** The credential in the body, if the dialect has a field for it. */
  bodyKey: string | null,
) => Promise<Principal>;

export interface IdentifyOptions {
  /** Addresses that may use the operator's key; null = all. */
  readonly allowed: AddressList | null;
  /** Whether only token holders may use the operator's key. */
  readonly tokensOnly: boolean;
  /** Whether the service that gets callers' own keys is Anthropic's. */
  readonly takesAnthropicKeys: boolean;
  readonly tokens: Pick<TokenStore, "find">;
  readonly brake: Pick<GuessBrake, "judge">;
}

/** Prefix of issued tokens, so that none is taken for a key and sent upstream. */
const TOKEN_PREFIX = "parley-";

/**
 * A caller's own key counts first, then a token: from the body, or from one of the headers that the
 * clients of the dialects use. A caller without either is a visitor, if visitors are allowed.
 */
export function createIdentify(options: IdentifyOptions): Identify {
  return async function identify(client, headers, bodyKey) {
    const { bucket } = client;
    const credential = credentialIn(headers, bodyKey);
    if (credential === null) return visitor(client, options);
    if (!isToken(credential)) {
      const key = checked(credential, options);
      return { kind: "own-key", bucket, key, account: accountIn(headers) };
    }
    const found = await options.tokens.find(credential.key).catch(storageUnavailable);
    if (found === null) {
      options.brake.judge(bucket, false);
      throw new ProxyError("token_rejected");
    }
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

function checked({ field, key }: Credential, { takesAnthropicKeys }: IdentifyOptions): string {
  if (!isApiKey(key)) throw fieldError("key_malformed", field);
  if (!takesAnthropicKeys && isAnthropicKey(key)) {
    throw new ProxyError("key_of_other_service");
  }
  return key;
}

/** Headers beside a caller's own key that name who pays for it. */
export const ACCOUNT_HEADERS = ["openai-organization", "openai-project"] as const;

/** Names of organizations and projects. */
const NAME = /^[\x21-\x7e]{1,512}$/;

/** What can't be a name is left out, as it could not be sent. */
function accountIn(headers: IncomingHttpHeaders): KeyAccount | undefined {
  const [organization, project] = ACCOUNT_HEADERS.map((name) => headers[name]);
  if (organization === undefined && project === undefined) return undefined;
  return { organization: nameOrNull(organization), project: nameOrNull(project) };
}

function nameOrNull(given: unknown): string | null {
  return typeof given === "string" && NAME.test(given) ? given : null;
}

interface Credential {
  /** Named in the error if this can't be a key. */
  readonly field: string;
  readonly key: string;
}

/** Parley tokens in `access-token`, then in Authorization. Keys are left out. */
export function tokensIn(headers: IncomingHttpHeaders): string[] {
  return [headers["access-token"], bearerIn(headers)].flatMap(
    (given) => tokenOnly(given)?.trim() ?? [],
  );
}

type Source = (headers: IncomingHttpHeaders, bodyKey: string | null) => unknown;

/** Sources of credentials in order of precedence, each with the name used in errors. */
const SOURCES: readonly (readonly [field: string, source: Source])[] = [
  ["api_key", (_headers, bodyKey) => bodyKey],
  ["Authorization", bearerIn],
  // of other dialects' calls, it may be for a gateway in front
  ["x-api-key", (headers) => (isAnthropicClient(headers) ? headers["x-api-key"] : undefined)],
  ["Api-Key", (headers) => headers["api-key"]],
  ["openai-token", (headers) => headers["openai-token"]],
  ["access-token", (headers) => tokenOnly(headers["access-token"])],
];

/** The key or token by which the headers identify their caller; empty without one. */
export function credentialTextIn(headers: IncomingHttpHeaders): string {
  return credentialIn(headers, null)?.key ?? "";
}

/** The first key; without one, the first token. */
function credentialIn(headers: IncomingHttpHeaders, bodyKey: string | null): Credential | null {
  let token: Credential | null = null;
  for (const [field, source] of SOURCES) {
    const given = source(headers, bodyKey);
    if (typeof given !== "string" || given === "") continue;
    const credential = { field, key: given.trim() };
    // a blank field in a body is a key lost on the way; a blank header is no credential
    if (credential.key === "" && field !== "api_key") continue;
    if (!isToken(credential)) return credential;
    token ??= credential;
  }
  return token;
}

function isToken({ key }: Credential): boolean {
  return key.startsWith(TOKEN_PREFIX);
}

/** `access-token` never carries a key: other values are the shared secret of a dialect. */
function tokenOnly(header: string | string[] | undefined): string | undefined {
  return typeof header === "string" && header.trim().startsWith(TOKEN_PREFIX) ? header : undefined;
}
