import type { Token } from "../core/accounts/accounts.ts";
import type { NewSecret } from "../core/accounts/token-options.ts";
import { type TokenChanges, withChanges } from "../core/accounts/token-options.ts";
import { fieldError } from "../core/common-errors.ts";
import { ProxyError } from "../core/errors.ts";
import { parseFields } from "./fields.ts";
import type { AdminOptions } from "./operations.ts";
import { changesOf, MAX_NAME_CHARACTERS, type Schemas } from "./schemas.ts";

/** Creates a token, or with `count` several. */
export function tokenCreation<T>(
  options: AdminOptions,
  schemas: Schemas,
  withSecret: (made: NewSecret) => T,
) {
  const { tokens, clock, canSeal } = options;
  /** The token that new ones are like, and its upstream key unless they have another or none. */
  const likeOf = async (id: string, changes: TokenChanges) => {
    const token = await tokens.show(id);
    if (token === null) throw new ProxyError("token_unknown", { details: { field: "like" } });
    const isPaid = token.hasUpstreamKey && changes.upstreamKey === undefined;
    if (isPaid && !canSeal) throw new ProxyError("secret_key_missing");
    return { token, upstreamKey: isPaid ? await tokens.upstreamKey(id) : null };
  };
  const requireFuture = (at: number | null) => {
    if (at === null || at > clock.wallMs()) return;
    throw fieldError("field_type", "expires", { expected: "future_moment" });
  };
  return async function create(given: unknown) {
    const { count: wanted, like, ...fields } = parseFields(schemas.newToken, given);
    const { name } = fields;
    const changes = sealable(changesOf(fields), options);
    const before = like == null ? null : await likeOf(like, changes);
    const chosenOptions = withChanges({ ...before?.token, name }, changes);
    requireFuture(chosenOptions.expiresAt ?? null);
    const chosen = {
      ...chosenOptions,
      group: groupAfter(before?.token ?? null, changes),
      upstreamKey: changes.upstreamKey ?? before?.upstreamKey ?? null,
    };
    if (wanted == null) return withSecret(await tokens.create(chosen));
    const named = numberedNames(name, wanted).map((one) => ({ ...chosen, name: one }));
    return { tokens: (await tokens.createAll(named)).map(withSecret) };
  };
}

function groupAfter(before: Token | null, { group }: TokenChanges): string | null {
  return group === undefined ? (before?.group?.name ?? null) : group;
}

/** Storing an upstream key requires SECRET_KEY. */
export function sealable(changes: TokenChanges, { canSeal }: AdminOptions): TokenChanges {
  if (changes.upstreamKey != null && !canSeal) throw new ProxyError("secret_key_missing");
  return changes;
}

const NUMBER_DIGITS = 3;

/** NAME-001, NAME-002 and so on. */
function numberedNames(name: string, wanted: number): string[] {
  const digits = Math.max(NUMBER_DIGITS, String(wanted).length);
  const max = MAX_NAME_CHARACTERS - digits - 1;
  if (name.length > max) throw fieldError("field_too_long", "name", { max });
  return Array.from(
    { length: wanted },
    (_, at) => `${name}-${String(at + 1).padStart(digits, "0")}`,
  );
}
