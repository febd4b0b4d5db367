import { ProxyError } from "../../core/errors.ts";
import type { UpstreamChanges, UpstreamSecrets } from "../../core/routing/routing.ts";
import type { SecretBox } from "../accounts/secret-box.ts";
import type { StoredUpstream } from "./upstream-row.ts";

const NO_SECRETS: UpstreamSecrets = { keys: [], headers: {}, proxyUrl: null };

/** Bound to the upstream's name. Null: there is nothing to seal. */
export function sealSecrets(box: SecretBox, name: string, secrets: UpstreamSecrets): string | null {
  const { keys, headers, proxyUrl } = secrets;
  const isNothing = keys.length + Object.keys(headers).length === 0 && proxyUrl === null;
  return isNothing ? null : box.seal(JSON.stringify({ keys, headers, proxyUrl }), name);
}

/** Null if no key opens them. */
export function openSecrets(
  box: SecretBox,
  { name, secrets }: Pick<StoredUpstream, "name" | "secrets">,
): UpstreamSecrets | null {
  if (secrets === null) return NO_SECRETS;
  try {
    // Cast: written only by sealSecrets.
    return JSON.parse(box.open(secrets, name)) as UpstreamSecrets;
  } catch {
    return null;
  }
}

/** Secrets that no key opens are no obstacle where all that there is of them is given anew. */
export function changedSecrets(
  box: SecretBox,
  row: StoredUpstream,
  { keys, headers, proxyUrl }: UpstreamChanges,
): UpstreamSecrets {
  const before = openSecrets(box, row);
  const isKept =
    (keys === undefined && row.key_count > 0) ||
    (headers === undefined && row.header_names !== "[]") ||
    (proxyUrl === undefined && row.proxy !== null);
  if (before === null && isKept) {
    throw new ProxyError("upstream_unreadable", { params: { name: row.name } });
  }
  const kept = before ?? NO_SECRETS;
  return {
    keys: keys ?? kept.keys,
    headers: headers ?? kept.headers,
    proxyUrl: proxyUrl === undefined ? kept.proxyUrl : proxyUrl,
  };
}
