import type { FoundToken } from "../accounts/accounts.ts";

/**
 * On whose behalf a call is made. `bucket` is what limits are counted by: an IPv4 address or an
 * IPv6 /64, as text. The key of a caller who brought one lives only as long as the call.
 */
export type Principal =
  | { readonly kind: "visitor"; readonly bucket: string }
  | { readonly kind: "own-key"; readonly bucket: string; readonly key: string }
  | { readonly kind: "token"; readonly bucket: string; readonly found: FoundToken };
