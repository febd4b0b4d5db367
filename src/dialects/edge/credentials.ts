import type { IncomingHttpHeaders } from "node:http";
import { ProxyError } from "../../core/errors.ts";
import type { Principal } from "../../core/principal.ts";
import type { ClientAddress } from "./client-address.ts";
import type { AddressList } from "./trusted-proxies.ts";

/** What a header may hold and a key has; anything else would fail later, with the key in the text. */
const KEY = /^[\x21-\x7e]{1,512}$/;

/** On whose behalf a call is made. */
export type Identify = (
  client: ClientAddress,
  headers: IncomingHttpHeaders,
  /** The field of a body that carries a key, where a dialect has one. */
  bodyKey: string | null,
) => Principal;

/**
 * The caller's own key, from the body or one of the headers that clients of the several dialects
 * use; without one the caller is a visitor, who may spend the operator's key from allowed addresses.
 */
export function createIdentify(allowed: AddressList | null): Identify {
  return function identify(client, headers, bodyKey) {
    const { address, bucket } = client;
    const found = bodyKey ? { field: "api_key", key: bodyKey } : headerKey(headers);
    if (found === null) {
      if (allowed !== null && !allowed.includes(address)) throw new ProxyError("address_forbidden");
      return { kind: "visitor", bucket };
    }
    const key = found.key.trim();
    if (!KEY.test(key)) {
      const { field } = found;
      throw new ProxyError("key_malformed", { params: { field }, facts: { field } });
    }
    return { kind: "own-key", bucket, key };
  };
}

function headerKey(headers: IncomingHttpHeaders): { field: string; key: string } | null {
  const bearer = /^bearer\s+(.*\S)\s*$/i.exec(headers.authorization ?? "")?.[1];
  if (bearer !== undefined) return { field: "Authorization", key: bearer };
  for (const field of ["Api-Key", "openai-token"]) {
    const value = headers[field.toLowerCase()];
    if (typeof value === "string" && value.trim() !== "") return { field, key: value };
  }
  return null;
}
