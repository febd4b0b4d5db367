import { isoOf, localText } from "../forms/moment-field.tsx";
import { changesIn, type Draft } from "../forms/use-form.ts";
import { limitNames, type Purse, quotaNames, type Token } from "./token.ts";

const own = ["name", "comment", "expires", "models", "group", "upstream_key", "drop_key"];
export const emptyDraft: Draft = Object.fromEntries(
  [...own, ...quotaNames, ...limitNames].map((name) => [name, ""]),
);

function textsIn<Name extends string>(
  names: readonly Name[],
  from: Readonly<Record<Name, number | string | null>>,
): Draft {
  return Object.fromEntries(names.map((name) => [name, String(from[name] ?? "")]));
}

export function purseDraft(purse: Purse): Draft {
  return { name: purse.name, comment: purse.comment, ...textsIn(quotaNames, purse) };
}

export function tokenDraft(token: Token): Draft {
  return {
    ...emptyDraft,
    ...purseDraft(token),
    ...textsIn(limitNames, token),
    expires: localText(token.expires_at),
    models: token.models?.join(", ") ?? "",
    group: token.group ?? "",
  };
}

/** The body for /admin: the fields that are not as they are stored. */
export function tokenChangesIn(stored: Draft, draft: Draft): Record<string, string | null> {
  const { expires, drop_key: dropsKey, ...rest } = changesIn(stored, draft);
  return {
    ...rest,
    ...(expires !== undefined && { expires: expires === null ? null : isoOf(expires) }),
    ...(dropsKey === "yes" && { upstream_key: null }),
  };
}
